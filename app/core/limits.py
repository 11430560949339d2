"""Rate limits: fixed one-minute windows counted in Redis. With Redis away nobody is turned away."""

import time
from functools import lru_cache

import redis.asyncio
from redis.exceptions import RedisError

from app.core import log
from app.core.errors import TooMany
from app.core.redis import async_client

WINDOW = 60  # seconds


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
    try:
        used = await _client().incr(name)
        if used == 1:
            await _client().expire(name, WINDOW * 2)
    except (RedisError, OSError) as error:
        log.get("bitloot.limits").warning("limits.off", why=type(error).__name__)
        return
    if used > per_minute:
        wait = WINDOW - int(now % WINDOW)
        raise TooManyAttempts(f"Please wait {wait} seconds and try again.", retry_after=wait)
