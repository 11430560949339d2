"""The mail log."""

from typing import Any
from uuid import UUID

from app.core import db


async def about(subject: UUID) -> list[dict[str, Any]]:
    """Letters about an order, oldest first, without their content."""
    rows = await db.fetch(
        """SELECT id, kind, recipient, status, error, created_at, sent_at FROM mail
           WHERE subject = $1 ORDER BY created_at""",
        subject,
    )
    return [dict(row) for row in rows]


async def one(mail_id: UUID) -> dict[str, Any] | None:
    """How a letter stands, without its content: ``{id, kind, status, created_at, sent_at}``."""
    row = await db.fetch_one("SELECT id, kind, status, created_at, sent_at FROM mail WHERE id = $1", mail_id)
    return dict(row) if row else None
