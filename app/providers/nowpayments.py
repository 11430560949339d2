"""NOWPayments over HTTP (sheet ``nowpayments.md``): invoices, payments, minimums, and the reading of reports.

There is no idempotency there (section 4): ``create_invoice``, ``pay_invoice`` and ``create_payment`` may have
happened although they failed with ``may_have_happened``; write the attempt down before calling them.
"""

from decimal import Decimal
from typing import Any
from urllib.parse import quote

import httpx

from app.core.money import plain
from app.providers import nowpayments_answers as answers
from app.providers import shapes
from app.providers.answers import MAX_ANSWER_BYTES
from app.providers.errors import ApiKeyRejected, Fault, Observer, ProviderError, ProviderRefused
from app.providers.http import TOTAL_SECONDS, HttpProvider
from app.providers.lenient_json import parse_lenient
from app.providers.nowpayments_answers import (
    ChosenCoins,
    Coin,
    Invoice,
    MinAmount,
    PaymentReport,
    ident_of,
    read_report,
)

__all__ = [
    "AmountTooLarge",
    "AmountTooSmall",
    "ChosenCoins",
    "Coin",
    "CoinUnavailable",
    "Invoice",
    "MinAmount",
    "NowPayments",
    "PaymentReport",
    "PaymentUnknown",
    "ident_of",
    "read_report",
]


class AmountTooSmall(ProviderRefused):
    """Below the coin's minimum of the moment: another coin, or a larger order."""


class AmountTooLarge(ProviderRefused):
    """Above the coin's maximum."""


class CoinUnavailable(ProviderRefused):
    """The coin is switched off, or can't be converted now."""


class PaymentUnknown(ProviderRefused):
    """No such payment, or one that another API key made: both read the same."""


REFUSALS = {
    "INVALID_API_KEY": ApiKeyRejected,
    "ENDPOINT_NOT_ALLOWED": ApiKeyRejected,
    "AMOUNT_MINIMAL_ERROR": AmountTooSmall,
    "AMOUNT_MAXIMAL_ERROR": AmountTooLarge,
    "CURRENCY_UNAVAILABLE": CoinUnavailable,
    "NOT_FOUND": PaymentUnknown,
}


class NowPayments(HttpProvider):
    """``base_url`` ends in ``/v1``. Amounts are Decimals, coins codes such as ``usdttrc20`` in any case."""

    provider = "nowpayments"

    def __init__(
        self,
        base_url: str,
        api_key: str,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        observer: Observer | None = None,
        total_seconds: float = TOTAL_SECONDS,
    ) -> None:
        super().__init__(
            base_url,
            {"x-api-key": api_key},
            secret=api_key,
            transport=transport,
            observer=observer,
            total_seconds=total_seconds,
        )

    async def status(self) -> str:
        """Their word for being up, ``OK``."""
        return await self.ask("status", "GET", "/status", answers.message)

    async def health(self) -> None:
        """Returns if the service is up, raises ProviderError if not. ``/status`` does not look at the key."""
        await self.status()

    async def currencies(self) -> frozenset[str]:
        """Codes of the coins one can pay in."""
        return await self.ask("currencies", "GET", "/currencies", answers.codes)

    async def coins(self) -> list[Coin]:
        """The coins the merchant chose that can be paid in now, in the merchant's order. Two calls."""
        return list((await self.chosen_coins()).on)

    async def chosen_coins(self) -> ChosenCoins:
        """The same, with those of which nothing can be told. Two calls."""
        chosen = await self.ask("merchant_coins", "GET", "/merchant/coins", answers.selected)
        known = await self.ask("full_currencies", "GET", "/full-currencies", answers.coins)
        on = tuple(coin for code in chosen if (coin := known.get(code)))
        return ChosenCoins(on, tuple(code for code in chosen if code not in known))

    async def min_amount(self, coin: str, *, payout_coin: str | None = None, fiat: str = "usd") -> MinAmount:
        """The least payable amount; it moves with network fees, so keep it for minutes only.

        Without ``payout_coin`` the provider computes another pair (section 2). Raises CoinUnavailable.
        """
        query = {"currency_from": coin.lower(), "fiat_equivalent": fiat.lower()}
        if payout_coin:
            query["currency_to"] = payout_coin.lower()
        return await self.ask("min_amount", "GET", "/min-amount", answers.min_amount, query=query)

    async def estimate(self, amount: Decimal, fiat: str, coin: str) -> Decimal:
        """What ``amount`` of ``fiat`` is in ``coin`` now."""
        query = {
            "amount": plain(shapes.exact(amount)),
            "currency_from": fiat.lower(),
            "currency_to": coin.lower(),
        }
        return await self.ask("estimate", "GET", "/estimate", answers.estimated, query=query)

    async def create_invoice(
        self,
        *,
        price_amount: Decimal,
        price_currency: str,
        order_id: str,
        order_description: str,
        ipn_callback_url: str,
        success_url: str | None = None,
        cancel_url: str | None = None,
        partially_paid_url: str | None = None,
        pay_currency: str | None = None,
        is_fixed_rate: bool | None = None,
        is_fee_paid_by_user: bool | None = None,
    ) -> Invoice:
        """A hosted page for the order; several for one order are legal. ``pay_currency`` locks the coin."""
        body = _order(price_amount, price_currency, order_id, order_description, ipn_callback_url) | _given(
            success_url=success_url,
            cancel_url=cancel_url,
            partially_paid_url=partially_paid_url,
            pay_currency=pay_currency and pay_currency.lower(),
            is_fixed_rate=is_fixed_rate,
            is_fee_paid_by_user=is_fee_paid_by_user,
        )
        return await self.ask("create_invoice", "POST", "/invoice", answers.invoice, body=body)

    async def pay_invoice(
        self, invoice_id: str, coin: str, *, order_description: str | None = None, email: str | None = None
    ) -> PaymentReport:
        """A payment in ``coin`` on the invoice, with its address and amount."""
        optional = _given(order_description=order_description, customer_email=email)
        body = {"iid": invoice_id, "pay_currency": coin.lower()} | optional
        return await self.ask("pay_invoice", "POST", "/invoice-payment", answers.report, body=body)

    async def create_payment(
        self,
        *,
        price_amount: Decimal,
        price_currency: str,
        pay_currency: str,
        order_id: str,
        order_description: str,
        ipn_callback_url: str,
        purchase_id: str | None = None,
        is_fixed_rate: bool | None = None,
        is_fee_paid_by_user: bool | None = None,
    ) -> PaymentReport:
        """A payment without a hosted page. ``purchase_id`` makes it the top-up of a partially paid one."""
        body = _order(price_amount, price_currency, order_id, order_description, ipn_callback_url) | _given(
            pay_currency=pay_currency.lower(),
            purchase_id=purchase_id,
            is_fixed_rate=is_fixed_rate,
            is_fee_paid_by_user=is_fee_paid_by_user,
        )
        return await self.ask("create_payment", "POST", "/payment", answers.report, body=body)

    async def payment(self, payment_id: str) -> PaymentReport:
        """What the provider knows of the payment now. Raises PaymentUnknown."""
        return await self.ask("payment", "GET", f"/payment/{quote(payment_id, safe='')}", answers.report)

    def parse(self, call: str, body: bytes) -> Any:
        """The list of all coins is read leniently: the name of one must not hide the others."""
        lenient = call == "full_currencies"
        return parse_lenient(body, max_bytes=MAX_ANSWER_BYTES) if lenient else super().parse(call, body)

    def explain(self, fault: Fault) -> ProviderError | None:
        if fault.code in REFUSALS and fault.status < 500 and fault.status != 429:
            return fault.refused(REFUSALS[fault.code])
        if fault.code == "BAD_REQUEST" and "convertable" in fault.detail.lower():
            return fault.refused(CoinUnavailable)
        return None


def _order(amount: Decimal, currency: str, order_id: str, description: str, ipn_url: str) -> dict[str, object]:
    return {
        "price_amount": shapes.exact(amount),
        "price_currency": currency.lower(),
        "order_id": order_id,
        "order_description": description,
        "ipn_callback_url": ipn_url,
    }


def _given(**optional: object) -> dict[str, object]:
    # Some calls refuse members they don't know (section 7), so nothing is sent that was not given.
    return {name: value for name, value in optional.items() if value is not None}
