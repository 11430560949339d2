"""The JSON shapes of NOWPayments, with its habit of spelling one id now as text, now as a number."""

from __future__ import annotations

from dev.sandbox.jstext import number_text
from dev.sandbox.nowpayments.coins import COINS, SETTLEMENT, Coin
from dev.sandbox.records import Invoice, Payment
from dev.sandbox.times import zulu
from dev.sandbox.wire import Fields
from dev.sandbox.world import World


def created(payment: Payment) -> Fields:
    """The answer of `POST /payment`: `payment_id` and `purchase_id` are strings."""
    coin, terms = COINS[payment.pay_currency], payment.terms
    return {
        "payment_id": payment.id,
        "payment_status": payment.status,
        "pay_address": payment.pay_address,
        "price_amount": terms.price_amount,
        "price_currency": terms.price_currency,
        "pay_amount": payment.pay_amount,
        "pay_currency": payment.pay_currency,
        "order_id": terms.order_id,
        "order_description": terms.order_description,
        "ipn_callback_url": terms.ipn_url,
        "created_at": zulu(payment.created_at),
        "updated_at": zulu(payment.updated_at),
        "purchase_id": payment.purchase_id,
        "amount_received": None,
        "payin_extra_id": payment.memo,
        "smart_contract": coin.contract or "",
        "network": coin.network,
        "network_precision": coin.precision,
        "time_limit": None,
        "burning_percent": None,
        "expiration_estimate_date": zulu(payment.estimate_until),
        "is_fixed_rate": terms.fixed_rate,
        "is_fee_paid_by_user": terms.fee_paid_by_user,
        "valid_until": zulu(payment.valid_until),
        "type": "crypto2crypto",
    }


def status(payment: Payment) -> Fields:
    """The answer of `GET /payment/{id}`: ids are numbers, `burning_percent` the four letters "null"."""
    terms = payment.terms
    return {
        "payment_id": int(payment.id),
        "invoice_id": int(payment.invoice_id) if payment.invoice_id else None,
        "payment_status": payment.status,
        "pay_address": payment.pay_address,
        "payin_extra_id": payment.memo,
        "price_amount": terms.price_amount,
        "price_currency": terms.price_currency,
        "pay_amount": payment.pay_amount,
        "actually_paid": payment.actually_paid,
        "actually_paid_at_fiat": 0,
        "pay_currency": payment.pay_currency,
        "order_id": terms.order_id,
        "order_description": terms.order_description,
        "purchase_id": int(payment.purchase_id),
        "outcome_amount": payment.outcome_amount,
        "outcome_currency": SETTLEMENT.code,
        "payout_hash": None,
        "payin_hash": payment.payin_hash,
        "created_at": zulu(payment.created_at),
        "updated_at": zulu(payment.updated_at),
        "burning_percent": "null",
        "type": "crypto2crypto",
        "payment_extra_ids": [int(extra) for extra in payment.extra_ids] if payment.extra_ids else None,
        **({"parent_payment_id": int(payment.parent_id)} if payment.parent_id else {}),
    }


def invoice(world: World, it: Invoice) -> Fields:
    """The answer of `POST /invoice`: id and `price_amount` are strings, and there is no status."""
    terms = it.terms
    return {
        "id": it.id,
        "token_id": it.token_id,
        "order_id": terms.order_id,
        "order_description": terms.order_description,
        "price_amount": number_text(terms.price_amount),
        "price_currency": terms.price_currency,
        "pay_currency": it.pay_currency,
        "ipn_callback_url": terms.ipn_url,
        "invoice_url": f"{world.config.own_url}/sandbox/invoice/{it.id}",
        "success_url": it.success_url,
        "cancel_url": it.cancel_url,
        "partially_paid_url": it.partially_paid_url,
        "payout_currency": None,
        "created_at": zulu(it.created_at),
        "updated_at": zulu(it.created_at),
        "is_fixed_rate": terms.fixed_rate,
        "is_fee_paid_by_user": terms.fee_paid_by_user,
    }


def full_currency(number: int, coin: Coin) -> Fields:
    """One row of `GET /full-currencies`: codes in upper case, `network_precision` a string."""
    return {
        "id": number,
        "code": coin.code.upper(),
        "name": coin.name,
        "enable": True,
        "network": coin.network,
        "ticker": "usdt" if coin.code.startswith("usdt") else "usdc" if coin.code.startswith("usdc") else coin.code,
        "smart_contract": coin.contract,
        "precision": coin.precision,
        "network_precision": str(coin.precision),
        "extra_id_exists": coin.memo,
        "extra_id_optional": False,
        "extra_id_regex": "^[0-9]{1,10}$" if coin.memo else None,
        "available_for_payment": True,
        "available_for_payout": True,
        "is_maxlimit": False,
        "is_popular": coin.code in {"btc", "eth", "usdttrc20"},
        "is_stable": coin.stable,
        "logo_url": f"/images/coins/{coin.code}.svg",
    }
