"""Cookies as browsers keep them. Over https each name begins with ``__Host-`` (RFC 6265bis, 4.1.3.2): no subdomain and
no page over http can set one in our place."""

from typing import Any

from litestar import Response
from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie

from app.core.settings import settings

HOST_ONLY = "__Host-"


def is_secure() -> bool:
    return settings().frontend_url.startswith("https://")


def full_name(name: str) -> str:
    """The name that the browser knows a cookie of ours by."""
    return f"{HOST_ONLY}{name}" if is_secure() else name


def read(request: ASGIConnection[Any, Any, Any, Any], name: str) -> str:
    """The cookie's value; empty where there is none."""
    return request.cookies.get(full_name(name), "")


def keep(response: Response[Any], name: str, value: str, seconds: int) -> None:
    """Set a cookie for so many seconds; 0 removes it."""
    response.set_cookie(
        Cookie(
            key=full_name(name), value=value, max_age=seconds, path="/", httponly=True, secure=is_secure(),
            samesite="lax",
        )
    )  # fmt: skip
