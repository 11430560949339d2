"""The IPN: the captured body, its signature, and the ways in which one can be wrong (fact sheet, section 6)."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from dev.sandbox import jstext
from dev.sandbox.nowpayments.coins import SETTLEMENT
from dev.sandbox.records import Notice, Payment
from dev.sandbox.times import now_ms
from dev.sandbox.wire import Fields
from dev.sandbox.world import World

TRIES = 4  # the dashboard's example: 3 recurrent notifications after the first

GENUINE, FORGED, UNSIGNED, UNSORTED = "genuine", "forged", "unsigned", "unsorted"


def body(payment: Payment) -> Fields:
    """The members of an IPN, in the order of the genuine captures."""
    terms = payment.terms
    return {
        "actually_paid": payment.actually_paid,
        "actually_paid_at_fiat": 0,
        "fee": {
            "currency": SETTLEMENT.code,
            "depositFee": payment.deposit_fee,
            "serviceFee": payment.service_fee,
            "withdrawalFee": 0,
        },
        "invoice_id": int(payment.invoice_id) if payment.invoice_id else None,
        "order_description": terms.order_description,
        "order_id": terms.order_id,
        "outcome_amount": payment.outcome_amount,
        "outcome_currency": SETTLEMENT.code,
        "parent_payment_id": int(payment.parent_id) if payment.parent_id else None,
        "pay_address": payment.pay_address,
        "pay_amount": payment.pay_amount,
        "pay_currency": payment.pay_currency,
        "payin_extra_id": payment.memo,
        "payment_extra_ids": [int(extra) for extra in payment.extra_ids] if payment.extra_ids else None,
        "payment_id": int(payment.id),
        "payment_status": payment.status,
        "price_amount": terms.price_amount,
        "price_currency": terms.price_currency,
        "purchase_id": payment.purchase_id,
        "updated_at": payment.updated_at,
    }


def signature(secret: str, text: bytes) -> str:
    """Hex HMAC-SHA512 over the sorted, compact text."""
    return hmac.new(secret.encode(), text, hashlib.sha512).hexdigest()


def letter(world: World, url: str, members: Fields, dress: str = GENUINE) -> Notice:
    """The notice that carries these members.

    `dress`: genuine; forged (signed with a wrong secret) and unsigned, which nobody repeats; unsorted (a pretty
    body in shuffled order whose signature fits its sorted compact form only).
    """
    canonical = jstext.dumps(members, ordered=True)
    text = canonical
    headers = {"content-type": "application/json"}
    if dress == UNSORTED:
        text = jstext.pretty(dict(reversed(members.items())))
    if dress != UNSIGNED:
        secret = world.config.nowpayments_ipn_secret + ("-not" if dress == FORGED else "")
        headers["x-nowpayments-sig"] = signature(secret, canonical)
    number = str(members["payment_id"])
    notice = _notice(url, f"payment {number}", f"{number} {members['payment_status']}", headers, text)
    if dress != GENUINE:
        notice.title += f" ({dress})"
        notice.tries = 1 if dress in {FORGED, UNSIGNED} else TRIES
    return notice


def payout_letter(world: World, url: str, members: Fields) -> Notice:
    """The notice about a withdrawal, signed as all are."""
    text = jstext.dumps(members, ordered=True)
    secret = world.config.nowpayments_ipn_secret
    headers = {"content-type": "application/json", "x-nowpayments-sig": signature(secret, text)}
    return _notice(url, f"payout {members['id']}", f"payout {members['id']} {members['status']}", headers, text)


def _notice(url: str, lane: str, title: str, headers: dict[str, str], text: bytes) -> Notice:
    return Notice(
        id=secrets.token_hex(8),
        provider="nowpayments",
        lane=lane,
        title=title,
        url=url,
        headers=headers,
        body=text.decode(),
        created_at=now_ms(),
        tries=TRIES,
    )
