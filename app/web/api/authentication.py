"""What every door of the API asks first: whose key, within which limit, for which scope."""

from typing import Any

from litestar import Request

from app.core import rate_limit
from app.core.client_address import limit_key
from app.core.errors import Forbidden, TooMany, Unauthorized
from app.core.rate_limit import Left, TooManyAttempts
from app.core.settings import settings
from app.merchants import api_keys
from app.merchants.api_keys import Caller
from app.web.kernel.viewer import client_ip

Req = Request[Any, Any, Any]


class ApiKeyMissing(Unauthorized):
    title = "This needs an API key"


class ScopeMissing(Forbidden):
    title = "This key may not do that"


class RateLimited(TooMany):
    title = "This key is used too often"


async def authenticate(request: Req, scope: str) -> Caller:
    """Who asks. Raises ApiKeyMissing, InvalidApiKey, RateLimited or ScopeMissing."""
    key, secret = request.headers.get("x-api-key", ""), request.headers.get("x-api-secret", "")
    if not key or not secret:
        raise ApiKeyMissing(
            "Send a key in X-Api-Key and its secret in X-Api-Secret; you create both on the API keys page."
        )
    try:
        caller = await api_keys.authenticate(key, secret)
    except api_keys.InvalidApiKey:
        await _spend(request, "api_strangers", limit_key(client_ip(request)))
        raise
    request.state.limit = await _spend(request, "api", caller.key_id.hex)
    if scope not in caller.scopes:
        raise ScopeMissing(f"It lacks the scope {scope}. Use another key, or create one that has it.")
    return caller


async def _spend(request: Req, bucket: str, who: str) -> Left:
    most = settings().limit_api
    try:
        return await rate_limit.try_acquire(bucket, who, most)
    except TooManyAttempts as full:
        request.state.limit = Left(most, 0, full.retry_after)
        raise RateLimited(full.detail, retry_after=full.retry_after) from None
