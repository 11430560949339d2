"""What people do with money that came otherwise than asked: customers choose, admins refund, merchants give back.

Each acts on what it sees just then, at the same time as the others; ``invariants`` say what must come out of it.
"""

import functools
from collections.abc import Awaitable, Callable, Coroutine
from decimal import Decimal
from typing import Any
from uuid import UUID

from app.core import clock, db
from app.core.errors import Problem
from app.core.ids import new_id
from app.core.money import CENT, Money
from app.core.settings import settings
from app.orders import merchant_orders
from app.payments import create_for_merchants
from app.payments import queries as payments
from app.payments import service as paying
from app.refunds import create_for_merchants as merchants_refunds
from app.refunds import queries as refunds
from app.refunds import service as refunding
from dev.simulation.faults import Faults
from dev.simulation.nowpayments import Payment
from dev.simulation.scheduler import Scheduler

Ask = Callable[[str, Callable[[], Coroutine[Any, Any, Any]]], Awaitable[Any]]
Send = Callable[[Payment, str], None]
ADMIN = "admin sim@bitloot.localhost"
MONEY = """SELECT id FROM customer_order p WHERE merchant_id IS NULL AND status IN ('underpaid', 'expired', 'cancelled',
  'failed', 'fulfilled') AND EXISTS (SELECT FROM payment WHERE order_id = p.id AND value > 0) ORDER BY id"""


async def choose(order_id: UUID, ask: Ask, scheduler: Scheduler, faults: Faults) -> None:
    """A customer decides, in one tab or in two, perhaps after a while, perhaps more than once."""
    for _ in range(faults.chance.choice((1, 1, 2))):
        await scheduler.pause(faults.chance.uniform(30, 2400))
        wishes = faults.chance.choices(("refund", "credit", "top_up"), (5, 5, 2), k=faults.chance.choice((1, 1, 2)))
        tabs = [scheduler.start("choice", _tab(order_id, wish, ask)) for wish in wishes]
        for tab in tabs:
            await scheduler.join(tab)


async def _tab(order_id: UUID, wish: str, ask: Ask) -> None:
    await ask("choice", lambda: paying.choose(order_id, wish))


async def refund_something(faults: Faults) -> None:
    """An admin refunds what an order's page offers, all of it or a part; and settles refunds that wait."""
    for row in await db.fetch(MONEY):
        if faults.chance.random() < 0.04:
            await _refund(row["id"], faults)
    for row in await db.fetch("SELECT id FROM refund WHERE status = 'pending' ORDER BY id LIMIT 40"):
        fate = faults.chance.random()
        try:
            if fate < 0.5:
                await refunding.record(row["id"], f"sent{row['id'].hex}", ADMIN)
                faults.happened["refund sent by hand"] += 1
            elif fate < 0.65:
                await refunding.fail(row["id"], "not agreed", ADMIN)
                faults.happened["refund turned down"] += 1
        except Problem:
            continue


async def _refund(order_id: UUID, faults: Faults) -> None:
    amount = await refunds.owed(order_id)  # of a delivered order what is more than its price
    if not amount.amount:
        return
    if faults.chance.random() < 0.3:
        amount = Money(max(amount.amount / 2, CENT), amount.currency)
    try:
        await refunding.ask(order_id, amount, "by an admin", ADMIN)
        faults.happened["refund asked by an admin"] += 1
    except Problem:
        return


async def create_merchant() -> UUID:
    merchant_id = new_id()
    await db.fetch(
        """INSERT INTO merchant (id, name, origins, live_number, test_number, created_at)
           VALUES ($1, 'Tea House', '[]', 0, 0, $2)""",
        merchant_id, clock.now(),
    )  # fmt: skip
    return merchant_id


class Trade:
    """A merchant's order: paid in one or two payments, in full, in part or too much, and given back in parts."""

    def __init__(self, ask: Ask, send: Send, scheduler: Scheduler, faults: Faults) -> None:
        self._ask, self._send, self._scheduler, self._faults = ask, send, scheduler, faults

    async def place(self, merchant_id: UUID, number: int) -> Any:
        amount = Money(Decimal(self._faults.chance.randint(500, 9000)) / 100, settings().shop_currency)
        return await self._ask(
            "charge", lambda: merchant_orders.create(merchant_id, test=False, amount=amount, reference=f"cart {number}")
        )

    async def pay(self, order: Any, address: Callable[[UUID, str], Awaitable[Payment | None]]) -> None:
        before = ""
        for share in self._faults.chance.choice((("1",), ("0.5", "1"), ("0.6", "0.6"), ("1.3",), ("1", "1"))):
            coin = self._faults.chance.choice(("usdttrc20", "ltc"))
            paying = functools.partial(create_for_merchants.create, order, "crypto", {"currency": coin})
            await self._ask("payment", paying)
            payment = await address(order.id, before)
            if payment is None:
                return
            before = payment.id
            self._send(payment, share)
            await self._scheduler.pause(self._faults.chance.uniform(60, 900))
            if self._faults.chance.random() < 0.5:
                await self.give_back(order)
        await self.give_back(order)

    async def give_back(self, order: Any) -> None:
        """Refunds of its payments, twice at once."""
        for row in await payments.of_order(order.id):
            part = Decimal(self._faults.chance.randint(1, 100)) / 100
            amount = max((row.value * part).quantize(CENT), CENT)
            for amount_asked in self._faults.chance.choice(((amount,), (amount, None), (amount, amount))):
                await self._ask(
                    "refund",
                    lambda row=row, amount_asked=amount_asked: merchants_refunds.create(  # type: ignore[misc]
                        order.merchant_id, False, row.id, amount_asked, "returned", None, "key sim"
                    ),
                )
