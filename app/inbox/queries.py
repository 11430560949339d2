"""Reading what providers told us."""

from collections.abc import Sequence
from uuid import UUID

from app.core import db
from app.inbox.models import KeptNotice, ReceivedNotice, RefusedNotice

REPLAYED = "; replayed: "  # stands between what a notice led to first and what its last replay led to


async def body(notice_id: UUID) -> bytes | None:
    raw: bytes | None = await db.fetch_value("SELECT body FROM inbound_webhook WHERE id = $1", notice_id)
    return raw


async def provider_of(notice_id: UUID) -> str | None:
    """Who sent it."""
    name: str | None = await db.fetch_value("SELECT provider FROM inbound_webhook WHERE id = $1", notice_id)
    return name


async def page(*, provider: str | None, limit: int, offset: int) -> list[ReceivedNotice]:
    return await db.fetch_as(
        ReceivedNotice,
        """SELECT id, provider, dedupe, received_at, status, outcome FROM inbound_webhook
           WHERE $1::text IS NULL OR provider = $1 ORDER BY received_at DESC LIMIT $2 OFFSET $3""",
        provider, limit, offset,
    )  # fmt: skip


async def one(notice_id: UUID) -> KeptNotice | None:
    return await db.fetch_one_as(KeptNotice, "SELECT * FROM inbound_webhook WHERE id = $1", notice_id)


async def counts(providers: Sequence[str]) -> dict[str, int]:
    """How many notices came from each of these providers, ``db.MOST_COUNTED`` at the most."""
    return await db.count_each("inbound_webhook", "provider", providers)


async def refused(limit: int) -> list[RefusedNotice]:
    """Posts that were not genuine: counts by provider, reason and hour with a sample each, the newest first."""
    rows = await db.fetch("SELECT * FROM refused_notice ORDER BY last_at DESC LIMIT $1", limit)
    return [
        db.as_model(RefusedNotice, {**row, "sample_body": bytes(row["sample_body"]).decode("utf-8", "replace")})
        for row in rows
    ]
