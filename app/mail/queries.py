"""The mail log."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from app.core import clock, db
from app.mail.models import LetterAbout, LetterContent, LetterState
from app.mail.states import LetterStatus

LOOKED_BACK, LOOKED_AT = timedelta(hours=1), 200  # letters by which it is told how mail is doing
MANY = 5  # lost letters of those, and a fifth of them, are trouble


async def about(subject: UUID) -> list[LetterAbout]:
    """Letters about an order, oldest first, without their content."""
    return await db.fetch_as(
        LetterAbout,
        """SELECT id, kind, recipient, status, error, created_at, sent_at, context->>'link_id' AS link_id,
             EXISTS (SELECT FROM job j WHERE j.subject = $1 AND j.name = 'mail.send' AND j.status = 'failed'
               AND j.args->>'mail_id' = mail.id::text) AS stuck FROM mail
           WHERE subject = $1 ORDER BY created_at""",
        subject,
    )


async def one(mail_id: UUID) -> LetterState | None:
    """How a letter stands, without its content."""
    return await db.fetch_one_as(
        LetterState, "SELECT id, kind, status, created_at, sent_at FROM mail WHERE id = $1", mail_id
    )


@dataclass(frozen=True, slots=True)
class Reach:
    """Whether letters about a subject reach an address, by the last one of which that is known."""

    reached: bool
    why: str


async def content(mail_id: UUID, subject: UUID) -> LetterContent | None:
    """What a letter about ``subject`` was written from; None where no letter of that id is about it."""
    return await db.fetch_one_as(
        LetterContent, "SELECT kind, context FROM mail WHERE id = $1 AND subject = $2", mail_id, subject
    )


async def reach(subject: UUID, recipient: str) -> Reach | None:
    """None while nothing is known. After a bounce or a complaint, only a delivery proves the contrary: what is sent
    there again is taken and not sent on (resend.md, 7)."""
    row = await db.fetch_one(
        """SELECT m.status, m.error FROM mail m WHERE m.subject = $1 AND m.recipient = $2
             AND (m.status IN ('delivered', 'bounced', 'complained', 'failed') OR m.status = 'sent' AND NOT EXISTS (
               SELECT FROM mail o WHERE o.subject = $1 AND o.recipient = $2 AND o.status IN ('bounced', 'complained')))
           ORDER BY m.created_at DESC, m.id DESC LIMIT 1""",
        subject, recipient,
    )  # fmt: skip
    return Reach(row["status"] in {"sent", "delivered"}, row["error"] or "") if row else None


async def of_link(subject: UUID, link_id: UUID) -> LetterStatus | None:
    """How the letter stands that carries a link."""
    status = await db.fetch_value(
        """SELECT status FROM mail WHERE subject = $1 AND context->>'link_id' = $2::text
           ORDER BY created_at DESC LIMIT 1""",
        subject, str(link_id),
    )  # fmt: skip
    return LetterStatus(status) if status else None


async def written(subject: UUID, kind: str, incident: str) -> bool:
    """Whether a letter of this kind was written before about what happened to a subject: its context's ``incident``."""
    return bool(
        await db.fetch_value(
            "SELECT EXISTS (SELECT FROM mail WHERE subject = $1 AND kind = $2 AND context->>'incident' = $3)",
            subject, kind, incident,
        )
    )  # fmt: skip


async def any_waiting() -> bool:
    """Whether a letter waits for our quota."""
    return bool(await db.fetch_value("SELECT EXISTS (SELECT FROM mail WHERE status = 'waiting')"))


async def trouble() -> str:
    """Why letters don't go out as they should; empty where they do."""
    if await any_waiting():
        return "emails are waiting for the mail quota"
    if await db.fetch_value("SELECT EXISTS (SELECT FROM job WHERE name = 'mail.send' AND status = 'failed')"):
        return "emails are stuck: see the dead letters"
    row = await db.fetch_one(
        """SELECT count(*) AS letters, count(*) FILTER (WHERE status IN ('failed', 'bounced')) AS lost FROM (
             SELECT status FROM mail WHERE created_at > $1 ORDER BY created_at DESC LIMIT $2) AS newest""",
        clock.now() - LOOKED_BACK, LOOKED_AT,
    )  # fmt: skip
    assert row is not None
    if row["lost"] >= MANY and row["lost"] * 5 >= row["letters"]:
        return f"{row['lost']} of the last {row['letters']} emails did not arrive"
    return ""
