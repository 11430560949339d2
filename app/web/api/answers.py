"""Answers of the API: objects, and errors as problem details (RFC 9457) with a stable code and a link to its page."""

from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from app.contract.problem import ProblemDetails
from app.core.errors import Problem, TooMany
from app.core.i18n import _
from app.core.rate_limit import WINDOW, Left
from app.core.settings import settings
from app.web.api import error_codes
from app.web.api.error_codes import CATALOG, PLAIN

PREFIX = "/api/v1/"
PROBLEM = "application/problem+json"

Req = Request[Any, Any, Any]


def encoded(data: msgspec.Struct) -> bytes:
    return msgspec.json.encode(data)


class AnswerHeaders(ASGIMiddleware):
    """What each answer has in its headers: it is kept by nobody, and says what is left of the key's limit.

    A path that is none of ours never comes here: ``_refusal`` says the same of it.
    """

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start" and scope["method"] != "OPTIONS":  # type: ignore[typeddict-item]
                ours = {name.encode(): value.encode() for name, value in _shared(scope["state"].get("limit")).items()}
                others = [pair for pair in message.get("headers", []) if pair[0].lower() not in ours]
                message["headers"] = [*others, *ours.items()]
            await send(message)

        await next_app(scope, receive, with_headers)


def described(error: Problem) -> bytes:
    """A refusal's body."""
    return _problem(error_codes.status_of(error), error.code, _(error.title), _(error.detail), error.field)


def refuse(request: Req, error: Problem) -> Response[bytes]:
    """A refusal, with what its kind says in headers."""
    more = {}
    if isinstance(error, TooMany) or hasattr(error, "retry_after"):
        more["retry_after"] = str(error.retry_after)
    if error.status == 401:
        more["www_authenticate"] = 'ApiKey realm="BitLoot"'
    return _refusal(request, error_codes.status_of(error), described(error), **more)


def broken(request: Req, status: int, headers: Mapping[str, str]) -> Response[bytes]:
    """What no class of ours names: an unknown route, a method, our own fault."""
    code = PLAIN.get(status) or PLAIN[400 if status < 500 else 500]
    title, detail = CATALOG[code].title, CATALOG[code].do
    # Litestar names them in any order.
    more = {"allow": ", ".join(sorted(headers["allow"].split(", ")))} if "allow" in headers else {}
    return _refusal(request, status, _problem(status, code, _(title), _(detail), None), **more)


def _refusal(request: Req, status: int, body: bytes, **headers: str) -> Response[bytes]:
    """``headers``: with underscores for hyphens."""
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    left: Left | None = getattr(request.state, "limit", None)
    return Response(body, status_code=status, media_type=PROBLEM, headers=_shared(left) | more)


def _problem(status: int, code: str, title: str, detail: str, field: str | None) -> bytes:
    link = f"{settings().frontend_url}/docs/errors/{code}"
    said = ProblemDetails(type=link, title=title, status=status, detail=detail, code=code, field=field or msgspec.UNSET)
    return encoded(said)


def _shared(left: Left | None) -> dict[str, str]:
    """``left``: of the key's rate limit (draft-ietf-httpapi-ratelimit-headers-10), once the key is known."""
    kept = {"cache-control": "no-store"}
    if left is None:
        return kept
    return kept | {
        "ratelimit-policy": f'"key";q={left.limit};w={WINDOW}',
        "ratelimit": f'"key";r={left.remaining};t={left.seconds}',
    }
