"""A merchant's orders by the API: paid in full, in part or too much, in test and live mode, and given back in parts.

What the driver saw is kept apart from what the shop's tables say; ``money`` and ``merchant_verdict`` compare the two.
"""

import asyncio
import contextlib
import random
import secrets
import time
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx

from dev.chaos.merchant import Merchant, Refused
from dev.environment import Environment

PLANS = {  # what becomes of an order, by weight
    "paid": 40, "part_back": 14, "all_back": 10, "asked_twice_back": 14, "short": 8, "short_then_rest": 6, "over": 6,
    "unpaid": 2,
}  # fmt: skip
LIVE = 0.35  # the share in live mode, paid in coins at the provider
COMES = {"short": "underpaid", "short_then_rest": "underpaid", "over": "overpaid"}  # the simulated processor's words
CASES = {"underpaid": "partially_paid", "overpaid": "overpaid", "success": "finished"}  # the sandbox's
ENDED = {"success", "failed", "expired", "underpaid", "refunded", "cancelled"}
LOOK, SLOWER, RARELY = 1.0, 1.3, 5.0  # seconds between looks at a payment: first, times, most
MOST_LOOKS = 80
PAID_AT_ONCE = 0.6  # the share of what is paid in full in test mode that comes by card or VPA
COINS = ("ltc", "doge", "usdttrc20", "trx")
WALLET = {"coin": "usdttrc20", "address": "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"}
# A payout needs a one-time code, of which there is one in 30 s for all; so many live refunds name an address.
PAYOUTS_AT_ONCE, PAYOUT_EVERY = 2, 45.0


@dataclass
class MerchantOrder:
    """What the merchant knows of an order. ``paid``: whether its payments brought at least the price."""

    order_id: str
    mode: str
    plan: str
    paid: bool = False


class Charges:
    """Places and pays the merchant's orders, and asks for their refunds.

    ``orders``: all that were answered with 201; ``not_placed``: what was refused for good, and should not be.
    """

    def __init__(self, env: Environment, merchant: Merchant, seed: int) -> None:
        self.env, self.merchant = env, merchant
        self.orders: list[MerchantOrder] = []
        self.not_placed: list[str] = []
        self._chance = random.Random(seed)
        self._payouts, self._began = 0, time.monotonic()

    async def buy(self) -> None:
        """One order and all that its plan says; a refusal ends it there."""
        mode = "live" if self._chance.random() < LIVE else "test"
        (plan,) = self._chance.choices(list(PLANS), list(PLANS.values()))
        amount = Decimal(self._chance.randint(1200, 9000)) / 100
        key = secrets.token_hex(16)
        asked = {"amount": f"{amount:.2f}", "currency": "USD", "reference": key, "metadata": {"plan": plan}}
        try:
            made = await self.merchant.posts(mode, "/orders", asked, key)
        except Refused as refused:
            self.not_placed.append(f"merchant's order of key {key} was refused: {refused}")
            return
        order = MerchantOrder(made["id"], mode, plan)
        self.orders.append(order)
        with contextlib.suppress(Refused):
            await self._play(order)

    async def _play(self, order: MerchantOrder) -> None:
        if order.plan == "unpaid":
            return
        payment = await self._pay(order, COMES.get(order.plan, "success"))
        if payment is None:
            return
        if order.plan == "short_then_rest":
            await self._pay(order, "success")
        elif order.plan in {"part_back", "short"}:
            await self._give_back(order, payment, [self._part(payment, 1, 100)])
        elif order.plan == "all_back":
            await self._give_back(order, payment, [None])
        elif order.plan in {"asked_twice_back", "over"}:
            await self._give_back(order, payment, [self._part(payment, 55, 99), None, self._part(payment, 55, 99)])

    def _part(self, payment: dict[str, Any], least: int, most: int) -> Decimal:
        share = Decimal(self._chance.randint(least, most)) / 100
        return max((Decimal(payment["captured"]) * share).quantize(Decimal("0.01")), Decimal("0.01"))

    async def _pay(self, order: MerchantOrder, comes: str) -> dict[str, Any] | None:
        """A payment that has ended, as the API shows it; None where it could not be made or seen."""
        key = secrets.token_hex(16)
        body = {"order_id": order.order_id, **self._method(order.mode, comes)}
        body["metadata"] = {"key": key, "test": comes, "test_delay": str(self._chance.randint(0, 1500))}
        payment = await self.merchant.posts(order.mode, "/payments", body, key)
        if order.mode == "live" and not await self._send_coins(payment["id"], CASES[comes]):
            return None
        wait = LOOK
        for _ in range(MOST_LOOKS):
            payment = await self.merchant.gets(order.mode, f"/payments/{payment['id']}")
            if payment["status"] in ENDED:
                order.paid = order.paid or payment["status"] == "success"
                return payment if Decimal(payment["captured"]) else None
            await asyncio.sleep(wait)
            wait = min(wait * SLOWER, RARELY)
        return None

    def _method(self, mode: str, comes: str) -> dict[str, Any]:
        if mode == "test" and comes == "success" and self._chance.random() < PAID_AT_ONCE:
            card = {"number": "4242424242424242", "expiry": "12/34", "cvv": "123"}
            return self._chance.choice(({"method": "card", "card": card}, {"method": "upi", "vpa": "success@test"}))
        return {"method": "crypto", "crypto": {"currency": self._chance.choice(COINS)}}

    async def _send_coins(self, payment_id: str, case: str) -> bool:
        """Pay at the sandbox once the shop has an address there; False if it got none."""
        wait = LOOK
        for _ in range(MOST_LOOKS):
            await asyncio.sleep(wait)
            wait = min(wait * SLOWER, RARELY)
            rows = await self.env.rows("SELECT provider_payment_id AS id FROM payment WHERE id = $1::uuid", payment_id)
            if rows and rows[0]["id"]:
                await self.env.asks("POST", f"/payments/{rows[0]['id']}/pay", json={"case": case})
                return True
        return False

    async def _give_back(self, order: MerchantOrder, payment: dict[str, Any], amounts: list[Decimal | None]) -> None:
        """All at once: together they ask for more than there is. Some with an address, some claimed by the customer."""
        asked = (self._refund(order, payment, amount) for amount in amounts)
        for said in await asyncio.gather(*asked, return_exceptions=True):
            if isinstance(said, Exception) and not isinstance(said, Refused):
                raise said

    async def _refund(self, order: MerchantOrder, payment: dict[str, Any], amount: Decimal | None) -> None:
        key = secrets.token_hex(16)
        body: dict[str, Any] = {"reason": key} | ({} if amount is None else {"amount": f"{amount:.2f}"})
        coins = payment["method"] == "crypto"
        may_leave = coins and (order.mode == "test" or self._may_pay_out())
        if may_leave and self._chance.random() < 0.4:
            body["address"], may_leave = WALLET, False
        made = await self.merchant.posts(order.mode, f"/payments/{payment['id']}/refunds", body, key)
        if may_leave and made["claim_url"] and self._chance.random() < 0.85:
            await self._claim(made["claim_url"])

    def _may_pay_out(self) -> bool:
        if self._payouts >= PAYOUTS_AT_ONCE + (time.monotonic() - self._began) / PAYOUT_EVERY:
            return False
        self._payouts += 1
        return True

    async def _claim(self, url: str) -> None:
        """The merchant's customer names an address, by the link that the merchant hands on."""
        while True:
            with contextlib.suppress(httpx.TransportError):
                answer = await self.env.http.post(url, json=WALLET | {"memo": "", "confirmed": "yes"})
                if answer.status_code in {httpx.codes.OK, httpx.codes.SEE_OTHER, httpx.codes.GONE}:
                    self.merchant.did["address named by a claim link"] += answer.status_code != httpx.codes.GONE
                    return
            await asyncio.sleep(LOOK)
