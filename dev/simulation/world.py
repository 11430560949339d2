"""One world: a shop with its processes, providers and customers, from the first order until all is at rest."""

import random
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from functools import partial
from typing import TextIO
from uuid import UUID

import asyncpg

import actors
from app.catalog import rates
from app.catalog import service as catalog
from app.core import clock, db, ids
from app.core.settings import settings
from app.orders.reasons import stands
from app.payments import coins
from app.providers.kinguin import Kinguin as KinguinClient
from app.providers.kit import Providers
from app.providers.merchant_http import MerchantHttp
from app.providers.nowpayments import NowPayments as NowPaymentsClient
from app.providers.nowpayments_payouts import Payouts
from app.providers.rates import Rates
from app.providers.resend import Resend as ResendClient
from app.suppliers.kinguin import KinguinSupplier
from dev.simulation import money_decisions, postgres
from dev.simulation.customers import Customers
from dev.simulation.faults import Faults
from dev.simulation.inbound_webhooks import InboundWebhooks
from dev.simulation.kinguin import STOCK, Kinguin, Product
from dev.simulation.nowpayments import NowPayments
from dev.simulation.operators import Operators
from dev.simulation.processes import Processes
from dev.simulation.queue import Queue
from dev.simulation.scheduler import Scheduler
from dev.simulation.stores import FixedRates, Resend, Store
from dev.simulation.wire import Backend, Line

ARRIVALS = 1.0  # seconds from one customer to the next, on average
FAULTS_LAST = 600.0  # seconds faults go on after the last customer came
QUIET_TIME = 1500.0  # seconds of calm at the least: late notices arrive
LATEST = 30 * 3600.0  # seconds of calm at the most, past every time limit of the shop: by then all must be at rest
LOOK = 300.0  # seconds between looks whether all is at rest
OUTAGE = (5.0, 150.0)  # seconds
ENDLESS = 1e8  # seconds: the clients' own wall clock must not end a call here
BUSY = f"""SELECT EXISTS (SELECT FROM job WHERE status IN ('pending', 'processing')) OR EXISTS (
  SELECT FROM customer_order p WHERE status = 'paid' AND NOT {stands("p")}
  AND NOT EXISTS (SELECT FROM job WHERE subject = p.id AND status = 'failed'))"""


async def _rests() -> bool:
    return True


async def _can_be_repaired() -> bool:
    return False


class World:
    """``seed`` decides everything that happens; ``trace`` is given the history, a line each.

    ``at_rest`` says whether nothing is left to wait for, ``beyond_repair`` whether waiting is in vain: then the world
    is ``cut_short`` where it stands.
    """

    def __init__(self, seed: int, orders: int, trace: TextIO | None = None) -> None:
        self.seed, self.orders = seed, orders
        self.chance = random.Random(seed)
        self.scheduler, self.faults = Scheduler(trace), Faults(self.chance)
        self.processes = Processes(self.scheduler, self.faults)
        s = settings()
        self.nowpayments = NowPayments(self.scheduler, self.faults, s.nowpayments_ipn_secret.get_secret_value())
        self.kinguin = Kinguin(self.scheduler, self.faults, s.kinguin_webhook_secret.get_secret_value())
        self.resend = Resend(self.scheduler)
        self.store = Store(self.scheduler, self.faults, self.processes)
        self.kit = self._kit()
        self.queue = Queue(self.scheduler, self.faults, self.processes, self.kit)
        self.inbound_webhooks = InboundWebhooks(self.scheduler, self.faults, self.processes)
        self.nowpayments.send_webhook = self.kinguin.send_webhook = self.inbound_webhooks.send_webhook
        self.operators = Operators(self.scheduler, self.faults, self.processes)
        self.customers = Customers(
            self.scheduler, self.faults, self.processes, self.nowpayments, self.resend, self.store
        )
        self.over = self.cut_short = False
        self.at_rest: Callable[[], Awaitable[bool]] = _rests
        self.beyond_repair: Callable[[], Awaitable[bool]] = _can_be_repaired

    def _line(self, backend: Backend) -> Line:
        return Line(backend, self.scheduler, self.faults, self.processes)

    def _kit(self) -> Providers:
        """The shop's own clients, on simulated lines."""
        s, patience = settings(), ENDLESS
        np, kg, rs = (self._line(backend) for backend in (self.nowpayments, self.kinguin, self.resend))
        return Providers(
            nowpayments=NowPaymentsClient(s.nowpayments_base_url, "key", transport=np, total_seconds=patience),
            payouts=Payouts(
                s.nowpayments_base_url,
                "key",
                email="sim@bitloot.localhost",
                password="simulated",  # noqa: S106 - of nobody
                transport=np,
                total_seconds=patience,
            ),
            kinguin=KinguinClient(s.kinguin_base_url, "key", transport=kg, total_seconds=patience),
            rates=Rates(s.rates_base_url, transport=FixedRates(self.scheduler), total_seconds=patience),
            resend=ResendClient(s.resend_base_url, "key", transport=rs, total_seconds=patience),
            merchants=MerchantHttp(loopback=False),
            store=self.store,
        )

    def _draw_id(self) -> UUID:
        """A UUID version 7 of this world's time and chance."""
        milliseconds = int(self.scheduler.now().timestamp() * 1000)
        low = self.scheduler.microseconds % 1000 << 64 | self.chance.getrandbits(62)
        return UUID(int=milliseconds << 80 | 0x7 << 76 | 0b10 << 62 | low)

    async def run(self) -> None:
        """Let it all happen."""
        random.seed(self.seed)  # the jitter of retries
        assert actors.broker is not None
        with ExitStack() as rules:
            rules.enter_context(clock.ruled_by(self.scheduler.now))
            rules.enter_context(ids.drawn_by(self._draw_id))
            self.faults.calm()
            await self._found()
            for number in range(self.orders):
                when = self.chance.uniform(0, self.orders * ARRIVALS)
                self.scheduler.after(when, partial(self.customers.arrive, number))
            self._change_intensity()
            self._next_event()
            self.scheduler.after(self.orders * ARRIVALS + FAULTS_LAST, self._calm)
            await self.scheduler.run(lambda: not self.over)

    async def _found(self) -> None:
        """Tables under watch, processes started, a catalog and coins."""
        url = settings().database_url.get_secret_value()
        connection = await asyncpg.connect(url)
        await postgres.watch(connection)
        await connection.close()
        db.engine().pool = postgres.Pool(lambda: asyncpg.connect(url, statement_cache_size=1000))
        self.queue.put_between()
        await rates.sync(rates=self.kit.rates)
        await catalog.sync(listing=KinguinSupplier(self.kit.kinguin))
        await coins.sync(nowpayments=self.kit.nowpayments)
        self.customers.merchant_id = await money_decisions.create_merchant()
        postgres.put_between(self.scheduler, self.faults, self.processes)
        await self.processes.open(url)

    async def close(self) -> None:
        await self.scheduler.close()
        await self.processes.close()
        await db.close_pool()

    def _change_intensity(self) -> None:
        if not self._calmed:
            self.scheduler.after(self.faults.change_intensity(), self._change_intensity)

    def _next_event(self) -> None:
        name, wait = self.faults.next_event()
        self.scheduler.after(wait, lambda: self._strike(name))

    _calmed = False

    def _strike(self, name: str) -> None:
        """A disaster."""
        if self._calmed:
            return
        self._next_event()
        self.faults.happened[name] += 1
        self.scheduler.say(name)
        chance, processes = self.chance, self.processes
        if name == "Redis wiped":
            self.queue.wipe()
        elif name.endswith(" killed"):
            victims = {"worker": processes.any_worker(), "web": processes.web, "clock": processes.clock}
            processes.kill(victims[name.split()[0]])
        elif name == "liveness lost":
            processes.lose_liveness(processes.any_worker())
        elif name == "notice replayed by hand":
            self.scheduler.start("replay", self.operators.replay(), process=processes.web)
        elif name == "price moves":
            product = chance.choice(self.kinguin.products)
            product.price = (product.usual * chance.choice((9, 10, 10, 11, 15)) / 10).quantize(product.usual)
            self.kinguin.change(product)
        elif name == "sold out":
            product = chance.choice(self.kinguin.products)
            product.stock = 0
            self.kinguin.change(product)
            self.scheduler.after(chance.uniform(60, 1200), lambda: self._restock(product))
        else:
            self.faults.begin(name, self.scheduler.seconds + chance.uniform(*OUTAGE))

    def _restock(self, product: Product) -> None:
        product.stock, product.price = STOCK, product.usual
        self.kinguin.change(product)

    def _calm(self) -> None:
        """The faults are over: in time everything must come to rest."""
        self.scheduler.say("calm")
        self._calmed = True
        self.faults.calm()
        for product in self.kinguin.products:
            self._restock(product)
        self.scheduler.after(QUIET_TIME, self._look)
        self.scheduler.after(LATEST, self._end)

    def _look(self) -> None:
        self.scheduler.chore(self._rest)
        self.scheduler.after(LOOK, self._look)

    async def _rest(self) -> None:
        busy = await db.fetch_value(BUSY)
        self.cut_short = bool(busy) and await self.beyond_repair()
        if self.cut_short or (not busy and await self.at_rest()):
            self._end()

    def _end(self) -> None:
        self.over = True

    def counts(self) -> Counter[str]:
        return self.faults.happened
