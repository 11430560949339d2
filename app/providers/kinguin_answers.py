"""What Kinguin's buyer API says, as values (sheet ``kinguin.md`` sections 2 and 4). All amounts are EUR."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Generic, TypeVar

from app.core.crypto import Plaintext
from app.providers import shapes
from app.providers.shapes import Members, WrongShape

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class KeyState:
    """One key of an order: ``status`` is pending, processing, delivered, returned, refunded or canceled."""

    id: str
    status: str


@dataclass(frozen=True, slots=True)
class SupplierOrder:
    """Our order there. ``status`` is processing, completed, canceled or refunded; other words may come.

    ``charged`` is what our balance paid, None where the answer did not say. ``keys`` is empty in answers to
    buying and searching; ``get_delivered`` fills it.
    """

    order_id: str
    external_id: str | None
    status: str
    quantity: int
    charged: Decimal | None
    created_at: datetime | None
    keys: tuple[KeyState, ...]

    @property
    def delivered(self) -> int:
        """How many keys can be fetched now."""
        return sum(key.status == "delivered" for key in self.keys)


@dataclass(frozen=True, slots=True)
class SupplierKey:
    """One key itself. ``serial`` is the text Kinguin gave: the key, or for ``image/…`` the file in base64."""

    id: str
    product_id: str | None
    media_type: str
    name: str | None
    serial: Plaintext


@dataclass(frozen=True, slots=True)
class Offer:
    """One seller's stock of a product. ``price`` in EUR for one, ``available`` to be bought now."""

    offer_id: str
    price: Decimal
    available: int
    available_text: int
    merchant: str | None
    preorder: bool


@dataclass(frozen=True, slots=True)
class Product:
    """A catalogue entry. ``price`` and ``quantity`` are of the cheapest offers, ``total_quantity`` of all.

    ``text_quantity`` counts text keys, the rest are images. It can't be activated in ``blocked_countries``.
    Texts the supplier left out are ``""``.
    """

    product_id: str
    kinguin_id: str | None
    name: str
    original_name: str
    description: str
    platform: str
    region: str
    region_id: int | None
    price: Decimal
    quantity: int
    text_quantity: int
    total_quantity: int
    preorder: bool
    release_date: str
    cover_url: str | None
    activation: str
    genres: tuple[str, ...]
    tags: tuple[str, ...]
    languages: tuple[str, ...]
    developers: tuple[str, ...]
    publishers: tuple[str, ...]
    blocked_countries: tuple[str, ...]
    updated_at: datetime | None
    offers: tuple[Offer, ...]


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """``results`` of this page, ``total`` over all pages. ``skipped`` rows of it had a wrong shape.

    The page is the last if ``len(results) + skipped`` is below the limit asked for.
    """

    results: tuple[T, ...]
    total: int
    skipped: int


def order(value: object) -> SupplierOrder:
    data = shapes.members(value)
    rows = shapes.rows(data.get("products") or [], "products")
    quantity = shapes.whole(data, "totalQty")
    return SupplierOrder(
        order_id=shapes.need_ident(data, "orderId"),
        external_id=shapes.ident(data, "orderExternalId"),
        status=shapes.need_folded(data, "status"),
        quantity=quantity if quantity is not None else sum(shapes.whole(row, "qty") or 0 for row in rows),
        charged=shapes.amount(data, "paymentPrice"),
        created_at=shapes.moment(data, "createdAt"),
        keys=tuple(state for row in rows for state in key_states(row.get("keys") or [])),
    )


def orders(value: object) -> tuple[SupplierOrder, ...]:
    results = shapes.members(value).get("results")
    return tuple(order(row) for row in shapes.rows(results, "results"))


def key_states(value: object) -> tuple[KeyState, ...]:
    rows = shapes.rows(value, "keys")
    return tuple(KeyState(shapes.need_ident(row, "id"), shapes.need_folded(row, "status")) for row in rows)


def keys(value: object) -> tuple[SupplierKey, ...]:
    return tuple(_key(row) for row in shapes.rows(value, "keys"))


def product(value: object) -> Product:
    data = shapes.members(value)
    name = shapes.need_text(data, "name")
    return Product(
        product_id=shapes.need_ident(data, "productId"),
        kinguin_id=shapes.ident(data, "kinguinId"),
        name=name,
        original_name=shapes.text(data, "originalName") or name,
        description=shapes.text(data, "description") or "",
        platform=shapes.text(data, "platform") or "",
        region=shapes.text(data, "regionalLimitations") or "",
        region_id=shapes.whole(data, "regionId"),
        price=shapes.need_amount(data, "price"),
        quantity=shapes.whole(data, "qty") or 0,
        text_quantity=shapes.whole(data, "textQty") or 0,
        total_quantity=shapes.whole(data, "totalQty") or 0,
        preorder=data.get("isPreorder") is True,
        release_date=shapes.text(data, "releaseDate") or "",
        cover_url=_cover(data),
        activation=shapes.text(data, "activationDetails") or "",
        genres=shapes.texts(data, "genres"),
        tags=shapes.texts(data, "tags"),
        languages=shapes.texts(data, "languages"),
        developers=shapes.texts(data, "developers"),
        publishers=shapes.texts(data, "publishers"),
        blocked_countries=shapes.texts(data, "countryLimitation"),
        updated_at=shapes.moment(data, "updatedAt"),
        offers=tuple(_offer(row) for row in shapes.rows(data.get("offers") or [], "offers")),
    )


def products(value: object) -> Page[Product]:
    """One odd row must not stop the whole catalogue from syncing, so it is skipped and counted."""
    data = shapes.members(value)
    read, rows = [], data.get("results")
    if not isinstance(rows, list):
        raise WrongShape("results is not a list")
    for row in rows:
        try:
            read.append(product(row))
        except WrongShape:
            continue
    total = shapes.whole(data, "item_count")
    return Page(tuple(read), len(rows) if total is None else total, len(rows) - len(read))


def balance(value: object) -> Decimal:
    return shapes.need_amount(shapes.members(value), "balance")


def _key(row: Members) -> SupplierKey:
    serial = row.get("serial")
    if not isinstance(serial, str) or not serial:
        raise WrongShape("serial is missing")
    return SupplierKey(
        id=shapes.need_ident(row, "id"),
        product_id=shapes.ident(row, "productId"),
        media_type=shapes.folded(row, "type") or "text/plain",
        name=shapes.text(row, "name"),
        serial=Plaintext(serial.encode()),
    )


def _offer(row: Members) -> Offer:
    def count(*names: str) -> int:
        known = (shapes.whole(row, name) for name in names)
        return next((number for number in known if number is not None), 0)

    return Offer(
        offer_id=shapes.need_ident(row, "offerId"),
        price=shapes.need_amount(row, "price"),
        available=count("availableQty", "qty"),
        available_text=count("availableTextQty", "textQty"),
        merchant=shapes.text(row, "merchantName"),
        preorder=row.get("isPreorder") is True,
    )


def _cover(data: Members) -> str | None:
    images = data.get("images")
    cover = images.get("cover") if isinstance(images, dict) else None
    return shapes.text(cover, "url") if isinstance(cover, dict) else None
