"""What a start is refused for although every value has the right type: settings that can't work, or only harm."""

import itertools
import re
from collections.abc import Mapping
from email.utils import parseaddr
from urllib.parse import SplitResult, urlsplit

from email_validator import EmailNotValidError, validate_email

FEWEST_CHARACTERS = 10  # different ones in a secret; 32 random hexadecimal digits have fewer once in a million
FEWEST_BYTES = 16  # different ones in a master key's 32; random ones have about 30
SHORTEST_WEBHOOK_SECRET = 16  # characters
PLACEHOLDERS = (
    "changeme",
    "change-me",
    "change_me",
    "placeholder",
    "your-",
    "your_",
    "example",
    "password",
    "0123456789",
)
BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
HEADERS = {  # sent as an HTTP header, or compared with one
    "NOWPAYMENTS_API_KEY", "KINGUIN_API_KEY", "KINGUIN_WEBHOOK_SECRET", "RESEND_API_KEY", "R2_ACCESS_KEY_ID",
    "R2_SECRET_ACCESS_KEY",
}  # fmt: skip
NEW_SECRET = "`openssl rand -base64 48` makes one"  # noqa: S105 - advice


def malformed(values: Mapping[str, str]) -> list[str]:
    """Faults of texts, by setting name: stray blanks, line breaks and quotes, which no provider would take."""
    faults = []
    for name, text in values.items():
        if text != text.strip():
            faults.append(f"{name} begins or ends with a space or a line break: remove it")
        elif any(ord(c) < 32 or ord(c) == 127 for c in text):
            faults.append(f"{name} contains a line break or another control character: remove it")
        elif len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
            faults.append(f"{name} is in quotation marks, which count as part of it: remove them")
        elif name in HEADERS and not all(33 <= ord(c) <= 126 for c in text):
            faults.append(f"{name} contains a character that no key has: copy it again")
    return faults


def bad_addresses(values: Mapping[str, str], *, origins: tuple[str, ...]) -> list[str]:
    """Faults of http addresses, by setting name. ``origins`` are those that must have no path behind the host."""
    return [fault for name, text in values.items() if text and (fault := _bad_address(name, text, name in origins))]


def _bad_address(name: str, text: str, origin: bool) -> str | None:
    try:
        url = urlsplit(text)
        host, _ = url.hostname, url.port
    except ValueError:
        return f"{name} is not an http address"
    if url.scheme not in {"http", "https"} or not host:
        return f"{name} must begin with http:// or https:// and name a host"
    if url.username or url.password or url.query or url.fragment:
        return f"{name} must be a plain address, without a user, ? or #"
    if origin and url.path.strip("/"):
        return f"{name} must end with the host: remove what follows it"
    return None


def split(text: str) -> SplitResult:
    """The parts of an address; empty ones where it is none."""
    try:
        return urlsplit(text)
    except ValueError:
        return urlsplit("")


def plain_address(text: str) -> str:
    """An address in its one spelling: scheme and host in small letters, no slash at the end."""
    url = urlsplit(text)
    return f"{url.scheme}://{url.netloc.lower()}{url.path.rstrip('/')}"


def bad_sender(text: str) -> str | None:
    """What is wrong with ``MAIL_FROM``: it must be an address, or a name and an address in angle brackets."""
    address = parseaddr(text)[1] if "<" in text else text
    try:
        validate_email(address, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return "MAIL_FROM must be an email address, such as Shop <keys@your-domain>"
    return None


def bad_bucket(text: str) -> str | None:
    """What is wrong with ``R2_BUCKET``."""
    if BUCKET.fullmatch(text):
        return None
    return "R2_BUCKET must be a bucket's name: 3 to 63 of a-z, 0-9, hyphen and dot"


def guessable(secret: str) -> bool:
    """Whether somebody could guess a secret of 32 characters or more: few different ones, repeats, or a placeholder."""
    plain = secret.lower()
    repeats = secret in (secret + secret)[1:-1]
    return len(set(secret)) < FEWEST_CHARACTERS or repeats or any(word in plain for word in PLACEHOLDERS)


def weak_master_key(key: bytes) -> bool:
    """Whether a master key was not drawn at random: few different bytes, a row of steps, or readable text."""
    steps = {(after - before) % 256 for before, after in itertools.pairwise(key)}
    return len(set(key)) < FEWEST_BYTES or len(steps) == 1 or all(32 <= byte < 127 for byte in key)


def is_provider_sandbox(address: str) -> bool:
    """Whether an address is one of the providers' public sandboxes, where anybody pays with play money."""
    return "sandbox" in (split(address).hostname or "")
