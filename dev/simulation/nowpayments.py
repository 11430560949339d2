"""NOWPayments as its sheet tells it: invoices, payments, deposits with their walk, and a signed notice at each step."""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx

from dev.simulation.faults import Faults
from dev.simulation.scheduler import Scheduler
from dev.simulation.wire import Answer, encode

COINS = {"usdttrc20": ("Tether USD", "trx", Decimal(1)), "ltc": ("Litecoin", "ltc", Decimal(80)),
         "btc": ("Bitcoin", "btc", Decimal(60_000))}  # code → name, network, dollars a coin  # fmt: skip
SATOSHI = Decimal("0.00000001")
EXPIRES = 20 * 60  # seconds of a fixed rate (section 5)
SEEN = (1.0, 15.0)  # seconds until a deposit shows on the chain
STEP = (0.5, 20.0)  # seconds from one status to the next
COVERING = Decimal("0.995")  # the share of the amount from which the provider calls it finished
PATH = "/webhooks/nowpayments/ipn"


@dataclass(eq=False)
class Payment:
    """One payment in the provider's books. ``actually_paid`` in whole coins."""

    id: str
    order_id: str
    price_amount: Decimal
    price_currency: str
    pay_amount: Decimal
    pay_currency: str
    created: datetime
    invoice_id: str | None = None
    parent_id: str | None = None
    status: str = "waiting"
    actually_paid: Decimal = Decimal(0)
    touched: int = 0
    extra: list[int] = field(default_factory=list)


@dataclass
class NowPayments:
    """``send_webhook`` takes a notice on its way: path, headers, body. ``secret`` signs it."""

    scheduler: Scheduler
    faults: Faults
    secret: str
    send_webhook: Callable[[str, dict[str, str], bytes], None] = lambda *_: None
    name: str = "nowpayments"
    payments: dict[str, Payment] = field(default_factory=dict)
    invoices: dict[str, dict[str, Any]] = field(default_factory=dict)
    _last: int = 5_000_000_000

    def answer(self, method: str, path: str, query: Mapping[str, str], body: Any, headers: httpx.Headers) -> Answer:
        match (method, path.rsplit("/v1", 1)[-1].strip("/").split("/")):
            case ("GET", ["merchant", "coins"]):
                return 200, {"selectedCurrencies": [code.upper() for code in COINS]}
            case ("GET", ["full-currencies"]):
                return 200, {"currencies": [_coin(code) for code in COINS]}
            case ("GET", ["min-amount"]):
                return 200, {"min_amount": 0.01, "fiat_equivalent": Decimal("0.50")}
            case ("GET", ["estimate"]):
                rate = COINS[query["currency_to"]][2]
                return 200, {"estimated_amount": str((Decimal(query["amount"]) / rate).quantize(SATOSHI))}
            case ("POST", ["invoice"]):
                return 201, self._invoice(body)
            case ("POST", ["invoice-payment"]):
                return 201, self._pay(self.invoices[str(body["iid"])], body["pay_currency"], str(body["iid"]))
            case ("POST", ["payment"]):
                return 201, self._pay(body, body["pay_currency"], None)
            case ("GET", ["payment", number]) if number in self.payments:
                return 200, self._shown(self.payments[number])
        return 404, {"status": False, "statusCode": 404, "code": "NOT_FOUND", "message": "not found"}

    def broken(self) -> Answer:
        return 500, {"status": False, "statusCode": 500, "code": "INTERNAL_ERROR", "message": "Internal server error"}

    def of_order(self, order_id: str) -> list[Payment]:
        return [payment for payment in self.payments.values() if payment.order_id == order_id]

    def _number(self) -> str:
        self._last += 1
        return str(self._last)

    def _invoice(self, body: dict[str, Any]) -> dict[str, Any]:
        number = self._number()
        self.invoices[number] = body
        return {"id": number, "invoice_url": f"https://pay.invalid/?iid={number}", "order_id": body["order_id"]}

    def _pay(self, terms: dict[str, Any], coin: str, invoice_id: str | None) -> dict[str, Any]:
        price, now = Decimal(str(terms["price_amount"])), self.scheduler.now()
        amount = (price / COINS[coin][2]).quantize(SATOSHI)
        made = Payment(self._number(), terms["order_id"], price, terms["price_currency"], amount, coin, now, invoice_id)
        self.payments[made.id] = made
        self.scheduler.after(EXPIRES, lambda: self._expire(made))
        until = (now + timedelta(seconds=EXPIRES)).isoformat()
        network, address = COINS[coin][1], f"addr{made.id}"
        return self._shown(made) | {
            "payment_id": made.id, "pay_address": address, "network": network, "expiration_estimate_date": until,
        }  # fmt: skip

    def _shown(self, payment: Payment) -> dict[str, Any]:
        return {
            "payment_id": int(payment.id), "invoice_id": payment.invoice_id and int(payment.invoice_id),
            "payment_status": payment.status, "pay_address": f"addr{payment.id}", "payin_extra_id": None,
            "price_amount": payment.price_amount, "price_currency": payment.price_currency,
            "pay_amount": payment.pay_amount, "actually_paid": payment.actually_paid,
            "pay_currency": payment.pay_currency, "order_id": payment.order_id, "purchase_id": int(payment.id),
            "outcome_amount": payment.actually_paid * COINS[payment.pay_currency][2], "outcome_currency": "usdttrc20",
            "updated_at": payment.touched, "payment_extra_ids": list(payment.extra) or None,
            "parent_payment_id": int(payment.parent_id) if payment.parent_id else None,
        }  # fmt: skip

    def deposit(self, payment: Payment, coins: Decimal, coin: str | None = None) -> None:
        """The customer sends coins to the payment's address; what is seen of it comes step by step."""
        self.scheduler.after(self.faults.chance.uniform(*SEEN), lambda: self._arrive(payment, coins, coin))

    def _arrive(self, payment: Payment, coins: Decimal, coin: str | None) -> None:
        if coin is not None or payment.status not in {"waiting", "expired"}:
            number, now = self._number(), self.scheduler.now()
            payment.extra.append(int(number))
            payment = replace(payment, id=number, parent_id=payment.id, created=now, status="waiting", extra=[])
            if coin is not None:  # another coin has its own rate
                rate = COINS[payment.pay_currency][2] / COINS[coin][2]
                payment.pay_amount = (payment.pay_amount * rate).quantize(SATOSHI)
                payment.pay_currency, coins = coin, (coins * rate).quantize(SATOSHI)
            self.payments[number] = payment
        payment.actually_paid = coins
        enough = coin is None and coins >= payment.pay_amount * COVERING
        self._walk(payment, ["confirming", "confirmed", "sending", "finished" if enough else "partially_paid"])

    def _walk(self, payment: Payment, statuses: list[str]) -> None:
        while len(statuses) > 1 and self.faults.strikes("status skipped"):
            statuses = statuses[1:]
        self._step(payment, statuses[0])
        if len(statuses) > 1:
            self.scheduler.after(self.faults.chance.uniform(*STEP), lambda: self._walk(payment, statuses[1:]))

    def _expire(self, payment: Payment) -> None:
        if payment.status == "waiting":
            self._step(payment, "expired")

    def fail(self, payment: Payment) -> None:
        """It goes wrong at the provider."""
        if payment.status == "waiting":
            self._step(payment, "failed")

    def _step(self, payment: Payment, status: str) -> None:
        payment.status = status
        payment.touched = int(self.scheduler.now().timestamp() * 1000)
        self.scheduler.say(f"nowpayments {payment.id} is {status}")
        self.notify(self._shown(payment))
        if self.faults.strikes("notice forged"):
            lie = self._shown(payment) | {"payment_status": "finished", "actually_paid": payment.pay_amount}
            self.send_webhook(PATH, {"x-nowpayments-sig": "0" * 128}, encode(lie))

    def notify(self, said: dict[str, Any]) -> None:
        """Send a genuine notice."""
        body = encode(said)
        self.send_webhook(
            PATH, {"x-nowpayments-sig": hmac.new(self.secret.encode(), body, hashlib.sha512).hexdigest()}, body
        )


def _coin(code: str) -> dict[str, Any]:
    name, network, _ = COINS[code]
    return {"code": code.upper(), "name": name, "network": network, "enable": True, "available_for_payment": True}
