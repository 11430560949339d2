"""How the control panel says no."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import urlsplit

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from dev.sandbox.wire import Refusal


class ControlRefusal(Refusal):
    """`{"status":400,"title":"Bad Request","detail":"..."}`"""

    def body(self, path: str, method: str) -> Mapping[str, object]:
        """The body, the same for every route."""
        return {"status": self.status, "title": HTTPStatus(self.status).phrase, "detail": self.detail}


def wrong(detail: str) -> ControlRefusal:
    """400 for a value that can't be."""
    return ControlRefusal(400, detail)


def unknown(what: str) -> ControlRefusal:
    """404 for an id nobody has."""
    return ControlRefusal(404, f"{what} not found")


async def same_origin_guard(connection: ASGIConnection, _: BaseRouteHandler) -> None:  # type: ignore[type-arg]
    """Refuse actions that a page from elsewhere makes a browser do: this panel has no login."""
    origin = connection.headers.get("origin")
    if origin is None or connection.scope.get("method") in {"GET", "HEAD"}:
        return
    if urlsplit(origin).netloc != connection.headers.get("host"):
        raise ControlRefusal(403, "this panel takes orders from its own pages only")
