"""What the web tests share: orders in every state, notices as the provider signs them, a picture of all tables."""

import hashlib
import hmac
import json
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx

from app.accounts import sessions
from app.accounts.tokens import session_token
from app.core import clock, db

IPN = "/webhooks/nowpayments/ipn"
IPN_SECRET = "sandbox-ipn-secret"
KINGUIN_SECRET = "sandbox-kinguin-webhook-secret"
SIGNATURE_SECRET = "a signature secret of these tests"
PASSWORD = "a long enough password"
EMAIL = "delivered+web@resend.dev"


@dataclass(frozen=True)
class Bought:
    """An order as its buyer knows it."""

    id: str
    token: str
    job_id: str
    item_id: str
    email: str

    @property
    def bearer(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}"}


LOG = ("audit_line", "audit_head")


async def session_of(email: str, role: str = "customer", *, epoch: int = 0) -> str:
    """The token of a person who signed in a moment ago."""
    return session_token(await sessions.begin(email, role, epoch=epoch))


async def picture(*, but: tuple[str, ...] = ()) -> dict[str, str]:
    """Every table as ``rows digest``: two that are equal mean that nothing was added, removed or changed.

    Left out are the count of refused posts, which is written a second later, and the counts of limits.
    """
    found = await db.fetch(
        """SELECT tablename AS name FROM pg_tables
           WHERE schemaname = 'public' AND tablename NOT IN ('refused_notice', 'quota_window') ORDER BY 1"""
    )
    rows = "count(*) || ' ' || md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), ''))"
    names = [row["name"] for row in found if row["name"] not in but]
    parts = (f"SELECT '{name}' AS name, {rows} AS state FROM \"{name}\" t" for name in names)
    return {row["name"]: row["state"] for row in await db.fetch(" UNION ALL ".join(parts))}


async def logged(*actions: str) -> list[str]:
    """What the audit log holds, oldest first; of those actions only, where some are named."""
    rows = await db.fetch(
        "SELECT action FROM audit_line WHERE $1 OR action = ANY($2) ORDER BY seq", not actions, actions
    )
    return [row["action"] for row in rows]


async def count(table: str) -> int:
    return int(await db.fetch_value(f'SELECT count(*) FROM "{table}"'))


async def product(client: httpx.AsyncClient, *, stock: int = 4) -> dict[str, Any]:
    """A product of which at least ``stock`` are left, from the shop's own list."""
    listed = (await client.get("/", headers={"accept": "application/json"})).json()
    return dict(next(item for item in listed["items"] if item["stock"] >= stock))


async def place(client: httpx.AsyncClient, *, quantity: int = 1, email: str = EMAIL, **more: Any) -> Bought:
    """An order, placed over JSON by somebody without cookies; ``client`` keeps none of it."""
    item = {"productId": (await product(client))["productId"], "quantity": quantity}
    kept = httpx.Cookies(client.cookies)
    client.cookies.clear()
    placed = await client.post(
        "/orders", json={"email": email, "items": [item], **more}, headers={"accept": "application/json"}
    )
    client.cookies = kept
    assert placed.status_code == 201, placed.text
    said = placed.json()
    item_id = await db.fetch_value("SELECT id FROM order_item WHERE order_id = $1", said["orderId"])
    return Bought(said["orderId"], said["accessToken"], said["jobId"], str(item_id), email)


def sign(body: bytes, secret: str = IPN_SECRET) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha512).hexdigest()


def compact(members: dict[str, Any]) -> bytes:
    """The text that the provider signs and, as a rule, sends: names sorted, no spaces."""
    return json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


async def tell(client: httpx.AsyncClient, body: bytes, signature: str | None = None, path: str = IPN) -> httpx.Response:
    """Post a notice to the shop, signed over its raw bytes unless a ``signature`` is given."""
    headers = {"content-type": "application/json", "x-nowpayments-sig": signature or sign(body)}
    return await client.post(path, content=body, headers=headers)


async def pay(client: httpx.AsyncClient, box: Any, bought: Bought, case: str = "finished", **more: Any) -> None:
    """Pay at the provider, and carry its notices to the shop's door."""
    [payment] = [p for p in await box.payments() if p["order_id"] == bought.id]
    await box.pay(str(payment["payment_id"]), case, **more)
    notices = (await box.http.get("/sandbox/api/webhooks?provider=nowpayments")).json()
    for notice in reversed(notices):
        told = await client.post(IPN, content=notice["body"].encode(), headers=notice["headers"])
        assert told.status_code == 200, told.text


async def ready(client: httpx.AsyncClient, box: Any, drain: Any, **more: Any) -> Bought:
    """An order whose keys lie sealed in the store and wait for their reveal."""
    bought = await place(client, **more)
    await drain()
    await pay(client, box, bought)
    await drain()
    state = await db.fetch_value("SELECT status FROM customer_order WHERE id = $1", bought.id)
    assert state == "fulfilled", state
    return bought


async def serials(box: Any) -> list[str]:
    """The keys that the supplier has sold, in clear."""
    orders = (await box.http.get("/sandbox/api/orders?keys=1")).json()
    return [key["serial"] for order in orders for key in order["keys"]]


def csrf_of(page: httpx.Response) -> str:
    """The form token that a page carries."""
    found = re.search(r'name="_csrf_token" value="([0-9a-f]{128})"', page.text)
    assert found is not None, page.text[:500]
    return found[1]


async def submit(
    client: httpx.AsyncClient, action: str, fields: dict[str, str] | None = None, **headers: str
) -> httpx.Response:
    """Post a form as a browser does, with the token of a page it has loaded before."""
    token = csrf_of(await client.get("/login", headers={"accept": "text/html"}))
    return await client.post(action, data={"_csrf_token": token, **(fields or {})}, headers=headers)


def assert_problem(
    answer: httpx.Response, status: int, code: str, field: str | None = None, *, about: object = ""
) -> dict[str, Any]:
    """Problem details (RFC 9457) with all that a client needs to tell its user; ``about`` names the case."""
    assert answer.status_code == status, (about, answer.text)
    assert answer.headers["content-type"] == "application/problem+json"
    said: dict[str, Any] = answer.json()
    assert said["status"] == status
    assert said["code"] == code, (about, said)
    assert said["type"] == f"urn:bitloot:error:{code}"
    assert said["title"]
    assert said["detail"]
    assert said.get("field") == field, (about, said)
    return said


def minutes(number: float) -> Any:
    """A block in which the shop's time is ``number`` minutes ahead."""
    return clock.travelled(timedelta(minutes=number))
