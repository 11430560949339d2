"""Rate limits: fixed windows counted in Redis. With Redis away each process counts for itself."""

import time
from dataclasses import dataclass
from functools import lru_cache

import redis.asyncio
from redis.exceptions import RedisError

from app.core import log
from app.core.errors import TooMany
from app.core.i18n import _
from app.core.redis import async_client

WINDOW = 60  # seconds
BLOCKS = 100  # a limit is drawn in so many blocks, so that a generous one does not cost a round trip each time
MOST_PREFETCHED = 1000
MOST_ALONE = 10_000  # callers that a process counts while Redis is away
AWAY = 5.0  # seconds after a failure in which Redis is not asked: each question may take its whole timeout

_prefetched: dict[
    str, tuple[int, int]
] = {}  # by window: what this process has drawn and not used, and what is left beyond
_alone: dict[str, int] = {}  # by window: uses that this process counted without Redis
_away_until = 0.0


class TooManyAttempts(TooMany):
    title = "Too many requests"


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of a bucket: ``remaining`` of ``limit`` uses, as far as we know, for the next ``seconds``."""

    limit: int
    remaining: int
    seconds: int


@lru_cache(maxsize=1)
def _client() -> redis.asyncio.Redis:
    return async_client()


async def acquire(bucket: str, who: str, per_minute: int) -> None:
    """Count one use of ``bucket`` (such as ``orders``) by ``who`` (an address or an email's hash).

    Raises TooManyAttempts, with the seconds until the window ends, once ``per_minute`` is passed.
    """
    await try_acquire(bucket, who, per_minute)


async def try_acquire(bucket: str, who: str, per_minute: int) -> Left:
    """Like ``spend``, and tells what is left. Raises TooManyAttempts."""
    now = time.time()
    name, wait = f"limit:{bucket}:{who}:{int(now // WINDOW)}", WINDOW - int(now % WINDOW)
    drawn, beyond = _prefetched.get(name, (0, 0))
    if drawn > 0:
        _prefetched[name] = drawn - 1, beyond
        return Left(per_minute, drawn - 1 + beyond, wait)
    block = max(1, per_minute // BLOCKS)
    used = await _add(name, block, WINDOW)
    if used is None:
        block, used = 1, _add_alone(name)
    if used - block >= per_minute:
        raise TooManyAttempts(_("Please wait %(wait)s seconds and try again.", wait=wait), retry_after=wait)
    fresh, beyond = min(used, per_minute) - (used - block) - 1, max(per_minute - used, 0)
    if block > 1:
        _keep(name, fresh, beyond)
    return Left(per_minute, fresh + beyond, wait)


async def count(bucket: str, who: str, seconds: int) -> int:
    """Count one use of ``bucket`` by ``who``. Uses so far in this window of ``seconds``, with this one."""
    name = f"count:{bucket}:{who}:{int(time.time() // seconds)}"
    used = await _add(name, 1, seconds)
    return _add_alone(name) if used is None else used


async def _add(name: str, uses: int, seconds: int) -> int | None:
    """Add to a window's count in Redis; None while it is away."""
    global _away_until
    if time.monotonic() < _away_until:
        return None
    try:
        used = int(await _client().incrby(name, uses))
        if used == uses:
            await _client().expire(name, seconds * 2)
    except (RedisError, OSError) as error:
        _away_until = time.monotonic() + AWAY
        log.get("bitloot.limits").warning("limits.alone", why=type(error).__name__)
        return None
    return used


def _add_alone(name: str) -> int:
    if len(_alone) >= MOST_ALONE:
        _alone.clear()
    _alone[name] = _alone.get(name, 0) + 1
    return _alone[name]


def start_anew() -> None:
    """Forget what this process has drawn and counted for itself, and ask Redis again."""
    global _away_until
    _prefetched.clear()
    _alone.clear()
    _away_until = 0.0


def _keep(name: str, uses: int, beyond: int) -> None:
    if len(_prefetched) >= MOST_PREFETCHED:
        _prefetched.clear()  # windows that have passed; whoever is in this one draws again
    _prefetched[name] = _prefetched.get(name, (0, 0))[0] + uses, beyond
