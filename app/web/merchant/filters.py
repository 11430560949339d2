"""What the merchants' lists share: filters out of the address, and where the older rows are. Newest first."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import urlencode
from uuid import UUID

from litestar import Request

from app.core.ids import parse_id
from app.web.merchant.context import PAGE

Req = Request[Any, Any, Any]
LONGEST = 200  # characters of what is searched for


def given(request: Req, name: str) -> str:
    return str(request.query_params.get(name, "")).replace("\x00", "").strip()[:LONGEST]


def one_of(request: Req, name: str, words: Collection[str]) -> str | None:
    """A filter's value, if it is one there is."""
    value = given(request, name)
    return value if value in words else None


def before(request: Req) -> UUID | None:
    """The row after which this page begins."""
    return parse_id(given(request, "before"))


def searched(text: str, id_name: str) -> dict[str, object]:
    """What was typed, as a filter: an id, an email address, or the merchant's own reference."""
    if not text:
        return {}
    if found := parse_id(text):
        return {id_name: found}
    return {"customer_email" if "@" in text else "reference": text}


class Row(Protocol):
    """What a list is made of: each row by its id, which grows with time."""

    @property
    def id(self) -> UUID: ...


def page(path: str, rows: Sequence[Row], filters: Mapping[str, object]) -> dict[str, object]:
    """At most PAGE of ``rows``, of which one more was asked for, and the address of the next page where there is one.

    ``filters``: as they stand in the address.
    """
    shown = list(rows[:PAGE])
    if len(rows) <= PAGE:
        return {"rows": shown, "older": None}
    kept = {name: str(value) for name, value in filters.items() if value} | {"before": str(shown[-1].id)}
    return {"rows": shown, "older": f"{path}?{urlencode(kept)}"}
