"""What this room's queries return."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import msgspec


class Rate(msgspec.Struct, frozen=True):
    """What one EUR was worth on ``day`` in ``currency``. ``fetched_at``: when the source last said so."""

    currency: str
    day: date
    rate: Decimal
    fetched_at: datetime


class AdminProduct(msgspec.Struct, frozen=True):
    """A product as its owner looks at it; see ``tables.Product``. The costs are in EUR."""

    id: UUID
    slug: str
    name: str
    price: Decimal
    currency: str
    cost: Decimal
    offered_cost: Decimal | None
    held_since: datetime | None
    stock: int
    active: bool
    supplier: str
    supplier_product_id: str


class OddRow(msgspec.Struct, frozen=True):
    """A row of a listing that could not be used, by its id or its place, and why."""

    name: str
    why: str


class ListedProduct(msgspec.Struct, frozen=True):
    """A product as a supplier lists it.

    ``number``: what makes its address unique. ``label``: what a person finds it by at the supplier. ``cost``: in EUR
    for one, None where none was named that can be meant. ``stock``: how many keys one purchase of ours can get;
    ``text_keys``: whether they come as text. ``blocked_countries``: where it can't be activated, mostly ISO 3166 codes.
    ``mended``: what could not be kept as it came, in words. Texts are plain, ``""`` where they were left out.
    """

    product_id: str
    number: str
    name: str
    label: str
    description: str
    platform: str
    region: str
    cost: Decimal | None
    stock: int
    text_keys: bool
    preorder: bool = False
    release_date: str = ""
    activation: str = ""
    genres: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    developers: tuple[str, ...] = ()
    blocked_countries: tuple[str, ...] = ()
    mended: tuple[str, ...] = ()


class ListingPage(msgspec.Struct, frozen=True):
    """``results`` of this page; ``total`` over all, None where it was not said. ``odd``: rows of a wrong shape."""

    results: tuple[ListedProduct, ...]
    total: int | None
    odd: tuple[OddRow, ...] = ()

    @property
    def rows(self) -> int:
        """How many rows the page had, odd ones among them."""
        return len(self.results) + len(self.odd)
