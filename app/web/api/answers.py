"""Answers of the API: objects, and errors as problem details (RFC 9457) with a stable code and a link to its page."""

from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import Request, Response

from app.core.errors import Problem, TooMany
from app.core.limits import WINDOW, Left
from app.core.settings import settings

PREFIX = "/api/v1/"
PROBLEM = "application/problem+json"
CODES = {  # of errors that have no class of ours
    400: ("bad_request", "That request can't be used", "Check the request against the reference."),
    404: ("route_not_found", "No such route", "Check the path against the reference."),
    405: ("method_not_allowed", "That method is not known here", "The Allow header lists those that are."),
    413: ("body_too_large", "That is too large", "Send at most 64 kB."),
    500: ("internal_error", "Something went wrong on our side", "Send it again, with the same Idempotency-Key."),
    503: ("unavailable", "We can't answer just now", "Send it again in a minute, with the same Idempotency-Key."),
}

Asked = Request[Any, Any, Any]


def encoded(data: Mapping[str, Any]) -> bytes:
    return msgspec.json.encode(data)


def respond(request: Asked, status: int, body: bytes, **headers: str) -> Response[bytes]:
    """An answer with the headers that each has; ``headers`` with underscores for hyphens."""
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(
        body,
        status_code=status,
        media_type="application/json" if status < 400 else PROBLEM,
        headers={"cache-control": "no-store", **limited(request), **more},
    )


def answer(request: Asked, data: Mapping[str, Any], status: int = 200) -> Response[bytes]:
    return respond(request, status, encoded(data))


def described(error: Problem) -> bytes:
    """A refusal's body."""
    return _problem(error.status, error.code, error.title, error.detail, error.field)


def refuse(request: Asked, error: Problem) -> Response[bytes]:
    """A refusal, with what its kind says in headers."""
    more = {}
    if isinstance(error, TooMany) or hasattr(error, "retry_after"):
        more["retry_after"] = str(error.retry_after)
    if error.status == 401:
        more["www_authenticate"] = 'ApiKey realm="BitLoot"'
    return respond(request, error.status, described(error), **more)


def broken(request: Asked, status: int, headers: Mapping[str, str]) -> Response[bytes]:
    """What no class of ours names: an unknown route, a method, our own fault."""
    code, title, detail = CODES.get(status) or (CODES[400] if status < 500 else CODES[500])
    more = {"allow": headers["allow"]} if "allow" in headers else {}
    return respond(request, status, _problem(status, code, title, detail, None), **more)


def _problem(status: int, code: str, title: str, detail: str, field: str | None) -> bytes:
    link = f"{settings().frontend_url}/docs/errors/{code}"
    said = {"type": link, "title": title, "status": status, "detail": detail, "code": code}
    return encoded(said | ({"field": field} if field else {}))


def limited(request: Asked) -> dict[str, str]:
    """The headers of the key's rate limit (draft-ietf-httpapi-ratelimit-headers-10), once the key is known."""
    left: Left | None = getattr(request.state, "limit", None)
    if left is None:
        return {}
    return {
        "ratelimit-policy": f'"key";q={left.limit};w={WINDOW}',
        "ratelimit": f'"key";r={left.remaining};t={left.seconds}',
    }
