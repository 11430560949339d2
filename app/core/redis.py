"""Where Redis is and how to talk to it. It carries messages and counters only; losing all of it loses nothing."""

from functools import lru_cache
from typing import Any

import redis
import redis.asyncio

from app.core.settings import settings

TIMEOUT = 2.0  # seconds for connecting and for each answer: a dead Redis must not hold anything up


def options(url: str) -> dict[str, Any]:
    """Connection options for ``url``.

    A Heroku-like host hands out ``rediss://`` with a self-signed certificate: the line is encrypted, its peer is not
    verified unless the URL asks for it (``?ssl_cert_reqs=required``).
    """
    found: dict[str, Any] = {"socket_timeout": TIMEOUT, "socket_connect_timeout": TIMEOUT}
    if url.startswith("rediss://") and "ssl_cert_reqs" not in url:
        found |= {"ssl_cert_reqs": "none", "ssl_check_hostname": False}
    return found


@lru_cache(maxsize=1)
def sync_client() -> redis.Redis:
    """For threads (the publisher's)."""
    url = settings().redis_url.get_secret_value()
    return redis.Redis.from_url(url, **options(url))


def async_client(*, patient: bool = False) -> redis.asyncio.Redis:
    """A client for the running loop; ``patient`` for subscriptions, which wait for ever by design."""
    url = settings().redis_url.get_secret_value()
    kwargs = options(url) | ({"socket_timeout": None} if patient else {})
    client: redis.asyncio.Redis = redis.asyncio.Redis.from_url(url, **kwargs)
    return client
