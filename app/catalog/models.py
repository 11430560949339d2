"""What this room's queries return."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import msgspec

from app.catalog.conditions import Conditions
from app.catalog.covers.address import cover_address
from app.core.money import Money
from app.issues.codes import IssueCode


class Listed(msgspec.Struct, frozen=True):
    """A product as a list or a cart shows it."""

    id: UUID
    slug: str
    name: str
    platform: str
    region: str
    price: Money
    stock: int
    conditions: Conditions

    @property
    def where(self) -> str:
        """The region, with the countries it does not hold for."""
        return self.conditions.where

    @property
    def cover(self) -> str:
        return cover_address(self.slug, self.name)


class Details(msgspec.Struct, frozen=True):
    """What else a supplier says of a product, as the row keeps it. ``blocked``: where it can't be activated."""

    genres: list[str] = []
    languages: list[str] = []
    developers: list[str] = []
    activation: str = ""
    preorder: bool = False
    blocked: list[str] = []
    dlc: bool = False
    tags: list[str] = []


class SoldProduct(msgspec.Struct, frozen=True):
    """A product with all that its page shows."""

    listed: Listed
    supplier: str
    description: str
    released_on: str
    details: Details


class Offer(msgspec.Struct, frozen=True):
    """What is asked for when a product is bought: whose offer of which id, and whether its keys come as text."""

    supplier: str
    supplier_product_id: str
    text_keys: bool


class Supply(msgspec.Struct, frozen=True):
    """What is known of a product's supply now. ``cost``: in EUR for one, also where a person has to look at it."""

    supplier: str
    supplier_product_id: str
    active: bool
    stock: int
    cost: Decimal


class Costs(msgspec.Struct, frozen=True):
    """What a product costs us, in EUR."""

    id: UUID
    cost: Decimal


class KnownCosts(Costs, frozen=True):
    """A product that is listed again. ``reference_cost``: what a new price is measured by, since ``reference_at``."""

    name: str
    supplier_product_id: str
    reference_cost: Decimal
    reference_at: datetime | None


class TakenSlug(msgspec.Struct, frozen=True):
    """An address in the shop, and whose product of which id has it."""

    slug: str
    owner: tuple[str, str]


class NamedProduct(msgspec.Struct, frozen=True):
    id: UUID
    name: str


class ProductIssue(msgspec.Struct, frozen=True):
    """An open issue of a product."""

    subject: str
    code: IssueCode


class MissingProducts(msgspec.Struct, frozen=True):
    """How many products are on sale, and how many of them a reading did not hold."""

    on_sale: int
    missing: int


class Discount(msgspec.Struct, frozen=True):
    code: str
    percent: Decimal


class UsedCode(msgspec.Struct, frozen=True):
    """What an order had of a code, in its currency."""

    code: str
    amount: Decimal


class Credit(UsedCode, frozen=True):
    """What is left of a customer's credit."""

    currency: str


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
