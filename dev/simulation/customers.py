"""Customers: they order, choose coins, pay in full, in part, too much, late, twice or in the wrong coin, and reveal."""

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from app.core import db
from app.core.errors import Problem
from app.fulfillment import withdrawal
from app.keys import reveal as keys
from app.orders import placing
from app.orders import service as orders
from app.orders.placing import Wanted
from app.providers.object_store import ObjectStore
from dev.simulation import money_decisions
from dev.simulation.faults import Faults
from dev.simulation.nowpayments import EXPIRES, SATOSHI, NowPayments, Payment
from dev.simulation.processes import Processes
from dev.simulation.scheduler import Scheduler
from dev.simulation.stores import Resend

COINS = ("usdttrc20", "ltc", "btc")
PLANS = {  # how many of four hundred customers do what; who leaves a payment open costs some fifty looks at it
    "pay": 320, "over": 14, "nearly": 10, "twice": 12, "late": 8, "fail": 6, "pay_both": 5, "cancel_then_pay": 5,
    "short_then_rest": 6, "change_coin": 4, "short": 6, "wrong_coin": 5, "abandon": 2, "dust": 1, "cancel": 1,
    "rest_after_choice": 6,
}  # fmt: skip
MERCHANTS = 0.04  # the share of those who buy at a merchant's
CHOOSING = {  # who decides on money that bought nothing, and how probably
    "over": 0.5, "twice": 0.5, "late": 0.5, "cancel_then_pay": 0.8, "short": 0.8, "wrong_coin": 0.8, "dust": 0.5,
    "pay_both": 0.5,
}  # fmt: skip
IMPATIENT = 0.25  # the share of those who take the money back where the page offers it
THINKS = (1.0, 30.0)  # seconds between seeing a page and doing something
LOOKS_AGAIN, SLOWER, RARELY = 15.0, 1.6, 900.0  # seconds between a customer's looks at a page
GIVES_UP = 6 * 3600.0  # seconds until nobody looks any more


@dataclass
class Shown:
    """One answer to a reveal: what the customer was told of a key."""

    order_id: UUID
    item_id: UUID
    key_id: UUID
    serial: str
    first: bool


@dataclass
class Customers:
    """Everybody who buys; ``shown`` and ``refusals`` are what they would say afterwards."""

    scheduler: Scheduler
    faults: Faults
    processes: Processes
    nowpayments: NowPayments
    resend: Resend
    store: ObjectStore
    shown: list[Shown] = field(default_factory=list)
    refusals: dict[str, int] = field(default_factory=dict)
    plans: dict[UUID, str] = field(default_factory=dict)
    at_large: int = 0
    merchant_id: UUID | None = None

    def arrive(self, number: int) -> None:
        self.at_large += 1
        self.scheduler.start(f"customer {number}", self._live(number))

    async def _live(self, number: int) -> None:
        try:
            await self._buy(number)
        finally:
            self.at_large -= 1

    async def _ask(self, name: str, work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        """A request to the shop; None if it was refused, or the web process died under it."""
        web = self.processes.web
        if web is None:
            return None
        return await self.scheduler.join(self.scheduler.start(name, self._request(work), process=web))

    async def _request(self, work: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        try:
            self.processes.die_here("waiting")
            answer = await work()
            self.processes.die_here("after its commit")
        except Problem as problem:
            self.refusals[problem.code] = self.refusals.get(problem.code, 0) + 1
            return None
        return answer

    async def _think(self) -> None:
        await self.scheduler.pause(self.faults.chance.uniform(*THINKS))

    async def _buy(self, number: int) -> None:
        if self.merchant_id and self.faults.chance.random() < MERCHANTS:
            await self._at_a_merchants(self.merchant_id, number)
            return
        email = f"delivered+{number}@resend.dev"
        placed = await self._ask("order", lambda: self._place(email))
        if placed is None:
            return  # whether or not it was stored, this customer has seen no order
        order_id = placed.order_id
        plan = self.faults.chance.choices(list(PLANS), list(PLANS.values()))[0]
        self.plans[order_id] = plan
        self.scheduler.say(f"customer {number} has {order_id} and will {plan}")
        payment = await self._address(order_id)
        if payment is None:
            return
        act: Callable[[UUID, Payment], Awaitable[None]] = getattr(self, f"_{plan}")
        await act(order_id, payment)
        if self.faults.chance.random() < CHOOSING.get(plan, 0):
            await money_decisions.choose(order_id, self._ask, self.scheduler, self.faults)
        if self.faults.chance.random() < IMPATIENT:
            self.scheduler.start("withdrawal", self._take_back(order_id))
        if await self._letter(email):
            await self._reveal(order_id)

    async def _take_back(self, order_id: UUID) -> None:
        """Ask for the money back while keys don't come, whatever else happens just then."""
        for _ in range(4):
            await self.scheduler.pause(self.faults.chance.uniform(60, 2400))
            if await self._ask("withdrawal", lambda: withdrawal.withdraw(order_id)) is not None:
                self.faults.happened["money taken back for missing keys"] += 1

    async def _place(self, email: str) -> Any:
        chance = self.faults.chance
        rows = await db.fetch("SELECT id FROM product WHERE active ORDER BY slug")
        chosen = chance.sample([row["id"] for row in rows], chance.choice((1, 1, 1, 1, 2)))
        wanted = [Wanted(product_id, chance.choice((1, 1, 1, 1, 1, 2, 3))) for product_id in chosen]
        return await placing.place(email, await placing.quote(wanted), pay_currency=chance.choice(COINS))

    async def _address(self, order_id: UUID, but: str = "") -> Payment | None:
        """Look at the order's page until it shows where to pay; with ``but``, another than that."""
        wait = LOOKS_AGAIN
        while wait < RARELY:
            await self.scheduler.pause(wait)
            wait *= SLOWER
            number = await db.fetch_value(
                """SELECT provider_payment_id FROM payment WHERE order_id = $1 AND pay_address IS NOT NULL
                   ORDER BY attempt DESC LIMIT 1""",
                order_id,
            )
            if number and number != but:
                return self.nowpayments.payments[number]
        return None

    async def _letter(self, email: str) -> bool:
        """Wait for the letter that says the key is there."""
        wait, until = LOOKS_AGAIN, self.scheduler.seconds + GIVES_UP
        while (email, "key_ready") not in self.resend.seen:
            if self.scheduler.seconds > until:
                return False
            await self.scheduler.pause(wait)
            wait = min(wait * SLOWER, RARELY)
        return True

    def _send(self, payment: Payment, share: str, coin: str | None = None) -> None:
        self.nowpayments.deposit(payment, (payment.pay_amount * Decimal(share)).quantize(SATOSHI), coin)

    async def _pay(self, order_id: UUID, payment: Payment) -> None:
        await self._think()
        self._send(payment, "1")

    async def _abandon(self, order_id: UUID, payment: Payment) -> None:
        """Never comes back."""

    async def _short(self, order_id: UUID, payment: Payment) -> None:
        self._send(payment, "0.6")

    async def _short_then_rest(self, order_id: UUID, payment: Payment) -> None:
        self._send(payment, "0.6")
        await self.scheduler.pause(self.faults.chance.uniform(300, 900))
        self._send(payment, "0.4")

    async def _rest_after_choice(self, order_id: UUID, payment: Payment) -> None:
        """The rest was on its way when the customer chose otherwise, or an admin gave the first part back."""
        self._send(payment, "0.6")
        await money_decisions.choose(order_id, self._ask, self.scheduler, self.faults)
        self._send(payment, "0.4")
        await money_decisions.choose(order_id, self._ask, self.scheduler, self.faults)

    async def _at_a_merchants(self, merchant_id: UUID, number: int) -> None:
        trade = money_decisions.Trade(self._ask, self._send, self.scheduler, self.faults)
        order = await trade.place(merchant_id, number)
        if order is not None:
            self.plans[order.id] = "at_a_merchants"
            await trade.pay(order, self._address)

    async def _nearly(self, order_id: UUID, payment: Payment) -> None:
        self._send(payment, "0.997")

    async def _over(self, order_id: UUID, payment: Payment) -> None:
        self._send(payment, "1.3")

    async def _late(self, order_id: UUID, payment: Payment) -> None:
        await self.scheduler.pause(EXPIRES + self.faults.chance.uniform(1, 1200))
        self._send(payment, "1")

    async def _twice(self, order_id: UUID, payment: Payment) -> None:
        await self._pay(order_id, payment)
        await self.scheduler.pause(self.faults.chance.uniform(60, 1200))
        self._send(payment, "1")

    async def _wrong_coin(self, order_id: UUID, payment: Payment) -> None:
        self._send(payment, "1", "btc" if payment.pay_currency != "btc" else "ltc")

    async def _dust(self, order_id: UUID, payment: Payment) -> None:
        self._send(payment, "0.001")

    async def _change_coin(self, order_id: UUID, payment: Payment) -> None:
        other = await self._another(order_id, payment)
        if other is not None:
            self._send(self.faults.chance.choice((payment, other, other)), "1")

    async def _pay_both(self, order_id: UUID, payment: Payment) -> None:
        other = await self._another(order_id, payment)
        self._send(payment, "1")
        if other is not None:
            await self._think()
            self._send(other, "1")

    async def _another(self, order_id: UUID, payment: Payment) -> Payment | None:
        await self._think()
        coin = next(code for code in COINS if code != payment.pay_currency)
        await self._ask("payment", lambda: orders.ask_payment(order_id, coin))
        return await self._address(order_id, but=payment.id)

    async def _cancel(self, order_id: UUID, payment: Payment) -> None:
        await self._ask("cancel", lambda: orders.cancel(order_id))

    async def _cancel_then_pay(self, order_id: UUID, payment: Payment) -> None:
        await self._cancel(order_id, payment)
        await self._pay(order_id, payment)

    async def _fail(self, order_id: UUID, payment: Payment) -> None:
        self.nowpayments.fail(payment)

    async def _reveal(self, order_id: UUID) -> None:
        """Open every item, some in two tabs at once, some again later."""
        items = await db.fetch("SELECT id FROM order_item WHERE order_id = $1 ORDER BY position", order_id)
        for item_id in [row["id"] for row in items]:
            await self._think()
            tabs = [self._tab(order_id, item_id) for _ in range(self.faults.chance.choice((1, 1, 1, 2, 3)))]
            for tab in [self.scheduler.start("tab", tab) for tab in tabs]:
                await self.scheduler.join(tab)

    async def _tab(self, order_id: UUID, item_id: UUID) -> None:
        visitor = keys.Visitor(str(order_id), "192.0.2.7", "simulated")
        answer = await self._ask("reveal", lambda: keys.reveal(order_id, item_id, visitor, store=self.store))
        for one in answer or ():
            self.shown.append(Shown(order_id, item_id, one.key_id, one.value.reveal().decode(), one.first))
