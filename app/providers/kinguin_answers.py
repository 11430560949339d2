"""What Kinguin's buyer API says, as values (sheet ``kinguin.md`` sections 2 and 4). All amounts are EUR."""

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Generic, TypeVar

from app.core import texts
from app.core.crypto import Plaintext
from app.providers import shapes
from app.providers.lenient_json import Ambiguous
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
    """One seller's stock of a product. ``price`` in EUR for one, ``available`` to be bought now.

    None where Kinguin did not say: that is not the same as 0.
    """

    offer_id: str
    price: Decimal | None
    available: int | None
    available_text: int | None
    merchant: str | None
    preorder: bool


@dataclass(frozen=True, slots=True)
class Product:
    """A catalogue entry. ``price`` and ``quantity`` are of the cheapest offers, ``total_quantity`` of all.

    ``text_quantity`` counts text keys, the rest are images. It can't be activated in ``blocked_countries``, mostly
    ISO 3166 codes. ``price`` is None where none that can be meant was given. Texts are plain, without markup and
    entities, and ``""`` where the supplier left them out. ``mended``: what could not be kept as it came, in words.
    """

    product_id: str
    kinguin_id: str | None
    name: str
    original_name: str
    description: str
    platform: str
    region: str
    region_id: int | None
    price: Decimal | None
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
    mended: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OddRow:
    """A row that could not be used, by its id or its place, and why."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """``results`` of this page; ``total`` over all, None where it was not said. ``odd``: rows of a wrong shape."""

    results: tuple[T, ...]
    total: int | None
    odd: tuple[OddRow, ...] = ()

    @property
    def rows(self) -> int:
        """How many rows the page had, odd ones among them."""
        return len(self.results) + len(self.odd)


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
    if isinstance(data, Ambiguous):
        raise WrongShape("a name stands in it twice")
    name = _line(data, "name") or _needed_line(data, "originalName")
    return Product(
        product_id=shapes.need_ident(data, "productId"),
        kinguin_id=shapes.ident(data, "kinguinId"),
        name=name,
        original_name=_line(data, "originalName") or name,
        description=texts.plain(shapes.text(data, "description") or ""),
        platform=_line(data, "platform"),
        region=_line(data, "regionalLimitations"),
        region_id=shapes.whole(data, "regionId"),
        price=_price(data),
        quantity=_quantity(data),
        text_quantity=shapes.whole(data, "textQty") or 0,
        total_quantity=shapes.whole(data, "totalQty") or 0,
        preorder=data.get("isPreorder") is True,
        release_date=_line(data, "releaseDate"),
        cover_url=_cover(data),
        activation=texts.plain(shapes.text(data, "activationDetails") or ""),
        genres=_lines(data, "genres"),
        tags=tuple(tag.lower() for tag in _lines(data, "tags")),
        languages=_lines(data, "languages"),
        developers=_lines(data, "developers"),
        publishers=_lines(data, "publishers"),
        blocked_countries=_countries(data),
        updated_at=shapes.moment(data, "updatedAt"),
        offers=_offers(data),
        mended=tuple(name for name, said in data.items() if isinstance(said, str) and texts.unstorable(said)),
    )


def products(value: object) -> Page[Product]:
    """One odd row must not stop the whole catalogue from syncing, so it is left out and named."""
    data = shapes.members(value)
    read: list[Product] = []
    odd: list[OddRow] = []
    rows = data.get("results")
    if not isinstance(rows, list):
        raise WrongShape("results is not a list")
    for row in rows:
        try:
            read.append(product(row))
        except WrongShape as wrong:
            odd.append(OddRow(_name_of(row), str(wrong)))
    return Page(tuple(read), _total(data), tuple(odd))


def _total(data: Members) -> int | None:
    try:
        return shapes.whole(data, "item_count")
    except WrongShape:
        return None


def _name_of(row: object) -> str:
    """What a person can find an odd row by: its ids and its name, as far as they can be read."""
    said = [row.get(name) for name in ("productId", "kinguinId", "name")] if isinstance(row, dict) else []
    known = [texts.line(str(value))[:60] for value in said if isinstance(value, str | int) and value != ""]
    return " ".join(known) or "a row without an id"


def _line(data: Members, name: str) -> str:
    return texts.line(shapes.text(data, name) or "")


def _needed_line(data: Members, name: str) -> str:
    found = _line(data, name)
    if not found:
        raise WrongShape("name is missing")
    return found


def _lines(data: Members, name: str) -> tuple[str, ...]:
    """A list of short texts; one text alone counts as a list of those between its commas."""
    value = data.get(name)
    items = value.split(",") if isinstance(value, str) else shapes.texts(data, name)
    return tuple(text for item in items if (text := texts.line(item)))


def _quantity(data: Members) -> int:
    """``qty``, or what stands in for it where it is left out."""
    known = (shapes.whole(data, name) for name in ("qty", "totalQty", "textQty"))
    return next((number for number in known if number is not None), 0)


def _price(data: Members) -> Decimal | None:
    try:
        return shapes.amount(data, "price") or None
    except WrongShape:
        return None


def _countries(data: Members) -> tuple[str, ...]:
    """Where a key can't be activated. A limit that can't be read is no absence of limits, so it is a WrongShape."""
    value = data.get("countryLimitation")
    if value is None or value == "" or value == {}:
        return ()
    items = re.split(r"[,;]", value) if isinstance(value, str) else value
    if not isinstance(items, list):
        raise WrongShape(f"countryLimitation is a {type(value).__name__}")
    found = []
    for item in items:
        text = item.get("code") or item.get("name") if isinstance(item, dict) else item
        if not isinstance(text, str):
            raise WrongShape("a country of countryLimitation can't be read")
        found.append(texts.line(text))
    return tuple(dict.fromkeys(code.upper() if len(code) == 2 else code for code in found if code))


def _offers(data: Members) -> tuple[Offer, ...]:
    """The sellers' offers; one that can't be read is left out."""
    value = data.get("offers")
    found = []
    for row in value if isinstance(value, list) else []:
        try:
            found.append(_offer(shapes.members(row)))
        except WrongShape:
            continue
    return tuple(found)


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
    def count(*names: str) -> int | None:
        known = (shapes.whole(row, name) for name in names)
        return next((number for number in known if number is not None), None)

    return Offer(
        offer_id=shapes.need_ident(row, "offerId"),
        price=_price(row),
        available=count("availableQty", "qty"),
        available_text=count("availableTextQty", "textQty"),
        merchant=shapes.text(row, "merchantName"),
        preorder=row.get("isPreorder") is True,
    )


def _cover(data: Members) -> str | None:
    images = data.get("images")
    cover = images.get("cover") if isinstance(images, dict) else None
    url = cover.get("url") if isinstance(cover, dict) else None
    return url if isinstance(url, str) else None
