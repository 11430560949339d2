"""Reads what a buyer wants from an order's body, and refuses what Kinguin refuses (fact sheet, section 4)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from dev.sandbox.kinguin.products import BY_KINGUIN_ID, BY_PRODUCT_ID, Offer, Product
from dev.sandbox.kinguin.refusals import KinguinRefusal, unavailable, violation
from dev.sandbox.wire import Fields
from dev.sandbox.world import World

ITEMS_LIMIT = 10
QTY_LIMIT = 9  # per offer; more is wholesale, which no offer here has
EXTERNAL_ID_LIMIT = 255  # characters


@dataclass(slots=True)
class Wish:
    """One wanted product: so many keys at no more than `limit` EUR each."""

    offer: Offer
    qty: int
    limit: Decimal
    text: bool

    @property
    def total(self) -> Decimal:
        """What it costs at today's price."""
        return self.offer.price * self.qty


def read(world: World, fields: Fields, version: int) -> list[Wish]:
    """The wishes of a body whose products are named by `productId` (v2) or `kinguinId` (v1).

    Raises:
        KinguinRefusal: ConstraintViolation, Preorder or ProductUnavailable.
    """
    rows = fields.get("products")
    if not isinstance(rows, list) or not 1 <= len(rows) <= ITEMS_LIMIT:
        raise violation("products", f"This collection should contain 1 to {ITEMS_LIMIT} elements.")
    wishes = [_wish(world, row, version, f"products[{place}]") for place, row in enumerate(rows)]
    if len({wish.offer.product.product_id for wish in wishes}) < len(wishes):
        raise violation("products", "Products must be unique within one order.")
    preorders = [wish for wish in wishes if wish.offer.preorder]
    if preorders and len(wishes) > 1:
        raise KinguinRefusal("Preorder", 400, "A pre-order must be the only product of an order.")
    if any(wish.text for wish in preorders):
        raise KinguinRefusal("Preorder", 400, "keyType is not allowed for pre-orders.")
    for wish in wishes:
        _must_be_available(wish)
    return wishes


def external_id(world: World, fields: Fields) -> str | None:
    """`orderExternalId`, unless it was used before and duplicates are refused.

    Raises:
        KinguinRefusal: ConstraintViolation, 400 for a bad one, 422 for a used one.
    """
    given = fields.get("orderExternalId")
    if given is None:
        return None
    if not isinstance(given, str) or not 1 <= len(given) <= EXTERNAL_ID_LIMIT:
        raise violation("orderExternalId", "Must be a non-empty string.", str(given)[:80])
    if world.storage.settings.duplicate_mode == "refuse" and world.storage.orders.by_external(given):
        detail = f'Order with orderExternalId "{given}" already exists.'
        raise KinguinRefusal("ConstraintViolation", 422, detail, "orderExternalId", given)
    return given


def _wish(world: World, row: object, version: int, where: str) -> Wish:
    if not isinstance(row, dict):
        raise violation(where, "Must be an object.")
    offer = Offer(world, _product(row, version, where))
    qty, limit, key_type = row.get("qty"), row.get("price"), row.get("keyType")
    if isinstance(qty, bool) or not isinstance(qty, int) or not 1 <= qty <= QTY_LIMIT:
        raise violation(f"{where}.qty", f"Must be between 1 and {QTY_LIMIT}.", str(qty)[:80])
    if isinstance(limit, bool) or not isinstance(limit, (int, Decimal)) or not 0 < limit <= 10**6:
        raise violation(f"{where}.price", "Must be a number greater than 0.")
    if key_type not in (None, "text"):
        raise violation(f"{where}.keyType", 'The only key type is "text".', str(key_type)[:80])
    if row.get("offerId") not in (None, offer.product.offer_id):
        raise unavailable(offer.product.name)
    return Wish(offer, qty, Decimal(limit), key_type == "text")


def _product(row: Fields, version: int, where: str) -> Product:
    if version == 1:
        given = row.get("kinguinId")
        if isinstance(given, bool) or not isinstance(given, int):
            raise violation(f"{where}.kinguinId", "Must be an integer.")
        product = BY_KINGUIN_ID.get(given)
    else:
        given_id = row.get("productId")
        if not isinstance(given_id, str):
            raise violation(f"{where}.productId", "Must be a string.")
        product = BY_PRODUCT_ID.get(given_id)
    if product is None:
        raise unavailable("requested")
    return product


def _must_be_available(wish: Wish) -> None:
    offer = wish.offer
    enough = offer.text_stock if wish.text else offer.stock
    if offer.withdrawn or wish.qty > enough or wish.limit < offer.price:
        raise unavailable(offer.product.name)
