"""What the admin's lists share: which page, and the tabs above it."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from litestar import Request

from app.core.db import MOST_COUNTED
from app.core.i18n import _

PAGE = 50  # rows a page


def number(request: Request[Any, Any, Any]) -> int:
    """The page asked for, from 1."""
    text = str(request.query_params.get("page", "1"))
    return max(int(text), 1) if text.isascii() and text.isdigit() and len(text) < 6 else 1


def links(path: str, at: int, shown: int, **filters: str | None) -> dict[str, str | None]:
    """Where the newer and the older rows are."""

    def href(page: int) -> str:
        return f"{path}?{urlencode({k: v for k, v in {**filters, 'page': page}.items() if v})}"

    return {"prev": href(at - 1) if at > 1 else None, "next": href(at + 1) if shown == PAGE else None}


def tabs(
    path: str, name: str, current: str | None, counts: Iterable[tuple[str, int]], **kept: str | None
) -> list[dict[str, object]]:
    """A filter as links: all, and each value with its count. ``kept``: the list's other filters, which stay."""
    listed = list(counts)

    def href(value: str | None) -> str:
        query = urlencode({k: v for k, v in {name: value, **kept}.items() if v})
        return f"{path}?{query}" if query else path

    def tab(label: str, n: int, value: str | None, *, more: bool) -> dict[str, object]:
        shown = f"{n}+" if more else n
        return {"label": label, "value": shown, "href": href(value), "current": value == current}

    capped = any(n >= MOST_COUNTED for _value, n in listed)
    everything = tab(_("All"), sum(n for _value, n in listed), None, more=capped)
    return [everything] + [tab(value.replace("_", " "), n, value, more=n >= MOST_COUNTED) for value, n in listed]
