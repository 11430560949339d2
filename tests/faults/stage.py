"""Orders brought to exact points of the pipeline, several at each, all at the same moment."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from chaos.customer import Customer, addressed
from chaos.town import Town, until

AT_EACH = 3  # orders at every label for every fault
CALLS_LAST = 10.0  # seconds after which a caller gives a held call up by itself (its provider's read timeout)


@dataclass(frozen=True)
class Label:
    """One outside call of the pipeline: the job that makes it, its route, and how the call of one order is told apart.

    ``locks``: the table whose rows the job changes next, once the call was answered.
    """

    name: str
    job: str
    provider: str
    method: str
    path: str
    known_by: str
    locks: str


LABELS = (
    Label("payments.create: invoice", "payments.create", "nowpayments", "POST", "*/v1/invoice", "coin", ""),
    Label("payments.create: payment", "payments.create", "nowpayments", "POST", "*/invoice-payment", "coin", "purchase"),
    Label(
        "payments.apply_notice: confirm", "payments.apply_notice", "nowpayments", "GET", "*/payment/", "payment", "purchase"),
    Label("payments.check: confirm", "payments.check", "nowpayments", "GET", "*/payment/", "payment", "purchase"),
    Label("fulfillment.reserve: find", "fulfillment.reserve", "kinguin", "GET", "*/v1/order", "", "reservation"),
    Label("fulfillment.reserve: buy", "fulfillment.reserve", "kinguin", "POST", "*/v2/order", "product", "purchase"),
    Label("fulfillment.check: status", "fulfillment.check", "kinguin", "GET", "*/v1/order/*", "product", "purchase"),
    Label("keys.collect: keys", "keys.collect", "kinguin", "GET", "*/v2/order/*/keys", "product", "purchase"),
    Label("keys.collect: put", "keys.collect", "store", "PUT", "*/keys/", "order", "purchase"),
    Label("mail.send: send", "mail.send", "resend", "POST", "*/emails", "address", "mail"),
)  # fmt: skip
INVOICE, PAYMENT, NOTICE, CHECK, FIND, BUY, STATUS, KEYS, PUT, MAIL = LABELS
COINS = ("ltc", "doge", "usdttrc20", "sol", "trx", "xlm", "usdcsol", "bnbbsc", "xrp", "usdterc20")  # one a label

Groups = dict[Label, list[Customer]]


@dataclass
class Stage:
    """One fault's orders on their way, in a town. ``goods``: a product a label, with our id and the supplier's."""

    town: Town
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
        tag = f"{label.job.partition('.')[0]}{place}"
        units = {self.goods[place]["id"]: 1 + number % 2}
        return await Customer.orders(self.town, units, coin=COINS[place], tag=tag, label=label.name, fault=self.fault)

    async def hold(self, label: Label, phase: str, *, late: bool = False, known: Label | None = None) -> None:
        """Make the label's calls of its own group wait (``known``: those of another label's group)."""
        group = known or label
        for path, match in self._marks(label, group):
            body = {"provider": label.provider, "method": label.method, "phase": phase, "late": late}
            armed = await self.town.asks("POST", "/holds", json=body | {"path": path, "match": match})
            self._holds.setdefault(group, []).append(armed["id"])

    def _marks(self, label: Label, group: Label) -> list[tuple[str, str | None]]:
        place = LABELS.index(group)
        if label.known_by == "coin":
            return [(label.path, f'"{COINS[place]}"')]
        if label.known_by == "product":
            return [(label.path, self.goods[place]["supplier_product_id"])]
        if label.known_by == "address":
            return [(label.path, f"delivered+{label.job.partition('.')[0]}{place}-")]
        if label.known_by == "payment":
            return [(f"{label.path}{it.payment_id}", None) for it in self.groups[group]]
        if label.known_by == "order":
            return [(f"{label.path}{it.order_id}/*", None) for it in self.groups[group]]
        return [(label.path, None)]

    async def set(self, phase: str, *, late: bool = False) -> None:
        """Orders at every label, each in the middle of its call: before its effect, or after it and unanswered."""
        await self.place(NOTICE, CHECK, FIND, BUY, STATUS, KEYS, PUT)
        await addressed(self.town, self.orders)
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
        await asyncio.gather(*(it.pays(self.town) for label in labels for it in self.groups[label]))

    async def pay_unheard(self, customers: list[Customer]) -> None:
        """Pay with every notice dropped, and have the shop look at these payments at its next sweep."""
        await self.town.asks("POST", "/faults", json={"provider": "nowpayments", "mode": "drop_webhooks"})
        await asyncio.gather(*(it.pays(self.town) for it in customers))
        await self.town.asks("DELETE", "/faults")
        await look_now(self.town, customers)

    async def all_held(self, *, without: Label | None = None) -> None:
        """Until every group's calls wait where they are held."""

        async def waiting() -> bool:
            held = {hold["id"]: hold["held"] for hold in await self.town.asks("GET", "/holds")}
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
        await self.town.asks("POST", "/holds/release", json={"then": then})
        self._holds.clear()

    async def disarm(self) -> None:
        """Hold no further calls; those that wait go on waiting."""
        await self.town.asks("POST", "/holds/disarm")

    async def nobody_held(self) -> bool:
        return all(hold["held"] == 0 for hold in await self.town.asks("GET", "/holds"))

    async def answer_all_but(self, label: Label, then: Label) -> None:
        """Let every call go; those of ``label`` come as far as ``then``, the job's next call, and wait there."""
        first = [one for ids in self._holds.values() for one in ids]
        self._holds = {}
        await self.hold(then, "before", known=label)
        for one in first:
            await self.town.asks("POST", "/holds/release", json={"id": one})
        await self.all_held()

    async def finish(self) -> None:
        """Pay what could not be paid before: nobody pays before an address is shown."""
        unpaid = [customer for customer in self.orders if not customer.case]
        await addressed(self.town, unpaid)
        await asyncio.gather(*(it.pays(self.town) for it in unpaid))

    def ids_locked_in(self, table: str) -> list[str]:
        """The orders whose next change, once their call is answered, is one of this table."""
        return self.ids(*(label for label in self.groups if label.locks == table))

    def ids(self, *labels: Label) -> list[str]:
        return [it.order_id for label in labels for it in self.groups[label]]


async def look_now(town: Town, customers: Iterable[Customer]) -> None:
    """These payments are due for a look, as they would be after a while."""
    sql = "UPDATE payment SET next_check_at = now() WHERE provider_payment_id = ANY($1)"
    await town.rows(sql, [it.payment_id for it in customers])


async def in_hand(town: Town) -> list[dict[str, Any]]:
    """The jobs that workers hold just now."""
    return await town.rows("SELECT id, name, attempt FROM job WHERE status = 'processing'")
