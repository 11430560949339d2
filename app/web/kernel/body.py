"""Reading request bodies strictly: one shape, no surprises, every fault named by its field."""

import re
from typing import Any, TypeVar

import msgspec
from litestar import Request

from app.core.errors import Invalid
from app.core.i18n import _
from app.core.signing import MalformedJson, parse_strict
from app.web.kernel.render import sent_json

MISSING = re.compile(r"missing required field `(\w+)`")
LARGEST = 64 * 1024  # bytes of a request of ours
T = TypeVar("T", bound=msgspec.Struct)
Req = Request[Any, Any, Any]


class MalformedBody(Invalid):
    title = "The request body can't be read"


class UnusableText(Invalid):
    """A NUL in a path, a form or a query, which Postgres can't hold."""


async def read_json(request: Req, shape: type[T]) -> T:
    """The body as ``shape``. Raises MalformedBody, naming the field; also for NaN and for doubled or deep members."""
    try:
        data = parse_strict(await request.body(), max_bytes=LARGEST)
    except MalformedJson as bad:
        raise MalformedBody(_("Send valid JSON: %(bad)s.", bad=bad)) from None
    try:
        return msgspec.convert(data, shape, strict=True)
    except msgspec.ValidationError as bad:
        said, _at, where = str(bad).partition(" - at `$")
        missing = MISSING.search(said)
        field = ".".join(filter(None, (where.strip("`."), missing and missing[1])))
        raise MalformedBody(f"{said}.", field=field or None) from None


async def read_form(request: Req) -> dict[str, str]:
    """A posted form's text fields; JSON objects of strings are taken likewise."""
    if sent_json(request):
        try:
            data = parse_strict(await request.body(), max_bytes=LARGEST)
        except MalformedJson as bad:
            raise MalformedBody(_("Send valid JSON: %(bad)s.", bad=bad)) from None
        if not isinstance(data, dict):
            raise MalformedBody("Send a JSON object.")
        return {name: str(value) for name, value in data.items() if isinstance(value, str | int)}
    form = await request.form()
    return {name: value for name, value in form.items() if isinstance(value, str)}
