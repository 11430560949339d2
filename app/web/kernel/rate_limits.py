"""How often a caller may use each door. Whatever changes something is limited without being told; a handler that reads
but leaves a trace says so by ``opt={"limited": True}``. Doors that are dearer also count in a bucket of their own, by
``opt=bucket("orders")``. All of it is counted before the handler runs and before its form is claimed."""

from typing import cast

from litestar.connection import ASGIConnection
from litestar.exceptions import NotFoundException
from litestar.handlers import BaseRouteHandler
from litestar.types import HTTPScope

from app.core import rate_limit
from app.core.client_address import limit_key
from app.core.settings import settings
from app.web.kernel.csrf import OWN_PROOF, SAFE
from app.web.kernel.viewer import client_ip

API = "/api/v1/"
LONGEST_NAME = 255  # bytes of a name, on every file system in use
TRACES = {"limited": True}


def is_limited(method: str, path: str, handler: BaseRouteHandler) -> bool:
    """Whether a request counts. Not counted: genuine provider notices (forged ones are counted samples), and the
    merchants' API, which counts by key."""
    if path.startswith((*OWN_PROOF, API)):
        return False
    return method not in SAFE or bool(handler.opt.get("limited"))


# Uses a minute by one caller, as settings.
BUCKETS = {
    "orders": "limit_orders",
    "payments": "limit_payments",
    "reveals": "limit_reveals",
    "links": "limit_reveals",
    "logins": "limit_logins",
    "lookups": "limit_lookups",
}


def bucket(name: str) -> dict[str, str]:
    """The ``opt`` of a handler whose uses by one caller count in the bucket of this name."""
    assert name in BUCKETS, name
    return {"bucket": name}


async def by_caller(connection: ASGIConnection, handler: BaseRouteHandler) -> None:  # type: ignore[type-arg]
    """A guard for all routes: LIMIT_WRITES a minute from one address, and the handler's bucket. Raises TooManyAttempts.

    A form's submission is counted before it is claimed; the guard passes over what was counted.
    """
    scope = cast(HTTPScope, connection.scope)  # there are no others
    if connection.state.get("counted"):
        return
    connection.state["counted"] = True
    who = limit_key(client_ip(connection))
    if is_limited(scope["method"], scope["path"], handler):
        await rate_limit.acquire("writes", who, settings().limit_writes)
    if name := handler.opt.get("bucket"):
        await rate_limit.acquire(name, who, getattr(settings(), BUCKETS[name]))


async def file_name(connection: ASGIConnection, _: BaseRouteHandler) -> None:  # type: ignore[type-arg]
    """A guard for files: what no file system can hold is not there. Raises NotFoundException."""
    parts = connection.scope["path"].split("/")
    if any("\x00" in part or len(part.encode("utf-8", "replace")) > LONGEST_NAME for part in parts):
        raise NotFoundException
