"""What every route of the API asks first: whose key, within which limit, for which scope."""

from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from app.core import rate_limit
from app.core.client_address import limit_key
from app.core.errors import Forbidden, TooMany, Unauthorized
from app.core.i18n import _
from app.core.rate_limit import Left, TooManyAttempts
from app.core.settings import settings
from app.merchants import api_keys
from app.merchants.api_keys import Caller
from app.web.api import declared
from app.web.kernel.viewer import client_ip

Req = Request[Any, Any, Any]
Connection = ASGIConnection[Any, Any, Any, Any]
_OPEN = "open"
OPEN = {_OPEN: True}  # the opt of a route that tells nothing of anybody: it asks for no key


class ApiKeyMissing(Unauthorized):
    title = "This needs an API key"


class ScopeMissing(Forbidden):
    title = "This key may not do that"


class RateLimited(TooMany):
    title = "This key is used too often"


async def by_key(connection: Connection, handler: BaseRouteHandler) -> None:
    """The guard of all routes: whose key it is, whether within its limit, and whether it has the declared scope.

    Raises ApiKeyMissing, InvalidApiKey, RateLimited or ScopeMissing.
    """
    if handler.opt.get(_OPEN):
        return
    key, secret = connection.headers.get("x-api-key", ""), connection.headers.get("x-api-secret", "")
    if not key or not secret:
        raise ApiKeyMissing(
            "Send a key in X-Api-Key and its secret in X-Api-Secret; you create both on the API keys page."
        )
    try:
        found = await api_keys.authenticate(key, secret)
    except api_keys.InvalidApiKey:
        await _spend(connection, "api_strangers", limit_key(client_ip(connection)))
        raise
    connection.state.limit = await _spend(connection, "api", found.key_id.hex)
    if (scope := declared.of(handler).scope) not in found.scopes:
        raise ScopeMissing(_("It lacks the scope %(scope)s. Use another key, or create one that has it.", scope=scope))
    connection.state.caller = found


def caller(request: Req) -> Caller:
    """Whose key it is; the guard found out."""
    found: Caller = request.state.caller
    return found


async def _spend(connection: Connection, bucket: str, who: str) -> Left:
    most = settings().limit_api
    try:
        return await rate_limit.try_acquire(bucket, who, most)
    except TooManyAttempts as full:
        connection.state.limit = Left(most, 0, full.retry_after)
        raise RateLimited(full.detail, retry_after=full.retry_after) from None
