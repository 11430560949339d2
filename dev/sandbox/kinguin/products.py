"""The catalogue: invented games, and what the panel changed about them."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from pathlib import Path

import msgspec

from dev.sandbox.records import OfferOverrides
from dev.sandbox.times import now_ms, parse, seconds_offset
from dev.sandbox.wire import Fields
from dev.sandbox.world import World

REGIONS = {
    "EUROPE": 1, "UNITED STATES": 2, "REGION FREE": 3, "UNITED KINGDOM": 8, "LATAM": 11, "ASIA": 12,
    "NORTH AMERICA": 18,
}  # fmt: skip
MERCHANTS = ("Amberkeys", "Northwind Codes", "Keyhaven")
MODES = {
    "normal": "delivers as set",
    "by_hand": "delivers only by a click here",
    "cancel": "cancels what isn't delivered at once",
    "refund": "refunds in place of delivering",
    "order_failed": "refuses the order with an opaque 422",
    "error_after_effect": "takes the order, then answers 500",
    "unavailable": "withdrawn: 404 on reading, no offer on buying",
    "price_zero": "is listed at a price of 0",
    "price_absent": "is listed without a price",
}
FIRST_UPDATE = parse("2026-01-05T08:00:00+00:00") or 0

_CATALOGUE = Path(__file__).with_name("catalogue.json")


class Product(msgspec.Struct, frozen=True, rename="camel"):
    """One game of the catalogue file; `price` in EUR. `special`: image, sold_out, preorder or empty."""

    kinguin_id: int
    title: str
    platform: str
    region: str
    price: Decimal
    qty: int
    text_qty: int
    release_date: str
    developer: str
    publisher: str
    genres: list[str]
    age_rating: str
    languages: list[str]
    tags: list[str]
    description: str
    special: str = ""

    @property
    def product_id(self) -> str:
        """24 hexadecimal characters, always the same for this game."""
        return _hex(f"product {self.kinguin_id}")

    @property
    def offer_id(self) -> str:
        """The id of its one offer."""
        return _hex(f"offer {self.kinguin_id}")

    @property
    def name(self) -> str:
        """The name it is sold under."""
        return f"{self.title} {self.platform} CD Key"

    @property
    def merchant(self) -> str:
        """Who sells it."""
        return MERCHANTS[self.kinguin_id % len(MERCHANTS)]


def _hex(text: str) -> str:
    return hashlib.sha256(f"bitloot sandbox {text}".encode()).hexdigest()[:24]


CATALOGUE = msgspec.json.decode(_CATALOGUE.read_bytes(), type=list[Product])
BY_PRODUCT_ID = {product.product_id: product for product in CATALOGUE}
BY_KINGUIN_ID = {product.kinguin_id: product for product in CATALOGUE}


class Offer:
    """A product as it stands now: the catalogue's values under the panel's changes and past sales."""

    def __init__(self, world: World, product: Product) -> None:
        self._world, self.product = world, product
        self.overrides = world.storage.overrides.get(product.product_id) or OfferOverrides(id=product.product_id)

    @property
    def stock(self) -> int:
        """Keys on offer."""
        return self.product.qty if self.overrides.stock is None else self.overrides.stock

    @property
    def text_stock(self) -> int:
        """Keys on offer that are text; the rest are images."""
        own = self.product.text_qty if self.overrides.text_stock is None else self.overrides.text_stock
        return min(own, self.stock)

    @property
    def price(self) -> Decimal:
        """The unit price in EUR."""
        return self.product.price if self.overrides.price is None else self.overrides.price

    @property
    def said_price(self) -> Decimal | None:
        """The price it is listed at; what it costs stays the same."""
        return {"price_zero": Decimal(0), "price_absent": None}.get(self.overrides.mode, self.price)

    @property
    def image(self) -> bool:
        """Whether keys come as pictures when text isn't asked for."""
        return self.product.special == "image" if self.overrides.image is None else self.overrides.image

    @property
    def preorder(self) -> bool:
        """Whether the game isn't out yet."""
        return self.product.special == "preorder"

    @property
    def withdrawn(self) -> bool:
        """Whether reading it answers 404: out of stock, or taken down by the panel."""
        return self.stock <= 0 or self.overrides.mode == "unavailable"

    @property
    def updated_at(self) -> int:
        """When something about it last changed, in milliseconds."""
        return self.overrides.updated_at or FIRST_UPDATE + self.product.kinguin_id * 1000

    def sell(self, qty: int, *, text: bool) -> None:
        """Take keys off the stock."""
        stock, text_stock = self.stock, self.text_stock
        self.overrides.stock = stock - qty
        self.overrides.text_stock = max(text_stock - qty, 0) if text else min(text_stock, stock - qty)
        self.save()

    def save(self) -> None:
        """Write the changes down, with the time."""
        self.overrides.updated_at = max(now_ms(), self.updated_at + 1)
        self._world.storage.overrides.put(self.overrides)

    def view(self) -> Fields:
        """The Product of the API (fact sheet, section 2)."""
        it = self.product
        return {
            "kinguinId": it.kinguin_id,
            "productId": it.product_id,
            "cheapestOfferId": [it.offer_id] if self.stock > 0 else [],
            "name": it.name,
            "originalName": it.title,
            "description": it.description,
            "developers": [it.developer],
            "publishers": [it.publisher],
            "genres": it.genres,
            "platform": it.platform,
            "releaseDate": it.release_date,
            "qty": self.stock,
            "textQty": self.text_stock,
            "price": self.said_price,
            "offersCount": 1 if self.stock > 0 else 0,
            "totalQty": self.stock,
            "isPreorder": self.preorder,
            "metacriticScore": 60 + it.kinguin_id % 35,
            "regionalLimitations": it.region,
            "countryLimitation": self.overrides.countries or [],
            "regionId": REGIONS[it.region],
            "activationDetails": _activation(it.platform),
            "videos": [],
            "languages": it.languages,
            "updatedAt": seconds_offset(self.updated_at),
            "systemRequirements": [],
            "tags": it.tags if self.overrides.tags is None else self.overrides.tags,
            "merchantName": [it.merchant],
            "ageRating": it.age_rating,
            "images": {"screenshots": []},
            "offers": [self._offer()] if self.stock > 0 else [],
        }

    def _offer(self) -> Fields:
        it = self.product
        return {
            "name": it.name,
            "offerId": it.offer_id,
            "price": self.said_price,
            "qty": self.stock,
            "availableQty": self.stock,
            "textQty": self.text_stock,
            "availableTextQty": self.text_stock,
            "merchantName": it.merchant,
            "isPreorder": self.preorder,
            "releaseDate": it.release_date,
            "wholesale": {"enabled": False, "tiers": []},
        }


def _activation(platform: str) -> str:
    return (
        f"1. Open {platform} and sign in.\n2. Choose to redeem or activate a product.\n"
        "3. Enter the key exactly as it was delivered.\n4. The game appears in your library."
    )
