"""The timeline of an order whose work waits for a provider that is away: it waits, it is tried with, it goes on.

Each is said once an outage, however often the breaker is probed.
"""

from uuid import UUID

from app.core import db
from app.history import service as history
from app.orders import service as orders
from app.suppliers.registry import TITLES

ROOMS = {"storage": "supply", "nowpayments": "payment", **dict.fromkeys(TITLES, "supply")}  # whose work waits
AFTER = {"waiting": {"", "resumed"}, "probed": {"waiting"}, "resumed": {"waiting", "probed"}}  # what may stand before


async def begin(order_id: UUID, provider: str) -> None:
    """The order waits for the provider."""
    await _record(order_id, provider, "waiting")


async def probe(order_id: UUID, provider: str) -> None:
    """The order is the one with which the provider is tried."""
    await _record(order_id, provider, "probed")


async def end(order_id: UUID, provider: str) -> None:
    """The provider is back: the order goes on."""
    await _record(order_id, provider, "resumed")


async def _record(order_id: UUID, provider: str, word: str) -> None:
    room = ROOMS.get(provider)
    if room is None or await _last(order_id, room) not in AFTER[word]:
        return
    async with orders.changing(order_id) as order:
        if order is not None and await _last(order_id, room) in AFTER[word]:
            await history.record(order_id, f"{room}.{word}")


async def _last(order_id: UUID, room: str) -> str:
    """The newest of our words on the timeline; empty where there is none."""
    kind: str | None = await db.fetch_value(
        "SELECT kind FROM event WHERE subject = $1 AND kind = ANY($2) ORDER BY seq DESC LIMIT 1",
        order_id, [f"{room}.{word}" for word in AFTER],
    )  # fmt: skip
    return (kind or "").partition(".")[2]
