"""Endpoints' signing secrets: 32 random bytes, shown once as ``whsec_…``, and kept sealed by the master keys."""

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from app.audit import service as audit
from app.core import db, log
from app.core.crypto import Plaintext, SealBroken, sealed_under
from app.core.vault import vault
from app.webhooks.models import Retired, Secrets, SecretsOf

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


def standing(row: Secrets, endpoint_id: UUID, now: datetime) -> list[Plaintext]:
    """The secrets an endpoint's requests are signed with, the newest first: more than one in overlaps of rotations."""
    return [unseal(row.secret, endpoint_id), *(unseal(one.sealed, endpoint_id) for one in retired(row, now))]


def retired(row: Secrets, now: datetime) -> list[Retired]:
    """The secrets of an endpoint before its newest that still count, the newest first."""
    before = [Retired(row.old_secret, row.old_until)] if row.old_secret is not None and row.old_until else []
    return [one for one in [*before, *row.older_secrets] if one.until > now]


def as_older(secrets_: Sequence[Retired]) -> str:
    """As the column keeps them."""
    return msgspec.json.encode(list(secrets_)).decode()


async def _all() -> list[SecretsOf]:
    return await db.fetch_as(
        SecretsOf,
        "SELECT id, secret, old_secret, old_until, older_secrets FROM endpoint WHERE deleted_at IS NULL ORDER BY id",
    )


async def by_master_key() -> dict[str, int]:
    """How many endpoints' secrets each master key seals, those of an overlap counted too."""
    counts: dict[str, int] = {}
    for row in await _all():
        for sealed in (row.secret, row.old_secret, *(one.sealed for one in row.older_secrets)):
            if sealed:
                counts[sealed_under(sealed)] = counts.get(sealed_under(sealed), 0) + 1
    return counts


async def rewrap(actor: str) -> Rewrapped:
    """Bring every secret under the first master key. One that was rotated meanwhile is under it already."""
    moved, stuck = 0, list[UUID]()
    for row in await _all():
        try:
            pairs = [(sealed, _moved(sealed, row.id)) for sealed in (row.secret, row.old_secret)]
            kept = [Retired(_moved(one.sealed, row.id) or b"", one.until) for one in row.older_secrets]
        except SealBroken as broken:
            log.get("bitloot.webhooks").error("vault.stuck", endpoint_id=str(row.id), why=str(broken))
            stuck.append(row.id)
            continue
        if kept == row.older_secrets and all(before == after for before, after in pairs):
            continue
        moved += await _replace(row, pairs, kept)
    if moved:
        await audit.write(
            "vault.rewrapped", actor=actor, details=f"secrets of {moved} endpoints now under {vault().current_id}"
        )
    return Rewrapped(moved, stuck)


async def _replace(row: SecretsOf, pairs: list[tuple[bytes | None, bytes | None]], kept: list[Retired]) -> bool:
    (secret, fresh_secret), (old, fresh_old) = pairs
    done = await db.fetch_value(
        """UPDATE endpoint SET secret = $3, old_secret = $5, older_secrets = $6::jsonb
           WHERE id = $1 AND secret = $2 AND old_secret IS NOT DISTINCT FROM $4 RETURNING true""",
        row.id, secret, fresh_secret, old, fresh_old, as_older(kept),
    )  # fmt: skip
    return bool(done)


def _moved(sealed: bytes | None, endpoint_id: UUID) -> bytes | None:
    if sealed is None or sealed_under(sealed) == vault().current_id:
        return sealed
    return seal(unseal(sealed, endpoint_id), endpoint_id)


def _owner(endpoint_id: UUID) -> str:
    return f"endpoint {endpoint_id}"
