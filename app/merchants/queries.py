"""Reading merchants and their keys. Nothing here gives a secret or its hash."""

from uuid import UUID

from app.core import clock, db
from app.merchants.models import ApiKey, Merchant, PublishableKey

_KEY = "id, merchant_id, test, kind, name, key, scopes, created_at, last_used_at, expires_at, revoked_at"


async def one(merchant_id: UUID) -> Merchant | None:
    return await db.fetch_one_as(
        Merchant, "SELECT id, name, origins, created_at, closed_at FROM merchant WHERE id = $1", merchant_id
    )


async def page(*, limit: int = 50, offset: int = 0) -> list[Merchant]:
    """For the admin's list: those that are open first, the newest first."""
    return await db.fetch_as(
        Merchant,
        """SELECT id, name, origins, created_at, closed_at FROM merchant
           ORDER BY closed_at IS NOT NULL, created_at DESC, id LIMIT $1 OFFSET $2""",
        limit, offset,
    )  # fmt: skip


async def keys(merchant_id: UUID, *, test: bool) -> list[ApiKey]:
    """A merchant's keys in one mode, those in use first, then the newest."""
    return await db.fetch_as(
        ApiKey,
        f"""SELECT {_KEY}, (revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $3)) AS in_use FROM api_key
            WHERE merchant_id = $1 AND test = $2 ORDER BY in_use DESC, created_at DESC, id""",  # noqa: S608 - columns
        merchant_id, test, clock.now(),
    )  # fmt: skip


async def by_publishable(key: str) -> PublishableKey | None:
    """The merchant of a publishable key in use."""
    return await db.fetch_one_as(
        PublishableKey,
        """SELECT m.id, m.name, m.origins, m.created_at, m.closed_at, k.test
           FROM api_key k JOIN merchant m ON m.id = k.merchant_id
           WHERE k.key = $1 AND k.kind = 'publishable' AND k.revoked_at IS NULL AND m.closed_at IS NULL
             AND (k.expires_at IS NULL OR k.expires_at > $2)""",
        key.replace("\x00", "")[:64], clock.now(),
    )  # fmt: skip
