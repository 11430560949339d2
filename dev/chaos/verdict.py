"""What must be true of orders whatever happened to the shop, by the suppliers' own books and our tables."""

import asyncio
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import msgspec

from app.orders.reasons import stands
from dev.chaos.customer import Customer
from dev.environment import ROOT, Environment, until

LETTERS = ("Your order", "Payment received", "Your key is ready")  # how the letters of a purchase begin
ROAD = ("order.created", "order.waiting", "order.paid", "order.fulfilled")
ENDED = {"fulfilled", "refunded"}
IN_FULL = {"success", "finished", "doubled", "reordered", "twice", "overpaid"}  # cases that pay at least what is asked

RULES = {
    "ended": "1 · a paid order ends fulfilled, refunded, or before a person with a reason",
    "charge": "2 · one item is bought at the supplier at most once a unit",
    "keys": "2 · one unit has one key, and no key is given twice",
    "letters": "each letter is sent once",
    "timeline": "each moment is on the timeline once, in order",
    "jobs": "8 · no job is lost, stuck or given up",
    "reveal": "the key revealed is the one the supplier sold",
    "ledger": "7 · what came in = price + owed back + refunded",
    "uses": "9 · no order uses more money than came in, nor do all together",
    "refunds": "9 · a refund that leaves is reserved, and leaves once",
    "merchants": "1 · a merchant's paid order ends fulfilled, refunded, or before a person",
    "idempotency": "one Idempotency-Key makes one object, and a repeat is answered with it",
    "published": "each event of a merchant's order is published once",
    "delivered": "each event reaches each living endpoint, signed",
}
# An order that waits for money is looked at for days: such a look is on its way at any moment, and not stuck.
JUST_POSTED = "(status IN ('pending', 'processing') AND created_at > now() - interval '20 seconds')"


@dataclass(frozen=True)
class Finding:
    """One rule broken by one order."""

    rule: str
    customer: Customer
    what: str

    def __str__(self) -> str:
        it = self.customer
        of = f"[{it.fault} × {it.label}] " if it.fault else ""
        return f"{of}order {it.order_id}: {self.what}  ({RULES[self.rule]})"


class Breach(msgspec.Struct, frozen=True):
    """One rule broken, by what ``what`` names."""

    rule: str
    what: str

    def __str__(self) -> str:
        return f"{self.what}  ({RULES[self.rule]})"


@dataclass
class Books:
    """All that is on record about some orders, ours by order id and the supplier's by our reservation's id.

    ``waits`` of an order: it is before a person with a reason.
    """

    orders: dict[str, dict[str, Any]]
    items: dict[str, list[dict[str, Any]]]
    keys: dict[str, list[dict[str, Any]]]
    events: dict[str, list[dict[str, Any]]]
    jobs: dict[str, list[dict[str, Any]]]
    reservations: dict[str, list[dict[str, Any]]]
    supplied: dict[str, list[dict[str, Any]]]
    letters: dict[str, list[str]]


async def read(env: Environment, customers: Sequence[Customer]) -> Books:
    """Everything about these orders, in a handful of questions."""
    ids = [customer.order_id for customer in customers]

    async def of(sql: str) -> dict[str, list[dict[str, Any]]]:
        return _grouped(await env.rows(f"SELECT *, {sql}", ids), "of_order")

    orders = await of(f"id::text AS of_order, {stands('p')} AS waits FROM customer_order p WHERE id = ANY($1::uuid[])")
    mails = await env.asks("GET", "/mail", params={"brief": "1"})
    return Books(
        orders={order_id: rows[0] for order_id, rows in orders.items()},
        items=await of("order_id::text AS of_order FROM order_item WHERE order_id = ANY($1::uuid[])"),
        keys=await of("order_id::text AS of_order FROM sealed_key WHERE order_id = ANY($1::uuid[]) ORDER BY ordinal"),
        events=await of("subject::text AS of_order FROM event WHERE subject = ANY($1::uuid[]) ORDER BY seq"),
        jobs=await of(f"subject::text AS of_order FROM job WHERE subject = ANY($1::uuid[]) AND NOT {JUST_POSTED}"),
        reservations=await of("order_id::text AS of_order FROM reservation WHERE order_id = ANY($1::uuid[])"),
        supplied=_grouped(await env.asks("GET", "/orders", params={"keys": "1"}), "orderExternalId"),
        letters=_by_recipient(mails),
    )


def _grouped(rows: list[dict[str, Any]], by: str) -> dict[str, list[dict[str, Any]]]:
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[str(row[by])].append(row)
    return groups


def _by_recipient(mails: list[dict[str, Any]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for mail in mails:
        for to in mail["to"]:
            found[to].append(mail["subject"])
    return found


async def settled(env: Environment, customers: Sequence[Customer], *, seconds: float) -> bool:
    """Wait until nothing is left to be done for these orders; False when that takes too long."""
    ids = [customer.order_id for customer in customers]
    sql = f"""SELECT
      (SELECT count(*) FROM customer_order p WHERE id = ANY($1::uuid[]) AND status <> 'fulfilled' AND NOT {stands("p")}
       AND NOT (paid_at IS NULL AND (choice IS NOT NULL OR EXISTS (SELECT FROM money_use u
         WHERE u.order_id = p.id AND kind = 'refund' AND u.status <> 'released')))
       AND NOT EXISTS (SELECT FROM job WHERE subject = p.id AND status = 'failed'))
      + (SELECT count(*) FROM job WHERE subject = ANY($1::uuid[]) AND status IN ('pending', 'processing')) AS open"""
    return await _none_open(env, sql, ids, seconds=seconds)


async def merchants_settled(env: Environment, merchant_id: str, *, seconds: float) -> bool:
    """Wait until a merchant's orders have nothing left to be done, told or delivered; False when that takes too long.

    A payout that the provider perhaps never took is asked for again after an hour: that is not waited for. An order
    that was only placed has nothing to tell.
    """
    sql = f"""SELECT
      (SELECT count(*) FROM customer_order p JOIN timeline t ON t.subject = p.id WHERE merchant_id = $1::uuid
       AND (t.last_seq > p.published_seq AND status <> 'created'
         OR paid_at IS NOT NULL AND status NOT IN ('fulfilled', 'refunded') AND NOT {stands("p")}))
      + (SELECT count(*) FROM job j JOIN customer_order p ON p.id = j.subject WHERE merchant_id = $1::uuid
         AND j.status IN ('pending', 'processing') AND j.created_at < now() - interval '20 seconds')
      + (SELECT count(*) FROM delivery d JOIN endpoint e ON e.id = d.endpoint_id WHERE merchant_id = $1::uuid
         AND d.status IN ('pending', 'retrying'))
      + (SELECT count(*) FROM refund WHERE status = 'processing' AND next_check_at < now() + interval '1 minute'
         AND NOT (asked_at IS NOT NULL AND payout_id IS NULL)) AS open"""
    return await _none_open(env, sql, merchant_id, seconds=seconds)


async def _none_open(env: Environment, sql: str, *args: Any, seconds: float) -> bool:
    async def done() -> bool:
        return bool((await env.rows(sql, *args))[0]["open"] == 0)

    try:
        await until(done, "nothing is left to be done", seconds=seconds)
    except TimeoutError:
        return False
    return True


def examine(books: Books, customers: Sequence[Customer], *, strict: bool = True) -> list[Finding]:
    """Every rule that one of these orders breaks.

    Orders are paid in full unless their ``case`` says otherwise. Not ``strict``: a job that was given up breaks no rule
    as long as its order ended right without it.
    """
    given = Counter(key["supplier_key_id"] for keys in books.keys.values() for key in keys)
    found: list[Finding] = []
    for customer in customers:
        if customer.order_id not in books.orders:
            found.append(Finding("ended", customer, "it was answered with 201 and is not on record"))
            continue
        for rules in (_ended, _charge, _keys, _letters, _timeline):
            found += [Finding(rules.__name__.strip("_"), customer, what) for what in rules(books, customer)]
        found += [Finding("jobs", customer, what) for what in _jobs(books, customer, strict=strict)]
        twice = [k["supplier_key_id"] for k in books.keys[customer.order_id] if given[k["supplier_key_id"]] > 1]
        found += [Finding("keys", customer, f"a key of the supplier's was given twice: {it}") for it in twice]
    return found


def _ended(books: Books, customer: Customer) -> Iterator[str]:
    order = books.orders[customer.order_id]
    if customer.case not in IN_FULL:
        if order["paid_at"]:
            yield "it counts as paid, and was not paid in full"
    elif order["status"] not in ENDED and not order["waits"] and not _buried(books, customer):
        yield f"it stands at {order['status']} / {order['fulfillment_status']} and nobody is told"


def _buried(books: Books, customer: Customer) -> bool:
    """Whether the admin's list of dead letters has one of this order."""
    return any(job["status"] == "failed" and job["error"] for job in books.jobs[customer.order_id])


def _charge(books: Books, customer: Customer) -> Iterator[str]:
    bought = []
    for reservation in books.reservations[customer.order_id]:
        orders = books.supplied.get(str(reservation["id"]), [])
        if len(orders) > 1:
            yield f"bought {len(orders)} times at the supplier"
        bought += orders
        if len(orders) == 1 and orders[0]["products"][0]["qty"] != reservation["quantity"]:
            yield f"{orders[0]['products'][0]['qty']} units bought for {reservation['quantity']}"
    if books.orders[customer.order_id]["status"] == "fulfilled":
        units = sum(order["products"][0]["qty"] for order in bought if order["status"] == "completed")
        if units != sum(customer.units.values()):
            yield f"{units} units bought, {sum(customer.units.values())} ordered"


def _keys(books: Books, customer: Customer) -> Iterator[str]:
    keys = books.keys[customer.order_id]
    have = [(str(key["item_id"]), key["ordinal"]) for key in keys]
    items = books.items[customer.order_id]
    wanted = [(str(item["id"]), n) for item in items for n in range(item["quantity"])]
    extra = Counter(have) - Counter(wanted)
    if extra:
        yield f"keys for units that don't exist or have one: {sorted(extra)}"
    if books.orders[customer.order_id]["status"] != "fulfilled":
        return
    if missing := Counter(wanted) - Counter(have):
        yield f"fulfilled without the keys of {sorted(missing)}"
    sold = {key["id"] for it in books.reservations[customer.order_id] for o in books.supplied.get(str(it["id"]), ())
            for key in o["keys"]}  # fmt: skip
    if not {key["supplier_key_id"] for key in keys} <= sold:
        yield "a key that the supplier did not sell for this order"


def _letters(books: Books, customer: Customer) -> Iterator[str]:
    subjects = books.letters[customer.email]
    counts = {begin: sum(subject.startswith(begin) for subject in subjects) for begin in LETTERS}
    fulfilled = books.orders[customer.order_id]["status"] == "fulfilled"
    for begin, count in counts.items():
        if count > 1 or (fulfilled and count != 1):
            yield f"letter “{begin} …” sent {count} times"


def _timeline(books: Books, customer: Customer) -> Iterator[str]:
    events = books.events[customer.order_id]
    kinds = [event["kind"] for event in events]
    if [event["seq"] for event in events] != list(range(1, len(events) + 1)):
        yield f"its events are not numbered through: {[event['seq'] for event in events]}"
    counts = Counter(kinds)
    if twice := [kind for kind in ROAD if counts[kind] > 1]:
        yield f"more than once on the timeline: {twice}"
    if books.orders[customer.order_id]["status"] != "fulfilled":
        return
    places = [kinds.index(kind) for kind in ROAD if kind in kinds]
    if len(places) < len(ROAD) or any(first > second for first, second in pairwise(places)):
        yield f"its timeline is {kinds}"


def _jobs(books: Books, customer: Customer, *, strict: bool) -> Iterator[str]:
    for job in books.jobs[customer.order_id]:
        if job["status"] != "completed" and (strict or job["status"] != "failed"):
            yield f"job {job['name']} is {job['status']} after {job['attempt']} attempts: {job['error']}"


async def revealed(env: Environment, books: Books, customers: Sequence[Customer]) -> list[Finding]:
    """Open each order's keys as its customer does, and compare them with the supplier's books."""
    found = []
    for customer in customers:
        sold = [
            key["serial"]
            for reservation in books.reservations[customer.order_id]
            for order in books.supplied.get(str(reservation["id"]), ())
            for key in order["keys"]
        ]
        try:
            shown = await customer.reveals(env)
        except TimeoutError as never:
            found.append(Finding("reveal", customer, str(never)))
            continue
        if sorted(shown) != sorted(sold):
            found.append(Finding("reveal", customer, "the keys revealed are not those bought"))
    return found


async def proofs(env: Environment) -> dict[str, Any]:
    """The shop's own word on its ledger and its audit log."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "dev.chaos.proof",
        cwd=ROOT,
        env=env.variables,
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate()
    return dict(json.loads(said.splitlines()[-1]))
