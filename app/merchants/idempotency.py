"""Requests that may be sent again: what the first was answered is kept with its effect, in one transaction.

So a repeat finds both or neither, whatever died in between; Redis has no part in it.
"""

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
from app.core.errors import Conflict, Invalid, Problem, TooMany
from app.core.settings import settings

KEPT = timedelta(hours=24)
AT_ONCE = 5000  # old answers that one tidying deletes
_KEY = re.compile(r"[!-~]{1,255}")  # what a header holds without quoting
SERVER_FAULT = 500

Effect = Callable[[], Awaitable[tuple[int, bytes]]]
"""What a request does, answering with its status and body. A Problem it raises undoes it and is the answer."""


class IdempotencyKeyUnusable(Invalid):
    title = "That Idempotency-Key can't be used"


class IdempotencyKeyReused(Problem):
    status = 422
    title = "That Idempotency-Key belongs to another request"


class RequestInProgress(Conflict):
    """The first request with this key is still being worked on. ``retry_after`` in seconds."""

    title = "That request is being worked on"
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


async def once(
    merchant_id: UUID, *, test: bool, key: str, asked: bytes, effect: Effect, refused: Callable[[Problem], bytes]
) -> Reply:
    """Do ``effect``, or answer as the first time if the same was ``asked`` with this key within KEPT.

    A refusal (4xx), spelt by ``refused``, is kept like a success; what failed on our side, or came too often, is not.
    Raises RequestInProgress while the first is under way, and IdempotencyKeyReused when something else is asked.
    """
    name = hashlib.sha256(bound(merchant_id.bytes, b"test" if test else b"live", check(key).encode())).hexdigest()
    print_ = hmac.digest(_secret("bitloot requests"), asked, hashlib.sha256).hex()
    async with db.transaction():
        # Its own statement: the next one must see what whoever held this before has committed.
        if not await db.fetch_value("SELECT pg_try_advisory_xact_lock($1)", _number(name)):
            raise RequestInProgress("The first request with this key is not answered yet. Send it again in a second.")
        kept = await db.fetch_one("SELECT asked, status, body, created_at FROM api_answer WHERE id = $1", name)
        if kept is not None and kept["created_at"] > clock.now() - KEPT:
            if not hmac.compare_digest(kept["asked"], print_):
                raise IdempotencyKeyReused("Send the same request as the first time, or another key.")
            return Reply(kept["status"], _opened(bytes(kept["body"]), name, key), replayed=True)
        reply = await _done(effect, refused)
        await db.fetch(
            """INSERT INTO api_answer (id, merchant_id, asked, status, body, created_at)
               VALUES ($1, $2, $3, $4, $5, $6)
               ON CONFLICT (id) DO UPDATE SET asked = excluded.asked, status = excluded.status, body = excluded.body,
                 created_at = excluded.created_at""",
            name, merchant_id, print_, reply.status, _sealed(reply.body, name, key), clock.now(),
        )  # fmt: skip
    return reply


async def _done(effect: Effect, refused: Callable[[Problem], bytes]) -> Reply:
    try:
        async with db.savepoint():
            return Reply(*await effect())
    except TooMany:
        raise
    except Problem as problem:
        if problem.status >= SERVER_FAULT:
            raise
        return Reply(problem.status, refused(problem))


def _number(name: str) -> int:
    """The advisory lock of an answer. Two that share one by chance wait for each other, once in 2^64."""
    return int.from_bytes(bytes.fromhex(name[:16]), "big", signed=True)


@lru_cache(maxsize=4)
def _secret(purpose: str) -> bytes:
    return derive(settings().jwt_secret.get_secret_value(), purpose)


def _cipher(key: str) -> AESGCM:
    """An answer may hold a secret that is shown once. It opens for who has the request's key, with our help only."""
    return AESGCM(hmac.digest(_secret("bitloot answers"), key.encode(), hashlib.sha256))


def _sealed(body: bytes, name: str, key: str) -> bytes:
    iv = os.urandom(IV_BYTES)
    return iv + _cipher(key).encrypt(iv, body, name.encode())


def _opened(blob: bytes, name: str, key: str) -> bytes:
    try:
        return _cipher(key).decrypt(blob[:IV_BYTES], blob[IV_BYTES:], name.encode())
    except InvalidTag:
        # JWT_SECRET was changed since. The request took effect, so it is not done once more.
        raise AnswerUnreadable("It was done. Look its outcome up in the list.") from None


async def forget() -> int:
    """Delete answers older than KEPT; a repeat after that is a new request. Returns how many."""
    rows = await db.fetch(
        "DELETE FROM api_answer WHERE id IN (SELECT id FROM api_answer WHERE created_at < $1 LIMIT $2) RETURNING id",
        clock.now() - KEPT, AT_ONCE,
    )  # fmt: skip
    return len(rows)
