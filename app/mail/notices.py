"""What became of letters, by the provider's webhooks (resend.md, 7): signed, so believed; at times late or twice."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from uuid import UUID

from app.core import db
from app.core.ids import parse_id
from app.core.signing import MalformedJson, parse_strict
from app.inbox import queries as inbox
from app.inbox import service as notices
from app.mail import service
from app.mail.service import DeliveryRecorder
from app.mail.states import LetterStatus

STATUS = {  # the event's type → what the letter is then
    "email.sent": LetterStatus.SENT,
    "email.delivered": LetterStatus.DELIVERED,
    "email.bounced": LetterStatus.BOUNCED,
    "email.complained": LetterStatus.COMPLAINED,
    "email.failed": LetterStatus.FAILED,
    "email.suppressed": LetterStatus.BOUNCED,
}
WHY = {"email.bounced": "bounce", "email.failed": "failed", "email.suppressed": "suppressed"}  # where an event says why
COMPLAINT = "the recipient marked it as spam"


async def apply(
    notice_id: UUID, *, commit: Callable[[], AbstractAsyncContextManager[None]], record: DeliveryRecorder | None = None
) -> None:
    """Move the letter that a notice is about, and say in the notice's log what it led to."""
    try:
        said = parse_strict(await inbox.body(notice_id) or b"")
    except MalformedJson:
        said = None
    async with commit():
        await notices.applied(notice_id, await _heed(said if isinstance(said, dict) else {}, record))


async def _heed(said: dict[str, object], record: DeliveryRecorder | None) -> str:
    kind, data = str(said.get("type")), said.get("data")
    status = STATUS.get(kind)
    if status is None or not isinstance(data, dict):
        return "ignored: nothing that becomes of a letter"
    mail_id = await _letter(data)
    if mail_id is None:
        return "ignored: no letter of ours"
    moved = await service.become(mail_id, status, why=_why(kind, data), record=record)
    return f"letter {status}" if moved else "ignored: the letter's state says more already"


async def _letter(data: dict[str, object]) -> UUID | None:
    """By our own id, which stands in its tags; of a letter without that, by the provider's."""
    tags = data.get("tags")
    named = parse_id(str(tags.get("letter", ""))) if isinstance(tags, dict) else None
    found: UUID | None = await db.fetch_value(
        "SELECT id FROM mail WHERE id = $1 OR ($1 IS NULL AND provider_id = $2)", named, str(data.get("email_id"))[:64]
    )
    return found


def _why(kind: str, data: dict[str, object]) -> str | None:
    if kind == "email.complained":
        return COMPLAINT
    detail = data.get(WHY.get(kind, ""))
    if not isinstance(detail, dict):
        return None
    words = [
        str(detail[name]) for name in ("type", "subType", "message", "reason") if isinstance(detail.get(name), str)
    ]
    return ": ".join(words)[:500] or None
