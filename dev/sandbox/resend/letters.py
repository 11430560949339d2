"""Reads a mail from a request, and refuses what Resend refuses (fact sheet, section 2)."""

from __future__ import annotations

import html
import re
import uuid

from dev.sandbox.records import Mail
from dev.sandbox.resend.refusals import ResendRefusal, invalid, missing
from dev.sandbox.times import now_ms
from dev.sandbox.wire import Fields

RECIPIENTS_LIMIT = 50
TAG_LIMIT = 256  # characters

# "Addresses at @example.com, @test.com and the like are refused".
REFUSED_DOMAINS = frozenset({"example.com", "example.org", "example.net", "test.com", "test.org", "test.net"})
# What becomes of a mail by its recipient's first word at resend.dev; any other is delivered.
ENDINGS = ("bounced", "complained", "suppressed")

# Neither part takes other letters than ASCII: a domain comes in punycode, and a name has no such form.
_BARE = r"[!#-+\--:=?A-~-]{1,64}@[A-Za-z0-9.-]{1,255}\.(?:xn--[A-Za-z0-9-]{1,59}|[A-Za-z]{2,63})"
_ADDRESS = re.compile(rf"[^<>\r\n]*<(?P<named>{_BARE})>|(?P<plain>{_BARE})")
_TAG = re.compile(r"[A-Za-z0-9_-]{1,256}")
_MARKUP = re.compile(r"<(style|head|script)\b.*?</\1>|<[^>]+>", re.DOTALL | re.IGNORECASE)


def read(fields: Fields, idempotency_key: str | None) -> Mail:
    """The mail of one `POST /emails` body.

    Raises:
        ResendRefusal: 422 with the reason's name, 403 for a sender that may not write to this recipient.
    """
    sender, to, subject = _sender(fields), _addresses(fields, "to"), _subject(fields)
    if not to:
        raise missing("to")
    _check_recipients(sender, to)
    markup, text = _contents(fields)
    return Mail(
        id=str(uuid.uuid4()),
        sender=sender,
        to=to,
        cc=_addresses(fields, "cc"),
        bcc=_addresses(fields, "bcc"),
        reply_to=_addresses(fields, "reply_to"),
        subject=subject,
        html=markup,
        text=text,
        headers=_headers(fields),
        tags=_tags(fields),
        attachments=_attachments(fields),
        idempotency_key=idempotency_key,
        created_at=now_ms(),
        scheduled_at=_text(fields, "scheduled_at"),
        last_event="scheduled" if fields.get("scheduled_at") else _ending(to[0]),
    )


def _subject(fields: Fields) -> str:
    subject = _text(fields, "subject")
    if subject is None:
        raise missing("subject")
    if "\n" in subject:
        raise invalid("The `\\n` is not allowed in the `subject` field.")
    return subject


def _contents(fields: Fields) -> tuple[str | None, str | None]:
    """HTML and text; a missing text is drawn from the HTML, an empty one stays empty."""
    markup, text = _text(fields, "html"), _text(fields, "text")
    if not markup and not text:
        raise ResendRefusal(422, "missing_required_field", "Missing `html` or `text` field.")
    if text is None and markup:
        text = " ".join(html.unescape(_MARKUP.sub(" ", markup)).split())
    return markup, text


def _sender(fields: Fields) -> str:
    sender = _text(fields, "from")
    if not sender:
        raise missing("from")
    if not _ADDRESS.fullmatch(sender.strip()):
        message = "Invalid `from` field. The email address needs to follow the `email@example.com` or "
        raise ResendRefusal(422, "invalid_from_address", message + "`Name <email@example.com>` format.")
    return sender


def _check_recipients(sender: str, to: list[str]) -> None:
    domains = {bare(address).rpartition("@")[2].lower() for address in to}
    if domains & REFUSED_DOMAINS:
        raise invalid("Invalid `to` field. Please use our testing email address instead of domains like `example.com`.")
    if bare(sender).lower() == "onboarding@resend.dev" and domains != {"resend.dev"}:
        message = "You can only send testing emails to your own email address."
        raise ResendRefusal(403, "validation_error", message)


def bare(address: str) -> str:
    """`Name <user@domain>` without its name."""
    found = _ADDRESS.fullmatch(address.strip())
    return (found["named"] or found["plain"]) if found else address


def _ending(recipient: str) -> str:
    local, _, domain = bare(recipient).lower().partition("@")
    word = local.partition("+")[0]
    return word if domain == "resend.dev" and word in ENDINGS else "delivered"


def _text(fields: Fields, name: str) -> str | None:
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        raise invalid(f"The `{name}` field must be a `string`.")
    return value


def _addresses(fields: Fields, name: str) -> list[str]:
    value = fields.get(name)
    given = value if isinstance(value, list) else [] if value is None else [value]
    if len(given) > RECIPIENTS_LIMIT:
        raise invalid(f"The `{name}` field can have at most {RECIPIENTS_LIMIT} recipients.")
    found: list[str] = []
    for address in given:
        if not isinstance(address, str) or not _ADDRESS.fullmatch(address.strip()):
            raise invalid(
                f"Invalid `{name}` field. The email address needs to follow the `email@example.com` or "
                "`Name <email@example.com>` format."
            )
        found.append(address)
    return found


def _headers(fields: Fields) -> dict[str, str]:
    value = fields.get("headers") or {}
    if not isinstance(value, dict) or not all(isinstance(member, str) for member in value.values()):
        raise invalid("The `headers` field must be an object of strings.")
    return value


def _tags(fields: Fields) -> list[dict[str, str]]:
    value = fields.get("tags") or []
    if not isinstance(value, list):
        raise invalid("The `tags` field must be an array.")
    for tag in value:
        if not isinstance(tag, dict) or not all(
            isinstance(tag.get(part), str) and _TAG.fullmatch(tag[part]) for part in ("name", "value")
        ):
            raise invalid("Tags should only contain ASCII letters, numbers, underscores, or dashes.")
    return value


def _attachments(fields: Fields) -> list[str]:
    value = fields.get("attachments") or []
    if not isinstance(value, list) or not all(isinstance(part, dict) for part in value):
        raise ResendRefusal(422, "invalid_attachment", "Attachment must have either a `content` or `path`.")
    return [str(part.get("filename") or part.get("path") or "attachment") for part in value]
