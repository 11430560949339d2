"""What the room tests build on: an order brought to a point, a provider's notice, and all rows to compare."""

import hashlib
import hmac
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any
from uuid import UUID

from app.catalog import queries as catalog
from app.core import db
from app.core.ids import new_id
from app.core.structs import extend
from app.fulfillment import steps
from app.inbox import service as inbox
from app.issues import queries as issue_rows
from app.keys.reveal import Visitor
from app.orders import queries as order_rows
from app.orders import reasons
from app.orders import service as orders
from app.orders.models import OrderItem, OrderWithItems
from app.payments import queries as payment_rows
from app.payments import service as payments
from app.payments.models import Payment
from app.queue import service as jobs
from app.suppliers.registry import open_suppliers

EMAIL = "delivered+buyer@resend.dev"
COIN = "usdttrc20"  # one is one dollar
IPN_SECRET = b"sandbox-ipn-secret"
ORDINARY = "text_keys AND price BETWEEN 10 AND 30"
VISITOR = Visitor(actor=EMAIL, ip="192.0.2.7", user_agent="a test")
NOW: Callable[[], AbstractAsyncContextManager[None]] = db.transaction  # the commit of a step that runs without a job


async def products(count: int = 1, *, where: str = ORDINARY) -> list[dict[str, Any]]:
    """Products with plenty in stock, always the same ones."""
    rows = await db.fetch(f"SELECT * FROM product WHERE active AND stock >= 20 AND {where} ORDER BY slug")
    assert len(rows) >= count
    return [dict(row) for row in rows[:count]]


async def place(*quantities: int, where: str = ORDINARY, coin: str | None = COIN, code: str | None = None) -> UUID:
    """An order of one product per quantity, one of one if none is given. Returns its id."""
    chosen = await products(len(quantities) or 1, where=where)
    wanted = [orders.Wanted(p["id"], n) for p, n in zip(chosen, quantities or (1,), strict=True)]
    return (await orders.place(EMAIL, await orders.quote(wanted, code), pay_currency=coin)).order_id


async def offered(kit: Any, *quantities: int, **more: Any) -> tuple[UUID, Payment]:
    """An order whose payment stands at the provider: its id and the payment's row."""
    order_id = await place(*quantities, **more)
    return order_id, await ask(kit, order_id)


async def ask(kit: Any, order_id: UUID) -> Payment:
    """Ask for a payment of the order, now; returns the newest attempt's row."""
    await payments.open_payment(order_id, nowpayments=kit.nowpayments, commit=NOW)
    return (await payment_rows.of_order(order_id))[0]


async def look(kit: Any, payment: Payment) -> None:
    """Ask the provider how a payment stands, now."""
    await payments.check(payment.id, nowpayments=kit.nowpayments, commit=NOW)


async def paid(kit: Any, box: Any, *quantities: int, **more: Any) -> tuple[UUID, list[OrderItem]]:
    """An order that is paid for and nothing bought yet: its id and its items."""
    order_id, payment = await offered(kit, *quantities, **more)
    await box.pay(payment.provider_payment_id)
    await look(kit, payment)
    found = await order(order_id)
    assert found.status == "paid"
    return order_id, found.items


async def buy(kit: Any, item: OrderItem) -> dict[str, Any]:
    """Reserve an item, now; returns the reservation's row."""
    await steps.reserve(item.id, suppliers=open_suppliers(kit), commit=NOW)
    return await reservation(item)


async def check(kit: Any, found: Mapping[str, Any]) -> None:
    await steps.check(found["id"], suppliers=open_suppliers(kit), commit=NOW)


async def collect(kit: Any, found: Mapping[str, Any]) -> None:
    await steps.collect(found["id"], suppliers=open_suppliers(kit), store=kit.store, commit=NOW)


async def delivered(kit: Any, box: Any, *quantities: int, **more: Any) -> tuple[UUID, list[OrderItem]]:
    """A fulfilled order, its keys sealed: its id and its items."""
    order_id, items = await paid(kit, box, *quantities, **more)
    for item in items:
        found = await buy(kit, item)
        await check(kit, found)
        await collect(kit, found)
    done = await order(order_id)
    assert done.status == "fulfilled"
    return order_id, done.items


async def settle(order_id: UUID) -> bool:
    """The order is paid in full, by whatever means. Returns whether that paid it."""
    async with orders.changing(order_id) as locked:
        return await orders.settle(locked)


class OrderInTest(OrderWithItems, frozen=True):
    """The same with ``reasons``: why it needs a person, in words."""

    reasons: list[str]


async def order(order_id: UUID) -> OrderInTest:
    found = await order_rows.one(order_id)
    assert found is not None
    return extend(OrderInTest, found, reasons=await reasons_of(order_id))


async def reasons_of(order_id: UUID) -> list[str]:
    """Why an order needs a person, in words, the oldest first; what is merely late or undelivered is not among it."""
    found = await issue_rows.open_for(reasons.about(order_id))
    return [issue.detail for issue in found if issue.code in reasons.REASONS]


async def reservation(item: OrderItem) -> dict[str, Any]:
    row = await db.fetch_one("SELECT * FROM reservation WHERE item_id = $1", item.id)
    assert row is not None
    return dict(row)


async def supplier_product(item: OrderItem) -> str:
    """The supplier's id of what an item is."""
    return str((await catalog.for_purchase(item.product_id)).supplier_product_id)


async def events(subject: UUID) -> list[str]:
    """The kinds of a subject's events, in order."""
    return [r["kind"] for r in await db.fetch("SELECT kind FROM event WHERE subject = $1 ORDER BY seq", subject)]


async def job_names(status: str = "pending") -> list[str]:
    return sorted(r["name"] for r in await db.fetch("SELECT name FROM job WHERE status = $1", status))


async def claimed(name: str = "maintenance.purge", **more: Any) -> jobs.Lease:
    """A job of this name, posted and claimed."""
    job_id = await jobs.post(name, {}, **more)
    assert job_id is not None
    lease = await jobs.claim(job_id)
    assert lease is not None
    return lease


class Undone(Exception):
    """Ends a transaction from inside."""


async def undone(work: Awaitable[object]) -> None:
    """Await ``work`` in a transaction that fails at its end."""
    with suppress(Undone):
        async with db.transaction():
            await work
            raise Undone


@asynccontextmanager
async def torn() -> AsyncIterator[None]:
    """The commit of a step whose process dies before it: all that was asked outside has happened, nothing here has."""
    async with db.transaction():
        yield
        raise Undone


def overtaken(by: Callable[[], Awaitable[object]]) -> Callable[[], AbstractAsyncContextManager[None]]:
    """A commit before which somebody else does something."""

    @asynccontextmanager
    async def commit() -> AsyncIterator[None]:
        await by()
        async with db.transaction():
            yield

    return commit


async def count(table: str, where: str = "true") -> int:
    return int(await db.fetch_value(f"SELECT count(*) FROM {table} WHERE {where}"))


async def rows(*, but: Iterable[str] = ()) -> dict[str, list[str]]:
    """Every table's rows as text: to see that nothing changed, or to search all that is stored."""
    found = await db.fetch("SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
    names = [row["name"] for row in found if row["name"] not in set(but)]
    return {n: [r["line"] for r in await db.fetch(f"SELECT t::text AS line FROM {n} t ORDER BY 1")] for n in names}


def ipn(report: Mapping[str, Any], **change: Any) -> bytes:
    """The body of a notice about a payment as the sandbox's API shows it, sorted and compact as genuine ones are."""
    left_out = {"ipn_callback_url", "valid_until", "created_at", "type", "burning_percent", "payout_hash", "payin_hash"}
    members = {"parent_payment_id": None, "fee": {"currency": COIN, "depositFee": 0.000002, "serviceFee": 1e-06}}
    members |= {name: value for name, value in report.items() if name not in left_out}
    return json.dumps(members | change, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def signature(body: bytes) -> str:
    """Of NOWPayments: hex HMAC-SHA512 over the sorted, compact body."""
    return hmac.new(IPN_SECRET, body, hashlib.sha512).hexdigest()


async def tell(kit: Any, body: bytes) -> str:
    """Keep a notice and apply it; returns the words in its log."""
    name = str(new_id())
    assert await inbox.keep("nowpayments", name, {}, body, job="payments.apply_notice")
    notice_id = await db.fetch_value("SELECT id FROM inbound_webhook WHERE dedupe = $1", name)
    await payments.apply_notice(notice_id, nowpayments=kit.nowpayments, commit=NOW)
    return str(await db.fetch_value("SELECT outcome FROM inbound_webhook WHERE id = $1", notice_id))


async def report(box: Any, payment: Payment) -> dict[str, Any]:
    """A payment as the provider shows it now."""
    number = int(payment.provider_payment_id)
    return next(p for p in await box.payments() if p["payment_id"] == number)


async def sent_notices(box: Any) -> list[bytes]:
    """The bodies of all notices the payment provider has sent, oldest first."""
    answer = await box.http.get("/sandbox/api/webhooks", params={"provider": "nowpayments"})
    return [notice["body"].encode() for notice in reversed(answer.json())]


def elsewhere(**change: str) -> dict[str, str]:
    """This environment with changes, for a process of its own."""
    return os.environ | change
