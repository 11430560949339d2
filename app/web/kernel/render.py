"""Turning answers into pages, partials or JSON. The same handlers serve all three."""

import json
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec
from babel.dates import format_datetime
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Request, Response
from litestar.utils.scope.state import ScopeState

from app.core import clock, i18n
from app.core.files import shipped
from app.core.i18n import N_, _
from app.core.money import Money, plain
from app.core.settings import settings
from app.forms.service import new_key
from app.web.kernel import static_files
from app.web.kernel.state_names import spoken
from app.web.kernel.viewer import HOLDER, STRANGER

AGES = (  # seconds of the unit, how long ago, how far ahead
    (86400, N_("%(size)d d ago"), N_("in %(size)d d")),
    (3600, N_("%(size)d h ago"), N_("in %(size)d h")),
    (60, N_("%(size)d min ago"), N_("in %(size)d min")),
    (1, N_("%(size)d s ago"), N_("in %(size)d s")),
)

Req = Request[Any, Any, Any]


@lru_cache(maxsize=1)
def templates() -> Environment:
    made = Environment(
        loader=FileSystemLoader(shipped("templates")),
        autoescape=True,
        extensions=["jinja2.ext.i18n"],
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=not settings().production,
        cache_size=200,
    )
    made.globals.update(
        static=static_files.address,
        absolute=absolute,
        shop_name=settings().shop_name,
        form_key=new_key,
        page_language=i18n.language,
    )
    made.install_gettext_callables(i18n.lookup, i18n.lookup_plural, newstyle=True)  # type: ignore[attr-defined]
    made.policies["ext.i18n.trimmed"] = True
    made.filters.update(
        money=str, ago=ago, iso=iso, stamp=stamp, duration=duration, plain=plain, actor=actor, spoken=spoken
    )
    return made


def absolute(path: str) -> str:
    """The public address of one of our paths, for those who read it elsewhere."""
    return f"{settings().frontend_url.rstrip('/')}{path}"


def ago(when: datetime) -> str:
    """``3 min ago``; for times ahead, ``in 3 min``."""
    seconds = int((clock.now() - when).total_seconds())
    if not seconds:
        return _("just now")
    unit, past, ahead = next(age for age in AGES if abs(seconds) >= age[0])
    return _(past if seconds > 0 else ahead, size=abs(seconds) // unit)


def iso(when: datetime) -> str:
    """RFC 3339, UTC, to the millisecond."""
    return when.strftime("%Y-%m-%dT%H:%M:%S.") + f"{when.microsecond // 1000:03d}Z"


def stamp(when: datetime) -> str:
    """``5 Nov 2026, 14:30 UTC``; in other languages as they write it."""
    if i18n.language() in {i18n.SOURCE, i18n.PSEUDO}:
        shown = f"{when:%d %b %Y, %H:%M} UTC".lstrip("0")
        return shown if i18n.language() == i18n.SOURCE else i18n.accented(shown)
    return f"{format_datetime(when, 'medium', locale=i18n.language().replace('-', '_'))} UTC"


def duration(seconds: int) -> str:
    """``14:32``, or ``1:05:00`` from an hour on."""
    minutes, rest = divmod(max(int(seconds), 0), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def actor(name: str) -> str:
    """Who did something, from the audit log, as staff read it."""
    return {HOLDER: _("Customer, by the order’s link"), STRANGER: _("Someone else")}.get(
        name, name[:1].upper() + name[1:]
    )


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
        members = (getattr(value, name) for name in value.__struct_fields__)
        return dict(zip(value.__struct_encode_fields__, members, strict=True))
    if isinstance(value, Money):
        return value.as_json()
    if isinstance(value, datetime):
        return iso(value)
    return str(value)


def see_other(to: str) -> Response[bytes]:
    """A redirect after a POST (RFC 9110, 15.4.4)."""
    return Response(b"", status_code=303, headers={"location": to, "cache-control": "no-store"})
