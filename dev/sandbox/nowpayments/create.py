"""Opens payments and invoices."""

from __future__ import annotations

import secrets
from decimal import Decimal

import msgspec

from dev.sandbox.nowpayments import forms
from dev.sandbox.nowpayments.coins import COINS, Coin, usd_rate
from dev.sandbox.nowpayments.refusals import NowRefusal, bad_params, not_found
from dev.sandbox.records import Invoice, Payment, Terms
from dev.sandbox.times import DAY, MINUTE, SECOND, now_ms
from dev.sandbox.wire import Fields
from dev.sandbox.world import World

ESTIMATE_LIFETIME = 20 * MINUTE
FLOATING_LIFETIME = 7 * DAY
FIXED_LIFETIME = 20 * MINUTE

_SHARED = {
    "price_amount", "price_currency", "pay_currency", "ipn_callback_url", "order_id", "order_description",
    "is_fixed_rate", "is_fee_paid_by_user", "payout_address", "payout_currency", "payout_extra_id",
}  # fmt: skip
PAYMENT_FIELDS = _SHARED | {"pay_amount", "purchase_id", "fixed_rate", "case"}
INVOICE_FIELDS = _SHARED | {"success_url", "cancel_url", "partially_paid_url"}
INVOICE_PAYMENT_FIELDS = {
    "iid", "pay_currency", "purchase_id", "order_description", "customer_email", "payout_address",
    "payout_extra_id", "payout_currency", "case",
}  # fmt: skip

# The genuine sandbox's words for `case`; None plays nothing and waits for the panel. Our own cases are taken too.
GENUINE_CASES = {
    "common": None,
    "success": "success",
    "partially_paid": "partially_paid",
    "failed": "failed",
    "fail": "failed",
}


def new_id() -> str:
    """A number of ten digits, as text."""
    return str(10**9 + secrets.randbelow(9 * 10**9))


def open_payment(world: World, fields: Fields, known_cases: frozenset[str]) -> Payment:
    """Make a payment from the body of `POST /payment`.

    Raises:
        NowRefusal: 400, with the reason's code.
    """
    forms.only_known(fields, PAYMENT_FIELDS)
    terms, usd = _terms(world, fields)
    coin = forms.coin(fields)
    amount = forms.number(fields, "pay_amount") or coin.of_usd(usd)
    payment = _payment(world, terms, coin, amount, fields)
    payment.pending_case = _case(fields, known_cases)
    return world.storage.payments.put(payment)


def open_invoice(world: World, fields: Fields) -> Invoice:
    """Make an invoice from the body of `POST /invoice`; the customer's choice of a coin makes its payment.

    Raises:
        NowRefusal: 400, with the reason's code.
    """
    forms.only_known(fields, INVOICE_FIELDS)
    terms, _ = _terms(world, fields)
    invoice = Invoice(
        id=_unused(world),
        terms=terms,
        token_id=new_id(),
        pay_currency=forms.coin(fields).code if fields.get("pay_currency") else None,
        success_url=forms.text(fields, "success_url"),
        cancel_url=forms.text(fields, "cancel_url"),
        partially_paid_url=forms.text(fields, "partially_paid_url"),
        created_at=now_ms(),
    )
    return world.storage.invoices.put(invoice)


def pay_invoice(world: World, fields: Fields, known_cases: frozenset[str]) -> Payment:
    """Make a payment on an invoice, from the body of `POST /invoice-payment`.

    Raises:
        NowRefusal: 400 with the reason's code, 404 for an unknown invoice.
    """
    forms.only_known(fields, INVOICE_PAYMENT_FIELDS)
    iid = fields.get("iid")
    invoice = world.storage.invoices.get(str(iid)) if isinstance(iid, (str, int)) else None
    if invoice is None:
        raise not_found("Invoice")
    coin = forms.coin(fields)
    if invoice.pay_currency and coin.code != invoice.pay_currency:
        raise bad_params(f"This invoice is paid in {invoice.pay_currency}")
    terms = msgspec.structs.replace(
        invoice.terms, order_description=forms.text(fields, "order_description") or invoice.terms.order_description
    )
    payment = _payment(world, terms, coin, coin.of_usd(_in_usd(terms)), fields)
    payment.invoice_id = invoice.id
    payment.pending_case = _case(fields, known_cases)
    return world.storage.payments.put(payment)


def renew_estimate(world: World, payment: Payment) -> Payment:
    """Ask for the rate of the moment; no effect before the old estimate has expired."""
    now = now_ms()
    if payment.estimate_until <= now and payment.status == "waiting":
        payment.pay_amount = COINS[payment.pay_currency].of_usd(_in_usd(payment.terms))
        payment.estimate_until = now + ESTIMATE_LIFETIME
        world.storage.payments.put(payment)
    return payment


def default_callback(world: World) -> str:
    """The IPN address "of the dashboard", for payments that name none."""
    return f"{world.config.shop_url}/webhooks/nowpayments/ipn"


def _terms(world: World, fields: Fields) -> tuple[Terms, Decimal]:
    amount, currency, usd = forms.price(fields)
    by_user = forms.flag(fields, "is_fee_paid_by_user")
    fixed = forms.flag(fields, "is_fixed_rate") or forms.flag(fields, "fixed_rate")
    terms = Terms(
        price_amount=amount,
        price_currency=currency,
        order_id=forms.text(fields, "order_id"),
        order_description=forms.text(fields, "order_description"),
        ipn_url=forms.callback(fields, default_callback(world)),
        fixed_rate=fixed or by_user,  # the fee can only be put on the customer at a rate that doesn't move
        fee_paid_by_user=by_user,
    )
    return terms, usd


def _payment(world: World, terms: Terms, coin: Coin, amount: Decimal, fields: Fields) -> Payment:
    amount = coin.quantize(amount)
    if amount < coin.least():
        raise NowRefusal(400, "AMOUNT_MINIMAL_ERROR", f"Crypto amount {amount:f} is less than minimal")
    purchase_id = forms.text(fields, "purchase_id")
    if purchase_id and not (purchase_id.isascii() and purchase_id.isdigit()):
        raise bad_params('"purchase_id" must be a number')
    now = now_ms()
    lifetime = world.storage.settings.payment_lifetime
    whole = FIXED_LIFETIME if terms.fixed_rate else FLOATING_LIFETIME
    return Payment(
        id=_unused(world),
        terms=terms,
        invoice_id=None,
        purchase_id=purchase_id or new_id(),
        token_id=new_id(),
        pay_amount=amount,
        pay_currency=coin.code,
        pay_address=coin.new_address(),
        memo=coin.new_memo(),
        created_at=now,
        updated_at=now,
        estimate_until=now + ESTIMATE_LIFETIME,
        valid_until=now + (whole if lifetime is None else int(lifetime * SECOND)),
    )


def _in_usd(terms: Terms) -> Decimal:
    return terms.price_amount * (usd_rate(terms.price_currency) or Decimal(1))


def _unused(world: World) -> str:
    while (number := new_id()) in world.storage.payments or number in world.storage.invoices:
        pass
    return number


def _case(fields: Fields, known: frozenset[str]) -> str | None:
    case = forms.text(fields, "case")
    if case is None:
        return None
    if case not in GENUINE_CASES and case not in known:
        raise bad_params(f'"case" must be one of {", ".join(sorted({*GENUINE_CASES, *known}))}')
    return GENUINE_CASES.get(case, case)
