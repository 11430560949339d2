"""Order search: how a buyer finds out whether an order it got no answer for exists (fact sheet, section 4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

from dev.sandbox.kinguin import views
from dev.sandbox.kinguin.refusals import violation
from dev.sandbox.kinguin.search import Query, paging
from dev.sandbox.records import Order
from dev.sandbox.times import now_ms, parse
from dev.sandbox.wire import Fields
from dev.sandbox.world import World

_FILTERS: dict[str, Callable[[Order, str], bool]] = {
    "orderId": lambda order, value: order.id == value,
    "status": lambda order, value: order.status in value.split(","),
    "kinguinId": lambda order, value: any(str(row.kinguin_id) == value for row in order.rows),
    "productId": lambda order, value: any(row.product_id == value for row in order.rows),
    "isPreorder": lambda order, value: order.rows[0].is_preorder == (value in {"yes", "1", "true"}),
    "createdAtFrom": lambda order, value: order.created_at >= _moment("createdAtFrom", value),
    "createdAtTo": lambda order, value: order.created_at <= _moment("createdAtTo", value),
}


def page_of(world: World, query: Query) -> Fields:
    """The answer of `GET /v1/order`, newest first; a new order shows only after the search lag.

    Raises:
        KinguinRefusal: ConstraintViolation for a bad parameter.
    """
    page, limit = paging(query)
    wanted = {name: value for name, value in query.items() if name in _FILTERS and value}
    now = now_ms()
    found = [
        order
        for order in _candidates(world, query.get("orderExternalId"))
        if order.visible_at <= now and all(_FILTERS[name](order, value) for name, value in wanted.items())
    ]
    results = islice(found, (page - 1) * limit, page * limit)
    return {"results": [views.shown(order) for order in results], "item_count": len(found)}


def _candidates(world: World, external_id: str | None) -> Iterator[Order]:
    if external_id:
        return reversed(world.storage.orders.by_external(external_id))
    return world.storage.orders.newest()


def _moment(name: str, text: str) -> int:
    moment = parse(text)
    if moment is None:
        raise violation(name, "Must be a date.", text)
    return moment
