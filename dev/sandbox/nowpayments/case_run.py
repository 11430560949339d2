"""One deposit as it goes through NOWPayments: what arrives, how the status moves, which IPNs leave."""

from __future__ import annotations

import secrets
from decimal import Decimal

import msgspec

from dev.sandbox.nowpayments import create, ipn
from dev.sandbox.nowpayments.coins import COINS, SETTLEMENT, Coin, other_coin
from dev.sandbox.records import ZERO, Notice, Payment
from dev.sandbox.times import now_ms
from dev.sandbox.wire import Fields
from dev.sandbox.world import World

ROAD = ("waiting", "confirming", "confirmed", "sending", "finished")
CLOSED = frozenset({"finished", "partially_paid", "failed", "refunded"})
SERVICE_FEE = Decimal("0.005")  # NOWPayments' published share of each payment


class Impossible(Exception):
    """The case can't be played on a payment in this state; the text says why."""


class CaseRun:
    """The steps of one case on one payment; `sent` collects the IPNs, `child` the payment a repeated deposit made.

    `fraction` is the share of `pay_amount` that the customer sends.
    """

    def __init__(self, world: World, payment: Payment, fraction: Decimal) -> None:
        self.world, self.payment, self.fraction = world, payment, fraction
        self.sent: list[Notice] = []
        self.child: Payment | None = None
        self.copies = 1

    @property
    def closed(self) -> bool:
        """Whether this payment takes no more money: a further deposit becomes a payment of its own."""
        return self.payment.status in CLOSED

    def must_be_open(self) -> None:
        """Refuse a case that only an unfinished payment can go through."""
        if self.closed:
            raise Impossible(f"the payment is {self.payment.status} already")

    def arrive(self) -> None:
        """The customer's coins are seen, unless they were before."""
        payment = self.payment
        if not payment.actually_paid:
            coin = COINS[payment.pay_currency]
            payment.actually_paid = coin.quantize(payment.pay_amount * self.fraction)
            payment.payin_hash = secrets.token_hex(32)

    def move(self, status: str) -> Fields:
        """Change the status and write it down; returns the members of its IPN, not yet sent."""
        payment = self.payment
        payment.status = status
        payment.updated_at = max(now_ms(), payment.updated_at + 1)
        if status in {"finished", "partially_paid"}:
            _settle(payment)
        self.world.storage.payments.put(payment)
        return ipn.body(payment)

    def tell(self, members: Fields, dress: str = ipn.GENUINE) -> None:
        """Send an IPN with these members."""
        for _ in range(self.copies):
            notice = ipn.letter(self.world, self.payment.terms.ipn_url, members, dress)
            self.sent.append(self.world.sender.send(notice))

    def step(self, status: str, dress: str = ipn.GENUINE) -> None:
        """Change the status and tell the shop."""
        self.tell(self.move(status), dress)

    def ending(self) -> str:
        """Where this deposit ends: finished, or partially_paid if it covers too little."""
        covering = 1 - self.world.storage.settings.covering_percent / 100
        enough = self.payment.actually_paid >= self.payment.pay_amount * covering
        return "finished" if enough else "partially_paid"

    def walk(self, last: str = "finished") -> None:
        """Go on through the statuses up to `last`, one IPN each; too little ends in partially_paid."""
        here = ROAD.index(self.payment.status) if self.payment.status in ROAD else 0
        for status in ROAD[here + 1 : ROAD.index(last) + 1]:
            if status != "confirming" and self.ending() == "partially_paid":
                self.step("partially_paid")
                return
            self.step(status)

    def repeat(self, coin: Coin | None = None, fraction: Decimal | None = None) -> Payment:
        """A further deposit to the same address: a new payment with `parent_payment_id`, and its IPN.

        With another `coin` it is a wrong-asset deposit, which the shop's settings turn into partially_paid.
        """
        parent = self.payment
        paid_in = coin or COINS[parent.pay_currency]
        pay_amount = paid_in.of_usd(COINS[parent.pay_currency].usd * parent.pay_amount) if coin else parent.pay_amount
        now = now_ms()
        child = msgspec.structs.replace(
            parent,
            id=create.new_id(),
            parent_id=parent.id,
            pay_amount=pay_amount,
            pay_currency=paid_in.code,
            created_at=now,
            updated_at=now,
            extra_ids=None,
            pending_case=None,
            actually_paid=paid_in.quantize(pay_amount * (self.fraction if fraction is None else fraction)),
            payin_hash=secrets.token_hex(32),
        )
        parent.extra_ids = [*(parent.extra_ids or []), child.id]
        self.world.storage.payments.put(parent)
        offspring = CaseRun(self.world, child, self.fraction)
        offspring.step("partially_paid" if coin else offspring.ending())
        self.sent += offspring.sent
        self.child = child
        return child


def other_asset(payment: Payment) -> Coin:
    """The coin a customer of this payment would send by mistake."""
    return other_coin(COINS[payment.pay_currency])


def _settle(payment: Payment) -> None:
    """What the merchant gets, after the service fee, in the settlement coin."""
    usd = payment.actually_paid * COINS[payment.pay_currency].usd
    if payment.service_fee == ZERO:
        payment.service_fee = SETTLEMENT.quantize(usd * SERVICE_FEE)
    payment.outcome_amount = SETTLEMENT.quantize(max(usd - payment.service_fee - payment.deposit_fee, ZERO))
