"""A customer who buys by JSON calls: for tests whose point lies elsewhere than in the buying."""

import asyncio
import secrets
from typing import Any

import httpx

from dev.environment import until
from dev.up_environment import UpEnvironment

LETTERS = ("Your order", "Payment received", "Your key is ready")  # how the three letters of a purchase begin


class Shopper:
    """One order, and all that can be known of it from outside and inside."""

    def __init__(self, env: UpEnvironment, email: str, placed: dict[str, Any]) -> None:
        self.env, self.email = env, email
        self.order_id, self.token, self.total = placed["orderId"], placed["accessToken"], placed["total"]
        self.page = f"{env.url}/orders/{self.order_id}"
        self._payment_id = ""

    @classmethod
    async def orders(
        cls, env: UpEnvironment, *quantities: int, coin: str = "ltc", products: list[dict[str, Any]] | None = None
    ) -> "Shopper":
        """Place an order: one product per quantity, one of one if none is given."""
        quantities = quantities or (1,)
        products = products or await env.products(len(quantities))
        items = [{"productId": str(p["id"]), "quantity": n} for p, n in zip(products, quantities, strict=True)]
        email = f"delivered+{secrets.token_hex(5)}@resend.dev"
        answer = await env.http.post("/orders", json={"email": email, "items": items, "payCurrency": coin})
        assert answer.status_code == 201, answer.text
        return cls(env, email, answer.json())

    @property
    def short_id(self) -> str:
        """How people name the order."""
        return str(self.order_id).replace("-", "")[-8:].upper()

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", "Accept": "application/json"}

    @property
    def cookie(self) -> dict[str, str]:
        """The cookie that a browser would have got at checkout."""
        return {"name": "bitloot_orders", "value": self.token, "url": self.env.url}

    async def status(self) -> dict[str, Any]:
        """How the order stands; empty while the shop does not answer."""
        try:
            answer = await self.env.http.get(f"/fulfillment/{self.order_id}/status", headers=self.bearer)
        except httpx.TransportError:
            return {}
        return dict(answer.json()) if answer.status_code == 200 else {}

    async def reaches(self, status: str, *, seconds: float = 20) -> dict[str, Any]:
        """The order's status answer, once it says ``status``."""
        found: dict[str, Any] = {}

        async def there() -> bool:
            nonlocal found
            found = await self.status()
            return bool(found.get("status") == status)

        await until(there, f"order {self.order_id} becomes {status}", seconds=seconds)
        return found

    async def payment_id(self) -> str:
        """NOWPayments' number of its payment, once there is one."""
        if not self._payment_id:
            self._payment_id = str((await self.reaches("waiting"))["payment"]["paymentId"])
        return self._payment_id

    async def pays(self, case: str = "success", **more: Any) -> None:
        """Send the coins, as soon as there is an address for them."""
        await self.env.box.pay(await self.payment_id(), case, **more)

    async def buys(self) -> dict[str, Any]:
        """Pay, and wait for the keys."""
        await self.pays()
        return await self.reaches("fulfilled")

    async def reveals(self) -> list[str]:
        """The keys of all its items, in the clear."""
        values: list[str] = []
        for item in (await self.status())["items"]:
            where, body = f"/fulfillment/{self.order_id}/reveal", {"itemId": item["itemId"]}
            answer = await self.env.http.post(where, json=body, headers=self.bearer)
            assert answer.status_code == 200, answer.text
            values += [key["value"] for key in answer.json()["keys"]]
        return values

    async def jobs(self, status: str) -> list[str]:
        """Names of its jobs in a state."""
        sql = "SELECT name FROM job WHERE subject = $1::uuid AND status = $2 ORDER BY name"
        return [row["name"] for row in await self.env.rows(sql, self.order_id, status)]

    async def events(self) -> list[str]:
        """Its timeline."""
        rows = await self.env.rows("SELECT kind FROM event WHERE subject = $1::uuid ORDER BY seq", self.order_id)
        return [row["kind"] for row in rows]

    async def letters(self) -> list[dict[str, Any]]:
        """The mails it got, the oldest first."""
        answer = await self.env.box.http.get("/sandbox/api/mail", params={"to": self.email})
        return list(reversed(answer.json()))

    async def supplied(self) -> list[dict[str, Any]]:
        """The supplier's orders for it, from the supplier's own books."""
        return await supplied(self.env, self.order_id)


async def supplied(env: UpEnvironment, order_id: str) -> list[dict[str, Any]]:
    """What the supplier's books hold for an order, with the keys."""
    reservations = await env.rows("SELECT id FROM reservation WHERE order_id = $1::uuid", order_id)
    asked = [
        env.box.http.get("/sandbox/api/orders", params={"orderExternalId": str(row["id"]), "keys": "1"})
        for row in reservations
    ]
    return [order for answer in await asyncio.gather(*asked) for order in answer.json()]


async def bought_exactly_once(shopper: Shopper, *, seconds: float = 20) -> None:
    """Fulfilled; and charged once, one key a unit, each moment on record once, each letter sent once."""
    order = await shopper.reaches("fulfilled", seconds=seconds)
    units = {item["itemId"]: item["quantity"] for item in order["items"]}
    supplied = await shopper.supplied()
    assert len(supplied) == len(units), supplied
    assert sorted(o["products"][0]["qty"] for o in supplied) == sorted(units.values())
    assert all(o["status"] == "completed" and o["credited"] == "0" for o in supplied), supplied
    sql = "SELECT item_id, ordinal, supplier_key_id FROM sealed_key WHERE order_id = $1::uuid"
    keys = await shopper.env.rows(sql, shopper.order_id)
    wanted = sorted((item, n) for item, quantity in units.items() for n in range(quantity))
    assert sorted((str(k["item_id"]), k["ordinal"]) for k in keys) == wanted
    assert {k["supplier_key_id"] for k in keys} == {key["id"] for o in supplied for key in o["keys"]}
    events = await shopper.events()
    for kind in ("order.created", "order.waiting", "order.paid", "order.fulfilled"):
        assert events.count(kind) == 1, events

    async def all_sent() -> bool:
        return len(await shopper.letters()) >= len(LETTERS)

    await until(all_sent, f"{shopper.email} has its letters")
    subjects = [letter["subject"] for letter in await shopper.letters()]
    assert [sum(s.startswith(begin) for s in subjects) for begin in LETTERS] == [1, 1, 1], subjects
    more = [subject for subject in subjects if "more than asked arrived" in subject]  # who paid twice is told
    assert len(more) <= 1, subjects
    assert len(subjects) == len(LETTERS) + len(more), subjects
