"""Endpoints' signing secrets: 32 random bytes, shown once as ``whsec_…``, and kept sealed by the master keys."""

import base64
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from app.audit import service as audit
from app.core import db, log
from app.core.crypto import Plaintext, SealBroken, sealed_under
from app.core.vault import vault

PREFIX = "whsec_"  # standardwebhooks.com: a symmetric secret is serialised with it
SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Rewrapped:
    """A rotation of master keys: how many secrets moved, and the endpoints whose secret opens under no key we have."""

    moved: int
    stuck: list[UUID]


def fresh() -> Plaintext:
    """A new secret, as its owner is shown it."""
    return Plaintext(PREFIX.encode() + base64.b64encode(secrets.token_bytes(SECRET_BYTES)))


def shown(secret: Plaintext) -> str:
    """``whsec_…``, for its owner's eyes, and as the key of the simple signature."""
    return secret.reveal().decode()


def key(secret: Plaintext) -> bytes:
    """The key of Standard Webhooks' signature: the bytes that stand behind the prefix."""
    return base64.b64decode(shown(secret).removeprefix(PREFIX))


def seal(secret: Plaintext, endpoint_id: UUID) -> bytes:
    return vault().seal(secret, owner=_owner(endpoint_id))


def unseal(sealed: bytes, endpoint_id: UUID) -> Plaintext:
    """Raises SealBroken."""
    return vault().open(sealed, owner=_owner(endpoint_id))


def standing(row: Any, now: datetime) -> list[Plaintext]:
    """The secrets an endpoint's requests are signed with, the newest first: more than one in overlaps of rotations."""
    endpoint_id = row["endpoint_id"]
    return [unseal(row["secret"], endpoint_id), *(unseal(one.sealed, endpoint_id) for one in retired(row, now))]


@dataclass(frozen=True, slots=True)
class Retired:
    """A sealed secret that was rotated away and still counts ``until`` its overlap is over."""

    sealed: bytes
    until: datetime


def retired(row: Mapping[str, Any], now: datetime) -> list[Retired]:
    """The secrets of an endpoint before its newest that still count, the newest first."""
    found = [Retired(row["old_secret"], row["old_until"])] if row["old_secret"] is not None else []
    return [one for one in [*found, *older(row)] if one.until > now]


def older(row: Mapping[str, Any]) -> list[Retired]:
    kept = row["older_secrets"]
    return msgspec.convert(json.loads(kept) if isinstance(kept, str) else kept, list[Retired])


def as_older(secrets_: Sequence[Retired]) -> str:
    """As the column keeps them."""
    return msgspec.json.encode(list(secrets_)).decode()


async def by_master_key() -> dict[str, int]:
    """How many endpoints' secrets each master key seals, those of an overlap counted too."""
    counts: dict[str, int] = {}
    for row in await db.fetch("SELECT secret, old_secret, older_secrets FROM endpoint WHERE deleted_at IS NULL"):
        for sealed in (row["secret"], row["old_secret"], *(one.sealed for one in older(row))):
            if sealed:
                counts[sealed_under(sealed)] = counts.get(sealed_under(sealed), 0) + 1
    return counts


async def rewrap(actor: str) -> Rewrapped:
    """Bring every secret under the first master key. One that was rotated meanwhile is under it already."""
    moved, stuck = 0, list[UUID]()
    for row in await db.fetch(
        "SELECT id, secret, old_secret, older_secrets FROM endpoint WHERE deleted_at IS NULL ORDER BY id"
    ):
        try:
            pairs = [(sealed, _moved(sealed, row["id"])) for sealed in (row["secret"], row["old_secret"])]
            kept = [Retired(_moved(one.sealed, row["id"]) or b"", one.until) for one in older(row)]
        except SealBroken as broken:
            log.get("bitloot.webhooks").error("vault.stuck", endpoint_id=str(row["id"]), why=str(broken))
            stuck.append(row["id"])
            continue
        if kept == older(row) and all(before == after for before, after in pairs):
            continue
        moved += await _replace(row, pairs, kept)
    if moved:
        await audit.write(
            "vault.rewrapped", actor=actor, details=f"secrets of {moved} endpoints now under {vault().current_id}"
        )
    return Rewrapped(moved, stuck)


async def _replace(row: Mapping[str, Any], pairs: list[tuple[bytes | None, bytes | None]], kept: list[Retired]) -> bool:
    (secret, fresh_secret), (old, fresh_old) = pairs
    done = await db.fetch_value(
        """UPDATE endpoint SET secret = $3, old_secret = $5, older_secrets = $6::jsonb
           WHERE id = $1 AND secret = $2 AND old_secret IS NOT DISTINCT FROM $4 RETURNING true""",
        row["id"], secret, fresh_secret, old, fresh_old, as_older(kept),
    )  # fmt: skip
    return bool(done)


def _moved(sealed: bytes | None, endpoint_id: UUID) -> bytes | None:
    if sealed is None or sealed_under(sealed) == vault().current_id:
        return sealed
    return seal(unseal(sealed, endpoint_id), endpoint_id)


def _owner(endpoint_id: UUID) -> str:
    return f"endpoint {endpoint_id}"
