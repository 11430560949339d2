"""Submissions of forms: the first claims its form's key and takes effect, each further one gets the first's answer.

A browser that sends a form twice shows the answer to the second request only, so that answer needs all that the first
one had: where to go, and the cookies it set.
"""

import asyncio
import hashlib
import hmac
import os
import secrets
import zlib
from collections.abc import Iterable
from datetime import datetime

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.core import db
from app.core.crypto import IV_BYTES, bound, derive
from app.core.settings import settings

FRESH = 120  # seconds in which a repeat gets the first answer whole; after that cookies could undo a later sign-out
KEPT = 24  # hours for which a repeat is known as one
PATIENCE = 10.0  # seconds that a repeat waits for the first one's answer
LOOK = 0.05  # seconds between its looks
LARGEST = 512 * 1024  # bytes of an answer's body that are kept
AT_ONCE = 5000  # submissions a batch of ``forget``


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """What a submission was answered; ``headers`` as they went out. ``caller``: who was answered, as a digest."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    caller: str = ""


class Pending(msgspec.Struct, frozen=True):
    """The first submission has no answer, now or for ever: it may have taken effect or not."""


class Lost(msgspec.Struct, frozen=True):
    """The first submission took effect, and its answer can't be given again."""


class Stale(msgspec.Struct, frozen=True):
    """The first submission was answered long ago, or its answer was another caller's."""

    answer: Answer


class _Submission(msgspec.Struct, frozen=True):
    """What a submission was answered, sealed, and whether that is recent enough to be given again."""

    answer: bytes | None
    answered_at: datetime | None
    fresh: bool | None


def new_key() -> str:
    """A key for a form that is about to be rendered: who has it, has the page it stands in."""
    return secrets.token_urlsafe(18)


def submission_id(key: str, path: str, fields: Iterable[tuple[str, str]]) -> str:
    """The same for the same form with the same content. A form that was changed and sent again is another one."""
    parts = [part.encode() for name, value in sorted(fields) for part in (name, value)]
    return hashlib.sha256(bound(b"bitloot form", key.encode(), path.encode(), *parts)).hexdigest()


async def claim(submission: str) -> bool:
    """Whether this is the first one with this id, which may then take effect."""
    first = await db.fetch_value(
        "INSERT INTO form_submission (id, claimed_at) VALUES ($1, now()) ON CONFLICT (id) DO NOTHING RETURNING id",
        submission,
    )
    return first is not None


async def release(submission: str) -> None:
    """The first one was refused or failed, and changed nothing: it may be sent again."""
    await db.fetch("DELETE FROM form_submission WHERE id = $1 AND answered_at IS NULL", submission)


async def mark_unknown(submission: str) -> None:
    """The first one ended in a fault, and may have taken effect: no repeat does, and none waits for an answer."""
    await db.fetch("UPDATE form_submission SET answered_at = now() WHERE id = $1 AND answered_at IS NULL", submission)


async def finish(submission: str, key: str, answer: Answer) -> None:
    """Keep what the first one was answered; of one whose body is above LARGEST, that it was."""
    iv = os.urandom(IV_BYTES)
    plain = zlib.compress(msgspec.msgpack.encode(answer), 6)
    sealed = iv + _cipher(key).encrypt(iv, plain, submission.encode()) if len(answer.body) <= LARGEST else b""
    await db.fetch("UPDATE form_submission SET answered_at = now(), answer = $2 WHERE id = $1", submission, sealed)


async def first_answer(
    submission: str, key: str, caller: str = "", *, patience: float = PATIENCE
) -> Answer | Stale | Lost | Pending:
    """What the first one was answered, waiting for it up to ``patience`` in seconds; whole only for the same caller."""
    loop = asyncio.get_running_loop()
    until = loop.time() + patience
    while True:
        found = await db.fetch_one_as(
            _Submission,
            """SELECT answer, answered_at, answered_at > now() - make_interval(secs => $2) AS fresh
               FROM form_submission WHERE id = $1""",
            submission, FRESH,
        )  # fmt: skip
        if found is not None and found.answer is not None:
            answer = _opened(submission, key, found.answer)
            if answer is None:
                return Lost()
            return answer if found.fresh and answer.caller == caller else Stale(answer)
        if found is None or found.answered_at is not None or loop.time() >= until:
            return Pending()
        await asyncio.sleep(LOOK)


def _cipher(key: str) -> AESGCM:
    """An answer may hold a cookie or a secret shown once: it opens for who has the form's key, with our help."""
    ours = derive(settings().jwt_secret.get_secret_value(), "bitloot form answers")
    return AESGCM(hmac.digest(ours, key.encode(), hashlib.sha256))


def _opened(submission: str, key: str, sealed: bytes) -> Answer | None:
    if not sealed:
        return None
    try:
        plain = _cipher(key).decrypt(sealed[:IV_BYTES], sealed[IV_BYTES:], submission.encode())
    except InvalidTag:
        return None  # JWT_SECRET was changed since
    return msgspec.msgpack.decode(zlib.decompress(plain), type=Answer)


async def forget() -> int:
    """Delete a batch of submissions older than KEPT. Returns how many."""
    rows = await db.fetch(
        """DELETE FROM form_submission WHERE id = ANY(ARRAY(
             SELECT id FROM form_submission WHERE claimed_at < now() - make_interval(hours => $1)
             ORDER BY claimed_at LIMIT $2)) RETURNING id""",
        KEPT, AT_ONCE,
    )  # fmt: skip
    return len(rows)
