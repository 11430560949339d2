"""Turning answers into pages, partials or JSON. The same handlers serve all three."""

import json
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Request, Response
from litestar.utils.scope.state import ScopeState

from app.core import clock
from app.core.files import shipped
from app.core.money import Money, plain
from app.core.settings import settings
from app.forms.service import new_key
from app.web.kernel import static_files
from app.web.kernel.viewer import HOLDER, STRANGER

Req = Request[Any, Any, Any]


@lru_cache(maxsize=1)
def templates() -> Environment:
    made = Environment(
        loader=FileSystemLoader(shipped("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=not settings().production,
        cache_size=200,
    )
    made.globals.update(
        static=static_files.address, absolute=absolute, shop_name=settings().shop_name, form_key=new_key
    )
    made.filters.update(money=str, ago=ago, iso=iso, stamp=stamp, duration=duration, plain=plain, actor=actor)
    return made


def absolute(path: str) -> str:
    """The public address of one of our paths, for those who read it elsewhere."""
    return f"{settings().frontend_url.rstrip('/')}{path}"


def ago(when: datetime) -> str:
    """``3 min ago``; for times ahead, ``in 3 min``."""
    seconds = int((clock.now() - when).total_seconds())
    size, unit = next(
        (abs(seconds) // s, u)
        for s, u in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
        if abs(seconds) >= s or s == 1
    )
    if seconds < 0:
        return f"in {size} {unit}"
    return f"{size} {unit} ago" if size else "just now"


def iso(when: datetime) -> str:
    """RFC 3339, UTC, to the millisecond."""
    return when.strftime("%Y-%m-%dT%H:%M:%S.") + f"{when.microsecond // 1000:03d}Z"


def stamp(when: datetime) -> str:
    return f"{when:%d %b %Y, %H:%M} UTC".lstrip("0")


def duration(seconds: int) -> str:
    """``14:32``, or ``1:05:00`` from an hour on."""
    minutes, rest = divmod(max(int(seconds), 0), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def actor(name: str) -> str:
    """Who did something, from the audit log, as staff read it."""
    return {HOLDER: "Customer, by the order’s link", STRANGER: "Someone else"}.get(name, name[:1].upper() + name[1:])


def wants_json(request: Req) -> bool:
    """Whether the caller asked for JSON; a browser, and anyone without a preference, gets a page."""
    accept = request.headers.get("accept", "")
    return "application/json" in accept and "text/html" not in accept


def sent_json(request: Req) -> bool:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json"


def by_htmx(request: Req) -> bool:
    return request.headers.get("hx-request") == "true"


def page(
    request: Req,
    template: str,
    context: Mapping[str, Any] | None = None,
    *,
    partial: str | None = None,
    status: int = 200,
) -> Response[bytes]:
    """A page; or, for a request by htmx, its ``partial``. Never cached: it may show what is somebody's own."""
    name = partial if partial and by_htmx(request) else template
    return html(fragment(request, name, context or {}), status=status)


def html(text: str, *, status: int = 200) -> Response[bytes]:
    return Response(
        text.encode(),
        media_type="text/html",
        status_code=status,
        headers={"cache-control": "no-store", "vary": "HX-Request, Accept, Cookie"},
    )


def fragment(request: Req, template: str, context: Mapping[str, Any]) -> str:
    """A template as text."""
    return templates().get_template(template).render({**_ambient(request), **context})


def _ambient(request: Req) -> dict[str, object]:
    """What every template sees: who looks, the cart's size, the token for forms."""
    token = ScopeState.from_scope(request.scope).csrf_token
    return {
        "csrf_token": token if isinstance(token, str) else "",
        "path": request.url.path,
        "viewer": request.state.viewer,
        "cart_count": request.state.cart_count,
    }


def answer(
    data: Mapping[str, Any] | msgspec.Struct, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response[bytes]:
    """A JSON answer in camelCase; money and times are given their shapes of the design."""
    body = json.dumps(data, default=_shape, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(
        body,
        media_type="application/json",
        status_code=status,
        headers={"cache-control": "no-store", **(headers or {})},
    )


def _shape(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        return msgspec.structs.asdict(value)
    if isinstance(value, Money):
        return value.as_json()
    if isinstance(value, datetime):
        return iso(value)
    return str(value)


def see_other(to: str) -> Response[bytes]:
    """A redirect after a POST (RFC 9110, 15.4.4)."""
    return Response(b"", status_code=303, headers={"location": to, "cache-control": "no-store"})
