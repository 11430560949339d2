"""Rate limits: fixed one-minute windows counted in Redis. With Redis away nobody is turned away."""

import time
from functools import lru_cache

import redis.asyncio
from redis.exceptions import RedisError

from app.core import log
from app.core.errors import TooMany
from app.core.redis import async_client

WINDOW = 60  # seconds
BLOCKS = 100  # a limit is drawn in so many blocks, so that a generous one does not cost a round trip each time
MOST_DRAWN = 1000

_drawn: dict[str, int] = {}  # what this process has drawn and not used yet, by window


class TooManyAttempts(TooMany):
    title = "That was a little too often"


@lru_cache(maxsize=1)
def _client() -> redis.asyncio.Redis:
    return async_client()


async def spend(purse: str, who: str, per_minute: int) -> None:
    """Count one use of ``purse`` (such as ``orders``) by ``who`` (an address or an email's hash).

    Raises TooManyAttempts, with the seconds until the window ends, once ``per_minute`` is passed.
    """
    now = time.time()
    name = f"limit:{purse}:{who}:{int(now // WINDOW)}"
    if (drawn := _drawn.get(name, 0)) > 0:
        _drawn[name] = drawn - 1
        return
    block = max(1, per_minute // BLOCKS)
    try:
        used = await _client().incrby(name, block)
        if used == block:
            await _client().expire(name, WINDOW * 2)
    except (RedisError, OSError) as error:
        log.get("bitloot.limits").warning("limits.off", why=type(error).__name__)
        return
    if used - block >= per_minute:
        wait = WINDOW - int(now % WINDOW)
        raise TooManyAttempts(f"Please wait {wait} seconds and try again.", retry_after=wait)
    if block > 1:
        _keep(name, min(used, per_minute) - (used - block) - 1)


def _keep(name: str, uses: int) -> None:
    if len(_drawn) >= MOST_DRAWN:
        _drawn.clear()  # windows that have passed; whoever is in this one draws again
    _drawn[name] = _drawn.get(name, 0) + uses
