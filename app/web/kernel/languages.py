"""In which language a request is answered: the cookie's, else what the browser asks for."""

from typing import Any

from litestar import Request

from app.core import i18n

COOKIE = "language"


def language_of(request: Request[Any, Any, Any]) -> str:
    kept, accepted = request.cookies.get(COOKIE, ""), request.headers.get("accept-language", "")
    return i18n.choose(kept[: i18n.LONGEST_NAME], accepted[: i18n.LONGEST_ACCEPTED])
