"""The control API's JSON: camelCase where it is ours, the provider's own shape where it is theirs."""

from __future__ import annotations

from dev.sandbox.jstext import number_text
from dev.sandbox.kinguin import orders
from dev.sandbox.kinguin.products import Offer
from dev.sandbox.nowpayments import payouts
from dev.sandbox.nowpayments import views as now
from dev.sandbox.panel.actions import SETTINGS
from dev.sandbox.records import Batch, Fault, Mail, Notice, Order, Payment, Settings
from dev.sandbox.times import zulu
from dev.sandbox.wire import Fields

_SECRET_HEADERS = frozenset({"x-event-secret"})


def payment(it: Payment) -> Fields:
    """A payment as `GET /payment/{id}` has it, with what only the sandbox knows."""
    return now.status(it) | {"ipn_callback_url": it.terms.ipn_url, "valid_until": zulu(it.valid_until)}


def payout(it: Batch) -> Fields:
    """A payout as `GET /payout/{id}` has it, with how it was verified."""
    return payouts.shown(it) | {"tries": it.tries, "verified": it.step is not None}


def ipn(it: Notice) -> Fields:
    """One IPN in the answer of a play; `status` is the shop's last HTTP status, None before the first."""
    return {
        "id": it.id,
        "title": it.title,
        "state": it.state,
        "status": last_status(it),
        "attempts": len(it.attempts),
    }


def last_status(it: Notice) -> int | None:
    """What the shop answered last."""
    return it.attempts[-1].status if it.attempts else None


def notice(it: Notice) -> Fields:
    """One line of the log of notices; secrets in headers are left out."""
    return ipn(it) | {
        "provider": it.provider,
        "url": it.url,
        "headers": {name: value for name, value in it.headers.items() if name not in _SECRET_HEADERS},
        "body": it.body,
        "createdAt": zulu(it.created_at),
        "attempts": [{"at": zulu(a.at), "status": a.status, "error": a.error} for a in it.attempts],
    }


def order(it: Order, *, with_keys: bool) -> Fields:
    """A Kinguin order with what was charged; serials only where asked for."""
    found: Fields = {
        "orderId": it.id,
        "orderExternalId": it.external_id,
        "status": it.status,
        "charged": number_text(it.charged),
        "credited": number_text(it.credited),
        "currency": "EUR",
        "products": [
            {
                "productId": row.product_id,
                "kinguinId": row.kinguin_id,
                "name": row.name,
                "qty": row.qty,
                "price": number_text(row.price),
                "keyType": row.key_type,
            }
            for row in it.rows
        ],
        "keysDelivered": len(orders.delivered(it)),
        "createdAt": zulu(it.created_at),
        "updatedAt": zulu(it.updated_at),
    }
    if with_keys:
        found["keys"] = [
            {"id": key.id, "type": key.type, "status": key.status, "serial": key.serial} for key in orders.all_keys(it)
        ]
    return found


def product(it: Offer) -> Fields:
    """A product as it stands, and how it is set to behave."""
    return {
        "productId": it.product.product_id,
        "kinguinId": it.product.kinguin_id,
        "name": it.product.name,
        "stock": it.stock,
        "textStock": it.text_stock,
        "price": number_text(it.price),
        "delay": it.overrides.delay,
        "partial": it.overrides.partial,
        "image": it.image,
        "mode": it.overrides.mode,
        "countries": it.overrides.countries or [],
        "tags": it.product.tags if it.overrides.tags is None else it.overrides.tags,
    }


def mail(it: Mail, *, brief: bool = False) -> Fields:
    """A mail with everything in it, or who got what."""
    if brief:
        return {"id": it.id, "to": it.to, "subject": it.subject}
    return {
        "id": it.id,
        "from": it.sender,
        "to": it.to,
        "cc": it.cc,
        "bcc": it.bcc,
        "replyTo": it.reply_to,
        "subject": it.subject,
        "html": it.html,
        "text": it.text,
        "headers": it.headers,
        "tags": it.tags,
        "attachments": it.attachments,
        "idempotencyKey": it.idempotency_key,
        "lastEvent": it.last_event,
        "createdAt": zulu(it.created_at),
    }


def fault(it: Fault) -> Fields:
    """A switched-on fault; `count` is how often it still fires."""
    return {
        "id": it.id,
        "provider": it.provider,
        "mode": it.mode,
        "rate": it.rate,
        "count": it.left,
        "seconds": it.seconds,
        "path": it.path,
        "fired": it.fired,
    }


def settings(it: Settings) -> Fields:
    """All settings under their JSON names."""
    return {name: getattr(it, attribute) for name, attribute in SETTINGS.items()}
