"""Our own API from outside, as merchants use it: the feed of events, read by ``bitloot webhooks listen``."""

from dataclasses import dataclass
from typing import Any

import msgspec

from app.providers import shapes
from app.providers.http import HttpProvider
from app.providers.shapes import WrongShape

PAGE = 100

_json = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True, slots=True)
class FedEvent:
    """``body``: the payload as a webhook carries it, spelt anew from the feed."""

    id: str
    type: str
    number: int
    body: bytes


@dataclass(frozen=True, slots=True)
class FeedPage:
    """``last``: what to ask on from, also where ``events`` is empty. ``more``: there are further ones already."""

    events: tuple[FedEvent, ...]
    last: int
    more: bool


class EventFeed(HttpProvider):
    """``key`` and ``secret`` are a merchant's, of the mode whose events are read."""

    provider = "bitloot"
    detail_member = "detail"

    def __init__(self, base_url: str, key: str, secret: str) -> None:
        super().__init__(base_url, {"x-api-key": key, "x-api-secret": secret}, secret=secret)

    async def after(self, number: int) -> FeedPage:
        """Events above this number, oldest first. Raises ProviderRefused, ProviderDown, ProviderProtocolError."""
        return await self.ask("events", "GET", "/api/v1/events", _page, query={"after": number, "limit": PAGE})


def _page(answer: Any) -> FeedPage:
    data = shapes.members(answer)
    last = data.get("next")
    if not isinstance(last, int):
        raise WrongShape("next is not a whole number")
    events = tuple(_event(dict(row)) for row in shapes.rows(data.get("data"), "data"))
    return FeedPage(events, last, bool(data.get("more")))


def _event(row: dict[str, object]) -> FedEvent:
    number, ident, kind = row.pop("number", None), row.get("id"), row.get("type")
    if not isinstance(number, int) or not isinstance(ident, str) or not isinstance(kind, str):
        raise WrongShape("an event lacks its number, id or type")
    return FedEvent(ident, kind, number, _json.encode(row))
