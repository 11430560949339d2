"""Customers: they order at a bounded rate, and pay as soon as they are shown where to. A share buys at a merchant's."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Coroutine

import httpx

from app.orders.reasons import stands
from dev.chaos.admin import Admin
from dev.chaos.customer import Customer, NotPlaced, address
from dev.chaos.merchant_orders import Charges
from dev.chaos.verdict import IN_FULL
from dev.environment import Environment

CASES = {  # how they pay, by weight; "" never pays
    "success": 40, "finished": 35, "doubled": 8, "reordered": 7, "twice": 3, "overpaid": 3, "partially_paid": 2,
    "wrong_coin": 2, "": 2,
}  # fmt: skip
DECIDES = {"twice", "overpaid", "partially_paid", "wrong_coin"}  # money waits for the word of those who pay so
AT_MERCHANTS = 0.2  # the share of orders that the merchant charges for
ADMIN_ASKS = 0.6  # of those who decide, how many an admin refunds at the same moment
MOST_LOOKS = 240  # of a customer at the page that is to offer a choice
COINS = ("ltc", "doge", "usdttrc20", "sol", "trx")
AT_ONCE = 400  # orders under way at once: more would only wait for each other
LOOK = 0.5  # seconds between looks at who may pay, and at how many are under way
GOODS = "SELECT id::text FROM product WHERE active AND text_keys AND price BETWEEN 12 AND 45 ORDER BY slug LIMIT 30"
UNDER_WAY = f"""SELECT count(*) AS n FROM customer_order p WHERE NOT {stands("p")} AND status IN
                ('created', 'confirming', 'paid') AND created_at > now() - interval '10 min'"""


class Load:
    """``customers`` are those whose order was answered with 201; who got no answer tries again, as people do.

    The merchant's orders are those of ``charges``.
    """

    def __init__(
        self, env: Environment, orders: int, rate: float, seed: int, *, charges: Charges, admin: Admin
    ) -> None:
        self.env, self._orders, self._rate = env, orders, rate
        self.charges, self.admin = charges, admin
        self._chance = random.Random(seed)
        self.customers: list[Customer] = []
        self.refusals = Counter[str]()
        self.chose = Counter[str]()  # by order: choices of the same money that were accepted
        self._unpaid: dict[str, tuple[Customer, str]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._broken: list[asyncio.Task[None]] = []  # what no customer does: a fault of this driver

    @property
    def paying(self) -> list[Customer]:
        """Those who have paid, or still mean to."""
        return [it for it in self.customers if it.case]

    async def shop(self) -> None:
        """Until every order is placed and everyone who means to has paid."""
        goods = [row["id"] for row in await self.env.rows(GOODS)]
        paying = asyncio.create_task(self._pay_all())
        beside = [
            paying,
            asyncio.create_task(self.admin.decides()),
            asyncio.create_task(self.charges.merchant.heals_endpoints()),
        ]
        for number in range(self._orders):
            _must_go_on(*beside)
            while number % 20 == 0 and (await self.env.rows(UNDER_WAY))[0]["n"] > AT_ONCE:
                await asyncio.sleep(LOOK)
            if self._chance.random() < AT_MERCHANTS:
                self._spawn(self.charges.buy())
                await asyncio.sleep(1 / self._rate)
                continue
            chosen = self._chance.sample(goods, self._chance.choice((1, 1, 1, 2)))
            units = {product: self._chance.choice((1, 1, 2, 3)) for product in chosen}
            (case,) = self._chance.choices(list(CASES), list(CASES.values()))
            self._spawn(self._order(units, case, self._chance.choice(COINS)))
            await asyncio.sleep(1 / self._rate)
        while self._tasks or self._unpaid:
            await asyncio.sleep(LOOK)
            _must_go_on(*beside, *self._broken)
        for task in beside:
            task.cancel()

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._end)

    def _end(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception():
            self._broken.append(task)

    async def _order(self, units: dict[str, int], case: str, coin: str) -> None:
        while True:
            try:
                customer = await Customer.orders(self.env, units, coin=coin)
                break
            except (NotPlaced, httpx.TransportError) as refused:
                self.refusals[str(refused)[:3] if isinstance(refused, NotPlaced) else type(refused).__name__] += 1
                await asyncio.sleep(LOOK)
        self.customers.append(customer)
        if case:
            self._unpaid[customer.order_id] = customer, case

    async def _pay_all(self) -> None:
        while True:
            await asyncio.sleep(LOOK)
            waiting = [customer for customer, _ in self._unpaid.values()]
            await address(self.env, waiting)
            ready = [customer for customer in waiting if customer.payment_id]
            await asyncio.gather(*(it.pays(self.env, self._unpaid[it.order_id][1]) for it in ready))
            for customer in ready:
                if self._unpaid[customer.order_id][1] in DECIDES:
                    self._spawn(self._decide(customer))
                del self._unpaid[customer.order_id]

    async def _decide(self, customer: Customer) -> None:
        """Ask for the money back and for credit of it at the same moment, as soon as the page offers either.

        Often an admin asks for a refund of it just then, too.
        """
        for _ in range(MOST_LOOKS):
            await asyncio.sleep(LOOK)
            with contextlib.suppress(httpx.TransportError):
                answer = await self.env.http.get(f"/fulfillment/{customer.order_id}/status", headers=customer.bearer)
                if answer.status_code == httpx.codes.OK and answer.json()["choices"]:
                    break
        else:
            return
        form = {}
        if self._chance.random() < ADMIN_ASKS:
            form = await self.admin.reads_form(customer.order_id, owed_only=customer.case in IN_FULL)
        where = f"/orders/{customer.order_id}/choices"
        asked = (
            self.env.http.post(where, json={"choice": choice}, headers=customer.bearer)
            for choice in ("refund", "credit", "refund")
        )
        admins = [self.admin.asks_refund(customer.order_id, form)] if form else []
        for said in await asyncio.gather(*admins, *asked, return_exceptions=True):
            if isinstance(said, httpx.Response) and said.status_code == httpx.codes.ACCEPTED:
                self.chose[customer.order_id] += 1


def _must_go_on(*tasks: "asyncio.Task[None]") -> None:
    """A task without end has ended: raise what went wrong."""
    for task in tasks:
        if task.done():
            task.result()
