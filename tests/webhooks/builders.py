"""A merchant with an order whose timeline is written by hand, and a receiver on a socket of this machine."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from aiohttp import web

from app.core import clock, db
from app.core.ids import new_id
from app.history import service as history
from app.orders import service as orders
from app.payments import queries as payments
from app.webhooks import queries, service
from app.webhooks.models import LoggedAttempt
from dev.environment import until

MEMBERS = ("delivered+ada@resend.dev", "delivered+bob@resend.dev")


async def merchant(name: str = "Acme") -> UUID:
    merchant_id = new_id()
    await db.fetch(
        """INSERT INTO merchant (id, name, origins, live_number, test_number, created_at)
           VALUES ($1, $2, '[]', 0, 0, $3)""",
        merchant_id, name, clock.now(),
    )  # fmt: skip
    return merchant_id


async def members(merchant_id: UUID) -> None:
    """Two people of its team, and one who was invited only."""
    for email, joined in [*((email, clock.now()) for email in MEMBERS), ("invited@example.com", None)]:
        await db.fetch(
            """INSERT INTO member (id, merchant_id, email, invited_by, invited_at, joined_at)
               VALUES ($1, $2, $3, 'admin', $4, $5)""",
            new_id(), merchant_id, email, clock.now(), joined,
        )  # fmt: skip


async def order(merchant_id: UUID, *, test: bool = True) -> UUID:
    order_id = new_id()
    await db.fetch(
        """INSERT INTO customer_order (id, email, status, fulfillment_status, currency, subtotal, discount,
          total, created_at,
             merchant_id, test, reference, metadata, published_seq)
           VALUES ($1, '', 'waiting', 'pending', 'USD', 12.50, 0, 12.50, $2, $3, $4, 'A-1', '{"cart": "7"}', 0)""",
        order_id, clock.now(), merchant_id, test,
    )  # fmt: skip
    return order_id


async def payment(order_id: UUID) -> UUID:
    payment_id, now = new_id(), clock.now()
    await payments.insert(
        {
            "id": payment_id, "order_id": order_id, "price_amount": Decimal("12.50"), "price_currency": "USD",
            "pay_currency": "",
        },
        now,
    )  # fmt: skip
    await db.fetch(
        """UPDATE payment SET provider = 'test', method = 'card', details = '{"last4": "4242"}' WHERE id = $1""",
        payment_id,
    )
    return payment_id


async def refund(order_id: UUID, payment_id: UUID) -> UUID:
    refund_id = new_id()
    await db.fetch(
        """INSERT INTO refund (id, order_id, payment_id, status, amount, currency, reason, asked_by, created_at)
           VALUES ($1, $2, $3, 'pending', 5.00, 'USD', 'half of it', 'a merchant', $4)""",
        refund_id, order_id, payment_id, clock.now(),
    )  # fmt: skip
    return refund_id


async def happens(order_id: UUID, kind: str, **data: Any) -> None:
    """Something happens to an order, as everything does: under its lock, with the job that tells of it."""
    async with orders.changing(order_id):
        await history.record(order_id, kind, **data)


async def paid(merchant_id: UUID, *, test: bool = True) -> UUID:
    order_id = await order(merchant_id, test=test)
    await happens(order_id, "order.paid")
    return order_id


async def told(object_id: UUID) -> list[tuple[int, str]]:
    """An object's events: sequence and type."""
    rows = await db.fetch("SELECT sequence, type FROM merchant_event WHERE object_id = $1 ORDER BY number", object_id)
    return [(row["sequence"], row["type"]) for row in rows]


async def numbers(merchant_id: UUID, *, test: bool = True) -> list[int]:
    return [row.number for row in await queries.feed(merchant_id, test, 0, 10_000)]


async def deliveries(endpoint_id: UUID) -> list[dict[str, Any]]:
    """Oldest first."""
    return [dict(r) for r in await db.fetch("SELECT * FROM delivery WHERE endpoint_id = $1 ORDER BY id", endpoint_id)]


async def the_delivery(endpoint_id: UUID) -> dict[str, Any]:
    (found,) = await deliveries(endpoint_id)
    return found


async def endpoint_row(endpoint_id: UUID) -> dict[str, Any]:
    row = await db.fetch_one("SELECT * FROM endpoint WHERE id = $1", endpoint_id)
    assert row is not None
    return dict(row)


async def log(delivery: dict[str, Any]) -> list[LoggedAttempt]:
    return await queries.attempts(delivery["id"])


async def tries_again(drain: Any) -> timedelta:
    """Travel to when the next delivery is due, let the clock sweep and a worker work. Returns how far that was."""
    due = await db.fetch_value("SELECT min(next_at) FROM delivery WHERE next_at IS NOT NULL")
    assert due is not None, "nothing is in line"
    wait = due - clock.now()
    with clock.travelled(max(wait, timedelta()) + timedelta(milliseconds=1)):
        await service.post_due()
        await drain(only="webhooks.deliver")
    return wait


@dataclass
class Post:
    """A request as it arrived, to the byte."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        return dict(json.loads(self.body))

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


Answer = web.Response | Awaitable[web.Response]


@dataclass
class Receiver:
    """A merchant's server. ``answers`` says what each POST gets; a coroutine may take its time."""

    url: str = ""
    posts: list[Post] = field(default_factory=list)
    answers: Callable[[Post], Answer] = lambda _post: web.Response(text="ok")
    open: int = 0
    most: int = 0

    async def take(self, request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        post = Post(request.path_qs, headers, await request.read())
        self.posts.append(post)
        self.open += 1
        self.most = max(self.most, self.open)
        try:
            given = self.answers(post)
            return given if isinstance(given, web.Response) else await given
        finally:
            self.open -= 1

    async def has(self, count: int) -> None:
        await until(lambda: len(self.posts) >= count, f"{count} posts arrive")

    def ids(self) -> list[str]:
        return [post.id for post in self.posts]


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    made = Receiver()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", made.take)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert site._server is not None
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
    made.url = f"http://127.0.0.1:{port}/hooks"
    try:
        yield made
    finally:
        await runner.cleanup()


def status(code: int, **headers: str) -> Callable[[Post], Answer]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _post: web.Response(status=code, headers=named, text="no")


def genuine(post: Post, secret: str) -> bool:
    """Standard Webhooks by its text alone: one of the signatures is base64 HMAC-SHA256 of ``id.timestamp.body``."""
    key = base64.b64decode(secret.split("_", 1)[1])
    text = b".".join([post.headers["webhook-id"].encode(), post.headers["webhook-timestamp"].encode(), post.body])
    mine = "v1," + base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
    return mine in post.headers["webhook-signature"].split(" ")


def simple(post: Post, secret: str) -> str:
    return hmac.new(secret.encode(), post.body, hashlib.sha256).hexdigest()


async def hanging(release: asyncio.Event) -> web.Response:
    await release.wait()
    return web.Response(text="at last")
