"""Orders brought to exact points of the pipeline, several at each, all at the same moment."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from dev.chaos.customer import Customer, addressed
from dev.environment import Environment, until

AT_EACH = 3  # orders at every label for every fault
CALLS_LAST = 10.0  # seconds after which a caller gives a held call up by itself (its provider's read timeout)


@dataclass(frozen=True)
class Label:
    """One outside call of the pipeline: ``job: call``, its route, and how the call of one order is told apart.

    ``locks``: the table whose rows the job changes next, once the call was answered.
    """

    name: str
    route: str
    known_by: str
    locks: str

    @property
    def job(self) -> str:
        return self.name.partition(":")[0]


LABELS = (
    Label("payments.create: invoice", "nowpayments POST */v1/invoice", "coin", "the next call's"),
    Label("payments.create: payment", "nowpayments POST */invoice-payment", "coin", "customer_order"),
    Label("payments.apply_notice: confirm", "nowpayments GET */payment/", "payment", "customer_order"),
    Label("payments.check: confirm", "nowpayments GET */payment/", "payment", "customer_order"),
    Label("fulfillment.reserve: find", "kinguin GET */v1/order", "nothing", "reservation"),
    Label("fulfillment.reserve: buy", "kinguin POST */v2/order", "product", "customer_order"),
    Label("fulfillment.check: status", "kinguin GET */v1/order/*", "product", "customer_order"),
    Label("fulfillment.collect: keys", "kinguin GET */v2/order/*/keys", "product", "customer_order"),
    Label("fulfillment.collect: put", "store PUT */keys/", "order", "customer_order"),
    Label("mail.send: send", "resend POST */emails", "address", "mail"),
)
INVOICE, PAYMENT, NOTICE, CHECK, FIND, BUY, STATUS, KEYS, PUT, MAIL = LABELS
COINS = ("ltc", "doge", "usdttrc20", "sol", "trx", "xlm", "usdcsol", "bnbbsc", "xrp", "usdterc20")  # one a label

Groups = dict[Label, list[Customer]]


@dataclass
class Scenario:
    """One fault's orders on their way. ``goods``: a product a label, with our id and the supplier's."""

    env: Environment
    fault: str
    goods: list[dict[str, str]]
    groups: Groups = field(default_factory=dict)
    _holds: dict[Label, list[str]] = field(default_factory=dict)

    @property
    def orders(self) -> list[Customer]:
        return [customer for group in self.groups.values() for customer in group]

    async def place(self, *labels: Label) -> list[Customer]:
        """Orders of one to two units for each label, told apart by product, coin and address."""
        placed = await asyncio.gather(*(self._order(label, n) for label in labels for n in range(AT_EACH)))
        for customer in placed:
            self.groups.setdefault(next(it for it in LABELS if it.name == customer.label), []).append(customer)
        return list(placed)

    async def _order(self, label: Label, number: int) -> Customer:
        place = LABELS.index(label)
        units = {self.goods[place]["id"]: 1 + number % 2}
        return await Customer.orders(
            self.env, units, coin=COINS[place], tag=_tag(label), label=label.name, fault=self.fault
        )

    async def hold(self, label: Label, phase: str, *, late: bool = False, known: Label | None = None) -> None:
        """Make the label's calls of its own group wait (``known``: those of another label's group)."""
        group = known or label
        provider, method, _ = label.route.split()
        for path, match in self._marks(label, group):
            body = {"provider": provider, "method": method, "phase": phase, "late": late, "path": path, "match": match}
            armed = await self.env.asks("POST", "/holds", json=body)
            self._holds.setdefault(group, []).append(armed["id"])

    def _marks(self, label: Label, group: Label) -> list[tuple[str, str | None]]:
        place, path = LABELS.index(group), label.route.split()[2]
        if label.known_by == "coin":
            return [(path, f'"{COINS[place]}"')]
        if label.known_by == "product":
            return [(path, self.goods[place]["supplier_product_id"])]
        if label.known_by == "address":
            return [(path, f"delivered+{_tag(label)}-")]
        if label.known_by == "payment":
            return [(f"{path}{it.payment_id}", None) for it in self.groups[group]]
        if label.known_by == "order":
            return [(f"{path}{it.order_id}/*", None) for it in self.groups[group]]
        return [(path, None)]

    async def set(self, phase: str, *, late: bool = False) -> None:
        """Orders at every label, each in the middle of its call: before its effect, or after it and unanswered."""
        await self.place(NOTICE, CHECK, FIND, BUY, STATUS, KEYS, PUT)
        await addressed(self.env, self.orders)
        for label in LABELS:
            if label not in (FIND, INVOICE, PAYMENT, MAIL):
                await self.hold(label, phase, late=late)
        for label in (INVOICE, PAYMENT, MAIL):
            await self.hold(label, phase, late=late)
        await self.pay_unheard(self.groups[CHECK])
        await self.place(INVOICE, PAYMENT, MAIL)
        await self.pay(NOTICE, BUY, STATUS, KEYS, PUT)
        await self.all_held(without=FIND)
        # Nothing tells the search for one order from that for another, so these come when nobody else searches.
        await self.hold(FIND, phase, late=late)
        await self.pay(FIND)
        await self.all_held()

    async def pay(self, *labels: Label) -> None:
        await asyncio.gather(*(it.pays(self.env) for label in labels for it in self.groups[label]))

    async def pay_unheard(self, customers: list[Customer]) -> None:
        """Pay with every notice dropped, and have the shop look at these payments at its next sweep."""
        await self.env.asks("POST", "/faults", json={"provider": "nowpayments", "mode": "drop_webhooks"})
        await asyncio.gather(*(it.pays(self.env) for it in customers))
        await self.env.asks("DELETE", "/faults")
        await look_now(self.env, customers)

    async def all_held(self, *, without: Label | None = None) -> None:
        """Until every group's calls wait where they are held."""

        async def waiting() -> bool:
            held = {hold["id"]: hold["different"] for hold in await self.env.asks("GET", "/holds")}
            self.missing = {
                label.name: count
                for label, ids in self._holds.items()
                if label != without and (count := sum(held.get(one, 0) for one in ids)) < AT_EACH
            }
            return not self.missing

        try:
            await until(waiting, "every call is held", seconds=40)
        except TimeoutError:
            raise TimeoutError(f"{self.fault}: fewer than {AT_EACH} calls are held at {self.missing}") from None

    async def release(self, then: str = "answer") -> None:
        await self.env.asks("POST", "/holds/release", json={"then": then})
        self._holds.clear()

    async def disarm(self) -> None:
        """Hold no further calls; those that wait go on waiting."""
        await self.env.asks("POST", "/holds/disarm")

    async def nobody_held(self) -> bool:
        return all(hold["held"] == 0 for hold in await self.env.asks("GET", "/holds"))

    async def answer_all_but(self, label: Label, then: Label) -> None:
        """Let every call go; those of ``label`` come as far as ``then``, the job's next call, and wait there."""
        first = [one for ids in self._holds.values() for one in ids]
        self._holds = {}
        await self.hold(then, "before", known=label)
        for one in first:
            await self.env.asks("POST", "/holds/release", json={"id": one})
        await self.all_held()

    async def finish(self) -> None:
        """Pay what could not be paid before: nobody pays before an address is shown."""
        unpaid = [customer for customer in self.orders if not customer.case]
        await addressed(self.env, unpaid)
        await asyncio.gather(*(it.pays(self.env) for it in unpaid))

    def ids_locked_in(self, table: str) -> list[str]:
        """The orders whose next change, once their call is answered, is one of this table."""
        return self.ids(*(label for label in self.groups if label.locks == table))

    def ids(self, *labels: Label) -> list[str]:
        return [it.order_id for label in labels for it in self.groups[label]]


def _tag(label: Label) -> str:
    return f"at-{LABELS.index(label)}"


async def look_now(env: Environment, customers: Iterable[Customer]) -> None:
    """These payments are due for a look, as they would be after a while."""
    sql = "UPDATE payment SET next_check_at = now() WHERE provider_payment_id = ANY($1)"
    await env.rows(sql, [it.payment_id for it in customers])


async def in_hand(env: Environment) -> list[dict[str, Any]]:
    """The jobs that workers hold just now."""
    return await env.rows("SELECT id, name, attempt FROM job WHERE status = 'processing'")
