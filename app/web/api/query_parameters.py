"""Lists: the newest first, so many at once, and a cursor to go on from that stays good whatever is added meanwhile."""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler

from app.core.errors import Invalid
from app.core.i18n import _
from app.core.ids import parse_id
from app.web.api import declared

USUAL, MOST = 20, 100  # objects a page
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)
TEXT_LENGTH = 64  # characters of a parameter
LENGTHS = {"reference": 128, "customer_email": 254}  # of those that may be longer
Req = Request[Any, Any, Any]
Connection = ASGIConnection[Any, Any, Any, Any]
P = TypeVar("P", bound=msgspec.Struct)


class BadParameter(Invalid):
    title = "A parameter of the query can't be used"


async def declared_only(connection: Connection, handler: BaseRouteHandler) -> None:
    """A guard of what is read: a parameter that the route does not declare is a mistake. Raises BadParameter."""
    if isinstance(handler, HTTPRouteHandler) and "GET" in handler.http_methods:
        connection.state.parameters = _parameters(connection, declared.of(handler).query)


def parameters(request: Req) -> dict[str, str]:
    """The query's parameters, as the guard found them."""
    found: dict[str, str] = request.state.parameters
    return found


def _parameters(connection: Connection, known: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in connection.query_params.multi_items():
        if name not in known:
            detail = (
                _("Known parameters: %(names)s.", names=", ".join(known))
                if known
                else _("This request takes no parameters.")
            )
            raise BadParameter(detail, field=name if name.isidentifier() and len(name) <= 64 else None)
        if name in found:
            raise BadParameter("Send it once.", field=name)
        if "\x00" in value or len(value) > LENGTHS.get(name, TEXT_LENGTH):
            raise BadParameter("It is too long, or contains a NUL character.", field=name)
        found[name] = value
    return found


def page(given: Mapping[str, str]) -> tuple[UUID | None, int]:
    """``after`` and ``limit``."""
    return (cursor(given["after"]) if "after" in given else None), limit(given)


def limit(given: Mapping[str, str]) -> int:
    return whole(given, "limit", USUAL, 1, MOST)


def whole(given: Mapping[str, str], name: str, usual: int, least: int, most: int) -> int:
    """A whole number of the query. Raises BadParameter."""
    text = given.get(name, str(usual))
    if not (text.isascii() and text.isdigit() and len(text) <= 19 and least <= int(text) <= most):
        raise BadParameter(_("Send a whole number from %(least)s to %(most)s.", least=least, most=most), field=name)
    return int(text)


def filters(request: Req, given: Mapping[str, str]) -> dict[str, object]:
    """What to choose by: ids and times as such, declared words each from its list. Raises BadParameter."""
    chosen: dict[str, object] = {}
    words = declared.of_request(request).words
    for name, value in given.items():
        if name in {"after", "limit"}:
            continue
        if name in words and value not in words[name]:
            raise BadParameter(_("Use one of %(names)s.", names=", ".join(words[name])), field=name)
        if name.startswith("created_"):
            chosen[name] = moment(value, name)
        elif name.endswith("_id"):
            chosen[name] = _id(value, name)
        else:
            chosen[name] = value
    return chosen


def _id(text: str, name: str) -> UUID:
    found = parse_id(text)
    if found is None:
        raise BadParameter("Write it as a UUID.", field=name)
    return found


def moment(text: str, name: str) -> datetime:
    """A time (RFC 3339, with its offset). Raises BadParameter."""
    try:
        at = msgspec.convert(text, datetime)
    except msgspec.ValidationError:
        at = None
    if at is None or at.tzinfo is None:
        raise BadParameter("Write it as 2026-11-21T08:30:00Z, with the offset.", field=name)
    return storable(at)


def storable(at: datetime) -> datetime:
    """The time, or the nearest that all our tables know."""
    try:
        return min(max(at.astimezone(UTC), EARLIEST), LATEST)
    except OverflowError:
        return EARLIEST if at.year < EARLIEST.year else LATEST


def listed(page: type[P], rows: Sequence[Any], most: int, shown: Callable[[Any], Any]) -> P:
    """A ``page`` of ``most``, made of one row more than that where there are more; ``shown`` makes a row's object."""
    more = len(rows) > most
    data = [shown(row) for row in rows[:most]]
    return page(data=data, next=written(rows[most - 1].id) if more else None)


def written(last: UUID) -> str:
    return base64.urlsafe_b64encode(last.bytes).decode().rstrip("=")


def cursor(text: str) -> UUID:
    """The id behind a cursor. Raises BadParameter."""
    try:
        raw = base64.urlsafe_b64decode(text + "==") if text.isascii() and len(text) == 22 else b""
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != 16:
        raise BadParameter("Use the value of next from an earlier answer.", field="after")
    return UUID(bytes=raw)
