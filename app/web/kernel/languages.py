"""In which language a request is answered: the cookie's, else what the browser asks for."""

from typing import Any

from litestar import Request

from app.core import i18n

COOKIE = "language"


def language_of(request: Request[Any, Any, Any]) -> str:
    return i18n.choose(request.cookies.get(COOKIE, ""), request.headers.get("accept-language", ""))
