"""Kinguin's webhooks: a plain secret in a header, a misspelt content type (fact sheet, section 7)."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from dev.sandbox import jstext
from dev.sandbox.kinguin.products import Offer
from dev.sandbox.records import Notice, Order
from dev.sandbox.times import millis_offset, now_ms
from dev.sandbox.wire import Fields
from dev.sandbox.world import World

TRIES = 5  # "several times"


def order_status(world: World, order: Order) -> Notice:
    """The notice that an order's status has changed."""
    members: Fields = {
        "orderId": order.id,
        "orderExternalId": order.external_id,
        "status": order.status,
        "updatedAt": millis_offset(order.updated_at),
    }
    return _notice(world, "order.status", members, f"order {order.id}", f"{order.id} {order.status}")


def product_update(world: World, offer: Offer) -> Notice:
    """The notice that a product's stock or price has changed."""
    product = offer.product
    members: Fields = {
        "kinguinId": product.kinguin_id,
        "productId": product.product_id,
        "qty": offer.stock,
        "textQty": offer.text_stock,
        "cheapestOfferId": [product.offer_id] if offer.stock > 0 else [],
        "updatedAt": millis_offset(offer.updated_at),
    }
    return _notice(world, "product.update", members, f"product {product.product_id}", product.title)


def _notice(world: World, event: str, members: Fields, lane: str, what: str) -> Notice:
    body = jstext.dumps(members)
    headers = {
        "content-type": "aplication/json",
        "x-event-name": event,
        "x-event-secret": world.config.kinguin_webhook_secret,
    }
    if secret := world.config.kinguin_signature_secret:
        headers["x-kinguin-signature"] = hmac.new(secret.encode(), body, hashlib.sha512).hexdigest()
    return Notice(
        id=secrets.token_hex(8),
        provider="kinguin",
        lane=lane,
        title=f"{event} {what}",
        url=f"{world.config.shop_url}/webhooks/kinguin",
        headers=headers,
        body=body.decode(),
        created_at=now_ms(),
        tries=TRIES,
        empty_answer=True,
    )
