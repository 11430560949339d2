"""The JSON shapes of Kinguin's orders (fact sheet, section 4)."""

from __future__ import annotations

from decimal import Decimal

from dev.sandbox.records import KeySlot, Order, Row
from dev.sandbox.times import seconds_offset
from dev.sandbox.wire import Fields

BUYER = "shop@example.com"


def created(order: Order) -> Fields:
    """The answer of a purchase: it says `processing`, however fast the keys came."""
    return _order(order, "processing", with_keys=False)


def shown(order: Order) -> Fields:
    """The answer of `GET /v1/order/{orderId}`, with the state of each key."""
    return _order(order, order.status, with_keys=True)


def key(row: Row, slot: KeySlot) -> Fields:
    """One row of the keys call."""
    return {
        "id": slot.id,
        "serial": slot.serial,
        "type": slot.type,
        "name": row.name,
        "kinguinId": row.kinguin_id,
        "offerId": row.offer_id,
        "productId": row.product_id,
    }


def _order(order: Order, status: str, *, with_keys: bool) -> Fields:
    preorder = any(row.is_preorder for row in order.rows)
    found: Fields = {
        "totalPrice": sum((row.price * row.qty for row in order.rows), Decimal(0)),
        "requestTotalPrice": sum((row.request_price * row.qty for row in order.rows), Decimal(0)),
        "status": status,
        "userEmail": BUYER,
        "storeId": 1,
        "createdAt": seconds_offset(order.created_at),
        "orderId": order.id,
        "paymentPrice": order.charged,
        "products": [_row(row, with_keys) for row in order.rows],
        "totalQty": sum(row.qty for row in order.rows),
        "isPreorder": preorder,
    }
    if order.external_id is not None:
        found["orderExternalId"] = order.external_id
    if preorder:
        found["preorderReleaseDate"] = order.rows[0].release_date
    return found


def _row(row: Row, with_keys: bool) -> Fields:
    found: Fields = {
        "kinguinId": row.kinguin_id,
        "offerId": row.offer_id,
        "productId": row.product_id,
        "qty": row.qty,
        "name": row.name,
        "price": row.price,
        "totalPrice": row.price * row.qty,
        "requestPrice": row.request_price,
        "isPreorder": row.is_preorder,
        "releaseDate": row.release_date,
    }
    if row.key_type:
        found["keyType"] = row.key_type
    if with_keys:
        found["keys"] = [{"id": slot.id, "status": slot.status} for slot in row.keys]
    return found
