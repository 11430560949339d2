"""Requests that may be sent again: what the first was answered is kept with its effect, in one transaction.

So a repeat finds both or neither, whatever died in between; Redis has no part in it. Of refusals only final ones are
kept: one that hangs on a state that may change is asked about anew, by the same key.
"""

import contextlib
import hashlib
import hmac
import os
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.core import clock, db
from app.core.crypto import IV_BYTES, bound, derive
from app.core.errors import Conflict, Invalid, Problem
from app.core.settings import settings
from app.merchants.models import KeptReply, Turn

KEPT = timedelta(hours=24)
AT_ONCE = 5000  # old answers a batch of ``forget``
_KEY = re.compile(r"[!-~]{1,255}")  # what a header holds without quoting

Effect = Callable[[], Awaitable[tuple[int, bytes]]]
"""What a request does, answering with its status and body. A Problem it raises undoes it and is the answer."""


class IdempotencyKeyUnusable(Invalid):
    title = "That Idempotency-Key can't be used"


class IdempotencyKeyReused(Problem):
    status = 422
    title = "That Idempotency-Key was used for another request"


class RequestInProgress(Conflict):
    """The first request with this key is still being worked on. ``retry_after`` in seconds."""

    title = "That request is being processed"
    retry_after = 1


class AnswerUnreadable(Conflict):
    title = "The first answer can't be read any more"


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: bytes
    replayed: bool = False


def check(key: str) -> str:
    """The key, if it can be one. Raises IdempotencyKeyUnusable."""
    if not _KEY.fullmatch(key):
        raise IdempotencyKeyUnusable(
            "Use 1 to 255 visible ASCII characters, such as a random UUID.", field="Idempotency-Key"
        )
    return key


class _Refused(Exception):
    """The effect was refused for good: its transaction is undone, the refusal is the answer."""

    def __init__(self, reply: Reply) -> None:
        super().__init__()
        self.reply = reply


class _Overtaken(Exception):
    """The first request's answer was committed between our look and our own: ours is undone."""


@dataclass(frozen=True, slots=True)
class _Request:
    """``name``: the answer's id. ``asked``: the fingerprint of what was sent. ``key``: as its sender wrote it."""

    merchant_id: UUID
    name: str
    asked: str
    key: str


async def once(
    merchant_id: UUID, *, test: bool, key: str, asked: bytes, effect: Effect, refused: Callable[[Problem], Reply | None]
) -> Reply:
    """Do ``effect``, or answer as the first time if the same was ``asked`` with this key within KEPT.

    ``refused`` gives the answer to keep for a refusal that is final. Where it gives None the refusal is raised and
    nothing is kept, so the same request may take effect later.
    Raises RequestInProgress while the first is under way, and IdempotencyKeyReused when something else is asked.
    """
    name = hashlib.sha256(bound(merchant_id.bytes, b"test" if test else b"live", check(key).encode())).hexdigest()
    print_ = hmac.digest(_secret("bitloot requests"), asked, hashlib.sha256).hex()
    request = _Request(merchant_id, name, print_, key)
    try:
        return await _first(request, effect, refused)
    except _Refused as undone:
        with contextlib.suppress(_Overtaken):
            await _keep(request, undone.reply)
            return undone.reply
    except _Overtaken:
        pass
    return await _again(request)


async def _first(request: _Request, effect: Effect, refused: Callable[[Problem], Reply | None]) -> Reply:
    """The effect and its answer in one transaction; or the answer that is there."""
    async with db.transaction():
        turn = await db.fetch_one_as(
            Turn,
            """SELECT pg_try_advisory_xact_lock($1) AS ours, a.request_hash, a.status, a.body
               FROM (SELECT) AS nothing LEFT JOIN idempotency_record a ON a.id = $2 AND a.created_at > $3""",
            _number(request.name), request.name, clock.now() - KEPT,
        )  # fmt: skip
        assert turn is not None
        if not turn.ours:
            raise RequestInProgress("The first request with this key is not answered yet. Send it again in a second.")
        if turn.reply is not None:
            return _replay(request, turn.reply)
        try:
            reply = Reply(*await effect())
        except Problem as problem:
            final = refused(problem)
            if final is None:
                raise
            raise _Refused(final) from None
        await _keep(request, reply)
    return reply


async def _keep(request: _Request, reply: Reply) -> None:
    """Raises _Overtaken where an answer stands already: who held the lock before us may have committed since our look,
    which saw what stood before the lock was ours."""
    now = clock.now()
    kept = await db.fetch_value(
        """INSERT INTO idempotency_record (id, merchant_id, request_hash, status, body, created_at)
           VALUES ($1, $2, $3, $4, $5, $6)
           ON CONFLICT (id) DO UPDATE SET request_hash = excluded.request_hash, status = excluded.status,
             body = excluded.body, created_at = excluded.created_at
           WHERE idempotency_record.created_at <= $7 RETURNING id""",
        request.name, request.merchant_id, request.asked, reply.status, _sealed(reply.body, request), now, now - KEPT,
    )  # fmt: skip
    if kept is None:
        raise _Overtaken


async def _again(request: _Request) -> Reply:
    row = await db.fetch_one_as(
        KeptReply, "SELECT request_hash, status, body FROM idempotency_record WHERE id = $1", request.name
    )
    if row is None:
        raise RequestInProgress("Send it again in a second.")
    return _replay(request, row)


def _replay(request: _Request, row: KeptReply) -> Reply:
    if not hmac.compare_digest(row.request_hash, request.asked):
        raise IdempotencyKeyReused("Send the same request as the first time, or use a new key.")
    return Reply(row.status, _opened(row.body, request), replayed=True)


def _number(name: str) -> int:
    """The advisory lock of an answer. Two that share one by chance wait for each other, once in 2^64."""
    return int.from_bytes(bytes.fromhex(name[:16]), "big", signed=True)


@lru_cache(maxsize=4)
def _secret(purpose: str) -> bytes:
    return derive(settings().jwt_secret.get_secret_value(), purpose)


def _cipher(key: str) -> AESGCM:
    """An answer may hold a secret that is shown once. It opens for who has the request's key, with our help only."""
    return AESGCM(hmac.digest(_secret("bitloot answers"), key.encode(), hashlib.sha256))


def _sealed(body: bytes, request: _Request) -> bytes:
    iv = os.urandom(IV_BYTES)
    return iv + _cipher(request.key).encrypt(iv, body, request.name.encode())


def _opened(blob: bytes, request: _Request) -> bytes:
    try:
        return _cipher(request.key).decrypt(blob[:IV_BYTES], blob[IV_BYTES:], request.name.encode())
    except InvalidTag:
        # JWT_SECRET was changed since. The request took effect, so it is not done once more.
        raise AnswerUnreadable("The request took effect. Find the result in the list.") from None


async def forget() -> int:
    """Delete a batch of answers older than KEPT; a repeat after that is a new request. Returns how many."""
    rows = await db.fetch(
        """DELETE FROM idempotency_record WHERE id = ANY(ARRAY(
             SELECT id FROM idempotency_record WHERE created_at < $1 LIMIT $2)) RETURNING id""",
        clock.now() - KEPT, AT_ONCE,
    )  # fmt: skip
    return len(rows)
