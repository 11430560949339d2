"""Email addresses: whether one can be written to, how it is shown, and what was probably meant."""

from difflib import get_close_matches

from email_validator import EmailNotValidError, validate_email

from app.core.errors import Invalid

LONGEST = 254  # characters (RFC 5321, 4.5.3.1.3, less the angle brackets)
COMMON = (
    "gmail.com",
    "outlook.com",
    "hotmail.com",
    "yahoo.com",
    "icloud.com",
    "proton.me",
    "protonmail.com",
    "live.com",
    "aol.com",
    "gmx.de",
    "web.de",
    "gmx.net",
    "mail.com",
    "yandex.ru",
    "mail.ru",
    "hotmail.co.uk",
    "yahoo.co.uk",
    "yahoo.fr",
    "orange.fr",
    "free.fr",
    "libero.it",
)
CLOSE = 0.8  # similarity from which a domain is taken for a slip of the fingers


class BadEmail(Invalid):
    title = "That email address can't be used"


def parse(text: object) -> str:
    """A normalised address. Raises BadEmail, saying what to do, for anything no mail could reach."""
    if not isinstance(text, str) or not text.strip():
        raise BadEmail("Enter your email address.", field="email")
    if len(text) > LONGEST or any(ord(c) < 32 for c in text.strip()):
        raise BadEmail("Enter one email address, at most 254 characters long.", field="email")
    try:
        found = validate_email(text.strip(), check_deliverability=False, test_environment=True, strict=True)
    except EmailNotValidError:
        raise BadEmail("Enter an email address like name@example.com.", field="email") from None
    return found.normalized.lower()


def probably_meant(email: str) -> str | None:
    """The address with its domain corrected, if the domain looks like a slip for a common one."""
    name, at, domain = email.strip().lower().rpartition("@")
    if not at or not name or domain in COMMON:
        return None
    close = get_close_matches(domain, COMMON, n=1, cutoff=CLOSE)
    return f"{name}@{close[0]}" if close else None


def masked(email: str) -> str:
    """``a•••@example.com``: enough to recognise one's own."""
    name, _, domain = email.rpartition("@")
    return f"{name[:1]}•••@{domain}"
