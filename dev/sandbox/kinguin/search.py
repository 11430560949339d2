"""Product search (fact sheet, section 2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dev.sandbox.kinguin.products import CATALOGUE, REGIONS, Offer
from dev.sandbox.kinguin.refusals import violation
from dev.sandbox.times import parse
from dev.sandbox.wire import Fields
from dev.sandbox.world import World

PAGE_LIMIT = 100
NAME_LEAST = 3  # characters

Query = Mapping[str, str]
_Filter = Callable[[Offer, str], bool]


def _names(offer: Offer, value: str) -> bool:
    return value.lower() in offer.product.name.lower()


def _truth(value: str) -> bool:
    return value.lower() in {"yes", "1", "true"}


_FILTERS: dict[str, _Filter] = {
    "name": _names,
    "platform": lambda offer, value: offer.product.platform.lower() in value.lower().split(","),
    "genre": lambda offer, value: value.lower() in map(str.lower, offer.product.genres),
    "kinguinId": lambda offer, value: str(offer.product.kinguin_id) in value.split(","),
    "productId": lambda offer, value: offer.product.product_id in value.split(","),
    "languages": lambda offer, value: value.lower() in map(str.lower, offer.product.languages),
    "isPreorder": lambda offer, value: offer.preorder == _truth(value),
    "activePreorder": lambda offer, value: offer.preorder or not _truth(value),
    "regionId": lambda offer, value: str(REGIONS[offer.product.region]) == value,
    "tags": lambda offer, value: not set(value.split(",")).isdisjoint(offer.product.tags),
    "updatedSince": lambda offer, value: offer.updated_at >= _moment("updatedSince", value),
    "updatedTo": lambda offer, value: offer.updated_at <= _moment("updatedTo", value),
    "withText": lambda offer, value: offer.text_stock > 0 or not _truth(value),
    "merchantName": lambda offer, value: offer.product.merchant == value,
}


def page_of(world: World, query: Query) -> Fields:
    """The answer of `GET /v1/products`; `item_count` counts all matches.

    Raises:
        KinguinRefusal: ConstraintViolation for a bad parameter.
    """
    page, limit = paging(query)
    if 0 < len(query.get("name", "")) < NAME_LEAST:
        raise violation("name", f"Must have at least {NAME_LEAST} characters.", query["name"])
    wanted = {name: value for name, value in query.items() if name in _FILTERS and value}
    offers = (Offer(world, product) for product in CATALOGUE)
    found = [
        offer
        for offer in offers
        if offer.overrides.mode != "unavailable" and all(_FILTERS[name](offer, v) for name, v in wanted.items())
    ]
    if query.get("sortBy") == "updatedAt":
        found.sort(key=lambda offer: offer.updated_at)
    if query.get("sortType") == "desc":
        found.reverse()
    rows = [offer.view() for offer in found[(page - 1) * limit : page * limit]]
    if rows and world.switches.fires("kinguin", ("empty_listing",)):
        rows = []
    if rows and world.switches.fires("kinguin", ("short_listing",)):
        rows.pop()
    return {"results": rows, "item_count": len(found)}


def paging(query: Query) -> tuple[int, int]:
    """`page` from 1 and `limit` up to 100.

    Raises:
        KinguinRefusal: ConstraintViolation for anything else.
    """
    return _whole(query, "page", 1, 10**6), _whole(query, "limit", 25, PAGE_LIMIT)


def _whole(query: Query, name: str, default: int, most: int) -> int:
    text = query.get(name, str(default))
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    if not 1 <= number <= most:
        raise violation(name, f"Must be a number between 1 and {most}.", text)
    return number


def _moment(name: str, text: str) -> int:
    moment = parse(text)
    if moment is None:
        raise violation(name, "Must be a date.", text)
    return moment
