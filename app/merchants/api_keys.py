"""API keys: issued, rotated, revoked, and asked for at every request, so that a revoked one is dead at once."""

import hashlib
import hmac
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from app.audit import service as audit
from app.core import clock, db
from app.core.errors import Conflict, Invalid, NotFound, Unauthorized
from app.core.i18n import _
from app.core.ids import new_id
from app.merchants.models import KeptKey, KnownKey

SCOPES = (
    "orders:read", "orders:write", "payments:read", "payments:write", "refunds:read", "refunds:write", "events:read",
    "webhooks:read", "webhooks:write",
)  # fmt: skip
MOST = 50  # keys in use, a merchant and mode
NAME_LENGTH = 100
LONGEST_OVERLAP = timedelta(days=7)
USE_NOTED = timedelta(minutes=1)  # how exactly ``last_used_at`` is kept
_NOBODY = hashlib.sha256(b"nobody has this secret").digest()
_IN_USE = "revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $1)"


class ApiKeyNotFound(NotFound):
    code = "no_such_key"
    title = "No such API key"


class BadKey(Invalid):
    title = "This API key can't be created"


class TooManyKeys(Conflict):
    title = "Too many API keys"


class InvalidApiKey(Unauthorized):
    title = "That API key can't be used"


@dataclass(frozen=True, slots=True)
class Issued:
    """A new key. ``secret`` is shown to its merchant once and kept nowhere."""

    id: UUID
    key: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who stands at the door: a merchant in one of its modes, by one of its keys."""

    merchant_id: UUID
    test: bool
    key_id: UUID
    scopes: frozenset[str]


async def issue(
    merchant_id: UUID,
    *,
    test: bool,
    name: str,
    scopes: Sequence[str] = SCOPES,
    expires_at: datetime | None = None,
    by: str = "the merchant",
    ip: str = "",
) -> Issued:
    """Make a secret key; ``by`` is who asked, for the audit log. Raises BadKey and TooManyKeys."""
    _checked(name, scopes, expires_at)
    async with db.transaction():
        await _lock(merchant_id)
        in_use = f"SELECT count(*) FROM api_key WHERE {_IN_USE} AND kind = 'secret' AND merchant_id = $2 AND test = $3"  # noqa: S608
        if await db.fetch_value(in_use, clock.now(), merchant_id, test) >= MOST:
            raise TooManyKeys(
                _("A merchant can have at most %(most)s in each mode. Revoke one that you no longer use.", most=MOST)
            )
        made = await _insert(merchant_id, test, name.strip(), scopes, expires_at)
        await _write("api_key.issued", merchant_id, made.key, by, ip)
    return made


def _checked(name: str, scopes: Sequence[str], expires_at: datetime | None) -> None:
    if not 1 <= len(name.strip()) <= NAME_LENGTH or "\x00" in name:
        raise BadKey(
            _("Give the key a name of 1 to %(name_length)s characters.", name_length=NAME_LENGTH), field="name"
        )
    if not scopes or not set(scopes) <= set(SCOPES):
        raise BadKey(_("Choose from the scopes %(join)s.", join=", ".join(SCOPES)), field="scopes")
    if expires_at is not None and expires_at <= clock.now():
        raise BadKey("Choose a time in the future.", field="expires_at")


async def _insert(
    merchant_id: UUID, test: bool, name: str, scopes: Sequence[str], expires_at: datetime | None
) -> Issued:
    mode = "test" if test else "live"
    made = Issued(new_id(), f"bl_{mode}_{secrets.token_urlsafe(18)}", f"bls_{secrets.token_urlsafe(32)}")
    kept = [scope for scope in SCOPES if scope in set(scopes)]
    await db.fetch(
        """INSERT INTO api_key (id, merchant_id, test, kind, name, key, secret_hash, scopes, created_at, expires_at)
           VALUES ($1, $2, $3, 'secret', $4, $5, $6, $7::jsonb, $8, $9)""",
        made.id, merchant_id, test, name, made.key, _hashed(made.secret), json.dumps(kept), clock.now(), expires_at,
    )  # fmt: skip
    return made


async def rotate(
    key_id: UUID, merchant_id: UUID, *, overlap: timedelta, by: str = "the merchant", ip: str = ""
) -> Issued:
    """A new key in the place of one in use, which goes on working for ``overlap``. Raises ApiKeyNotFound and BadKey."""
    if not timedelta() <= overlap <= LONGEST_OVERLAP:
        raise BadKey(
            _("The old key can keep working for at most %(days)s days.", days=LONGEST_OVERLAP.days), field="overlap"
        )
    now = clock.now()
    async with db.transaction():
        await _lock(merchant_id)
        old = await db.fetch_one_as(
            KeptKey,
            f"SELECT * FROM api_key WHERE id = $2 AND merchant_id = $3 AND kind = 'secret' AND {_IN_USE} FOR UPDATE",  # noqa: S608
            now, key_id, merchant_id,
        )  # fmt: skip
        if old is None:
            raise ApiKeyNotFound("It may have been revoked or have expired. Create a new one.")
        lives = now + (old.expires_at - old.created_at) if old.expires_at else None
        made = await _insert(merchant_id, old.test, old.name, old.scopes, lives)
        await db.fetch("UPDATE api_key SET expires_at = least(expires_at, $2) WHERE id = $1", key_id, now + overlap)
        await _write("api_key.rotated", merchant_id, f"{old.key} to {made.key}", by, ip)
    return made


async def revoke(key_id: UUID, merchant_id: UUID, *, by: str = "the merchant", ip: str = "") -> None:
    """End a key of either kind, now and everywhere; one that is revoked stays so. Raises ApiKeyNotFound."""
    async with db.transaction():
        row = await db.fetch_one_as(
            KeptKey, "SELECT * FROM api_key WHERE id = $1 AND merchant_id = $2 FOR UPDATE", key_id, merchant_id
        )
        if row is None:
            raise ApiKeyNotFound("The API keys page lists your keys.")
        if row.revoked_at is None:
            await db.fetch("UPDATE api_key SET revoked_at = $2 WHERE id = $1", key_id, clock.now())
            await _write("api_key.revoked", merchant_id, row.key, by, ip)


async def publishable(merchant_id: UUID, *, test: bool) -> str:
    """The key that may stand in the merchant's pages: it opens the checkout of a known order, and nothing else."""
    key: str | None = await db.fetch_value(_PUBLISHABLE, merchant_id, test)
    if key is not None:
        return key
    async with db.transaction():
        await _lock(merchant_id)
        key = await db.fetch_value(_PUBLISHABLE, merchant_id, test)
        return key or await _insert_publishable(merchant_id, test)


_PUBLISHABLE = """SELECT key FROM api_key WHERE merchant_id = $1 AND test = $2 AND kind = 'publishable'
  AND revoked_at IS NULL AND expires_at IS NULL"""  # one that is to end was rotated, and has a successor


async def _insert_publishable(merchant_id: UUID, test: bool) -> str:
    key = f"pk_{'test' if test else 'live'}_{secrets.token_urlsafe(18)}"
    await db.fetch(
        """INSERT INTO api_key (id, merchant_id, test, kind, name, key, created_at)
           VALUES ($1, $2, $3, 'publishable', 'publishable', $4, $5)""",
        new_id(), merchant_id, test, key, clock.now(),
    )  # fmt: skip
    return key


async def rotate_publishable(
    merchant_id: UUID, *, test: bool, overlap: timedelta, by: str = "the merchant", ip: str = ""
) -> str:
    """A new publishable key; pages with the old one go on for ``overlap``, with none not at all. Raises BadKey."""
    if not timedelta() <= overlap <= LONGEST_OVERLAP:
        raise BadKey(
            _("The old key can keep working for at most %(days)s days.", days=LONGEST_OVERLAP.days), field="publishable"
        )
    old, now = await publishable(merchant_id, test=test), clock.now()
    async with db.transaction():
        await _lock(merchant_id)
        ended = await db.fetch_values(
            """UPDATE api_key SET expires_at = $3, revoked_at = CASE WHEN $4 THEN $5::timestamptz END
               WHERE merchant_id = $1 AND test = $2 AND kind = 'publishable' AND revoked_at IS NULL
                 AND (expires_at IS NULL OR $4) RETURNING key""",
            merchant_id, test, now + overlap, not overlap, now,
        )  # fmt: skip
        made = await _insert_publishable(merchant_id, test)
        said = ", ".join(sorted(ended)) or old
        await _write("api_key.rotated", merchant_id, f"{said} to {made}", by, ip)
    return made


async def authenticate(key: str, secret: str) -> Caller:
    """Who holds this key and its secret. Raises InvalidApiKey, the same for an unknown, wrong, revoked or expired one.

    The table is asked each time, so nothing has to be told to other processes when a key ends.
    """
    now = clock.now()
    row = await db.fetch_one_as(
        KnownKey,
        """SELECT k.id, k.merchant_id, k.test, k.secret_hash, k.scopes, k.last_used_at,
             (k.kind = 'secret' AND k.revoked_at IS NULL AND m.closed_at IS NULL
              AND (k.expires_at IS NULL OR k.expires_at > $2)) AS good
           FROM api_key k JOIN merchant m ON m.id = k.merchant_id WHERE k.key = $1""",
        key.replace("\x00", "")[:64], now,
    )  # fmt: skip
    known = (row and row.secret_hash) or _NOBODY
    if not hmac.compare_digest(_hashed(secret), known) or row is None or not row.good:
        raise InvalidApiKey(
            "Send a key in X-Api-Key and its secret in X-Api-Secret; you create both on the API keys page."
        )
    if row.last_used_at is None or now - row.last_used_at >= USE_NOTED:
        await _note_use(row.id, now)
    return Caller(row.merchant_id, row.test, row.id, frozenset(row.scopes))


async def _note_use(key_id: UUID, now: datetime) -> None:
    """Whoever comes in the same moment does not wait for the row: one of them is enough."""
    await db.fetch(
        """UPDATE api_key SET last_used_at = $2 WHERE id =
             (SELECT id FROM api_key WHERE id = $1 AND (last_used_at IS NULL OR last_used_at <= $3)
              FOR NO KEY UPDATE SKIP LOCKED)""",
        key_id, now, now - USE_NOTED,
    )  # fmt: skip


def _hashed(secret: str) -> bytes:
    """Secrets are 256 random bits, so a plain digest can't be searched for."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


async def _lock(merchant_id: UUID) -> None:
    """One change of a merchant's keys at a time. Raises ApiKeyNotFound where there is no such merchant any more."""
    sql = "SELECT id FROM merchant WHERE id = $1 AND closed_at IS NULL FOR NO KEY UPDATE"
    if await db.fetch_value(sql, merchant_id) is None:
        raise ApiKeyNotFound("This merchant is closed.")


async def _write(action: str, merchant_id: UUID, what: str, by: str, ip: str) -> None:
    await audit.write(action, actor=by, ip=ip, details=f"merchant {merchant_id}: {what}")
