"""Answers of the API: objects, and errors as problem details (RFC 9457) with a stable code and a link to its page."""

from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import Request, Response

from app.contract.problem import ProblemDetails
from app.core.errors import Problem, TooMany
from app.core.rate_limit import WINDOW, Left
from app.core.settings import settings
from app.web.api import error_codes
from app.web.api.error_codes import CATALOG, PLAIN

PREFIX = "/api/v1/"
PROBLEM = "application/problem+json"

Req = Request[Any, Any, Any]


def encoded(data: msgspec.Struct) -> bytes:
    return msgspec.json.encode(data)


def respond(request: Req, status: int, body: bytes, **headers: str) -> Response[bytes]:
    """An answer with the headers that each has; ``headers`` with underscores for hyphens."""
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(
        body,
        status_code=status,
        media_type="application/json" if status < 400 else PROBLEM,
        headers={"cache-control": "no-store", **limited(request), **more},
    )


def answer(request: Req, data: msgspec.Struct, status: int = 200) -> Response[bytes]:
    return respond(request, status, encoded(data))


def described(error: Problem) -> bytes:
    """A refusal's body."""
    return _problem(error_codes.status_of(error), error.code, error.title, error.detail, error.field)


def refuse(request: Req, error: Problem) -> Response[bytes]:
    """A refusal, with what its kind says in headers."""
    more = {}
    if isinstance(error, TooMany) or hasattr(error, "retry_after"):
        more["retry_after"] = str(error.retry_after)
    if error.status == 401:
        more["www_authenticate"] = 'ApiKey realm="BitLoot"'
    return respond(request, error_codes.status_of(error), described(error), **more)


def broken(request: Req, status: int, headers: Mapping[str, str]) -> Response[bytes]:
    """What no class of ours names: an unknown route, a method, our own fault."""
    code = PLAIN.get(status) or PLAIN[400 if status < 500 else 500]
    title, detail = CATALOG[code].title, CATALOG[code].do
    more = {"allow": headers["allow"]} if "allow" in headers else {}
    return respond(request, status, _problem(status, code, title, detail, None), **more)


def _problem(status: int, code: str, title: str, detail: str, field: str | None) -> bytes:
    link = f"{settings().frontend_url}/docs/errors/{code}"
    said = ProblemDetails(type=link, title=title, status=status, detail=detail, code=code, field=field or msgspec.UNSET)
    return encoded(said)


def limited(request: Req) -> dict[str, str]:
    """The headers of the key's rate limit (draft-ietf-httpapi-ratelimit-headers-10), once the key is known."""
    left: Left | None = getattr(request.state, "limit", None)
    if left is None:
        return {}
    return {
        "ratelimit-policy": f'"key";q={left.limit};w={WINDOW}',
        "ratelimit": f'"key";r={left.remaining};t={left.seconds}',
    }
