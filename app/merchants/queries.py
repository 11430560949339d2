"""Reading merchants and their keys. Nothing here gives a secret or its hash."""

import json
from typing import Any
from uuid import UUID

from app.core import clock, db

_KEY = "id, merchant_id, test, kind, name, key, scopes, created_at, last_used_at, expires_at, revoked_at"


async def one(merchant_id: UUID) -> dict[str, Any] | None:
    """``{id, name, origins, created_at, closed_at}``; ``origins`` is a list."""
    row = await db.fetch_one("SELECT id, name, origins, created_at, closed_at FROM merchant WHERE id = $1", merchant_id)
    return _merchant(dict(row)) if row else None


async def page(*, limit: int = 50, offset: int = 0) -> list[dict[str, Any]]:
    """For the admin's list: those that are open first, the newest first."""
    rows = await db.fetch(
        """SELECT id, name, origins, created_at, closed_at FROM merchant
           ORDER BY closed_at IS NOT NULL, created_at DESC, id LIMIT $1 OFFSET $2""",
        limit, offset,
    )  # fmt: skip
    return [_merchant(dict(row)) for row in rows]


async def keys(merchant_id: UUID, *, test: bool) -> list[dict[str, Any]]:
    """A merchant's keys in one mode, those in use first, then the newest; ``scopes`` is a list, ``in_use`` a bool."""
    rows = await db.fetch(
        f"""SELECT {_KEY}, (revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $3)) AS in_use FROM api_key
            WHERE merchant_id = $1 AND test = $2 ORDER BY in_use DESC, created_at DESC, id""",  # noqa: S608 - columns
        merchant_id, test, clock.now(),
    )  # fmt: skip
    return [dict(row) | {"scopes": json.loads(row["scopes"])} for row in rows]


async def by_publishable(key: str) -> dict[str, Any] | None:
    """``{merchant, test}`` of a publishable key in use: the merchant as ``one`` gives it, and the key's mode."""
    row = await db.fetch_one(
        """SELECT m.id, m.name, m.origins, m.created_at, m.closed_at, k.test
           FROM api_key k JOIN merchant m ON m.id = k.merchant_id
           WHERE k.key = $1 AND k.kind = 'publishable' AND k.revoked_at IS NULL AND m.closed_at IS NULL
             AND (k.expires_at IS NULL OR k.expires_at > $2)""",
        key.replace("\x00", "")[:64], clock.now(),
    )  # fmt: skip
    if row is None:
        return None
    merchant = dict(row)
    return {"test": merchant.pop("test"), "merchant": _merchant(merchant)}


def _merchant(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"origins": json.loads(row["origins"])}
