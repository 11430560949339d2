"""What goes over the wire, to the byte: every route's answer and every event, beside what they were when written down.

``wire.txt`` holds them with ids, times and secrets by their order of appearance. After a change that is meant, write it
anew: ``WRITE_WIRE=1 python -m pytest tests/api/test_wire.py``, and read the difference.
"""

import os
import re
from typing import Any

import httpx

from app.core import db
from tests.api.conftest import Till, card
from tests.conftest import ROOT

KEPT = ROOT / "tests" / "api" / "wire.txt"
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[47][0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
VEILS = [
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"), "<time>"),
    (re.compile(r"whsec_[A-Za-z0-9+/=]{44}"), "<secret>"),
    (re.compile(r'"next":"[A-Za-z0-9_-]{22}"'), '"next":"<cursor>"'),
    (re.compile(r"http://127\.0\.0\.1:\d+"), "<shop>"),
    (re.compile(r"/refunds/claims/[A-Za-z0-9_-]+"), "/refunds/claims/<token>"),
    (re.compile(r"test-[0-9a-f]{32}"), "<address>"),
    (re.compile(r'"ms":\d+'), '"ms":<ms>'),
    (re.compile(r'"transaction":"test-[^"]+"'), '"transaction":"<transaction>"'),
    (re.compile(r"r=\d+;t=\d+"), "r=<left>;t=<seconds>"),
]
HEADERS = ("content-type", "cache-control", "ratelimit-policy", "ratelimit", "idempotent-replayed", "www-authenticate",
           "retry-after", "allow")  # fmt: skip


class Recorder:
    """Asks, and keeps what was answered."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http, self._lines, self._ids = http, [], {}

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> dict[str, Any]:
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = await self._http.request(method, path, json=body, headers=more)
        self.keep(f"{method} {path} {'' if body is None else body}".rstrip())
        told = [f"{name}: {answer.headers[name]}" for name in HEADERS if name in answer.headers]
        self.keep(f"{answer.status_code} {'; '.join(told)}")
        self.keep(answer.text)
        return dict(answer.json()) if answer.content else {}

    def keep(self, line: str) -> None:
        for pattern, veil in VEILS:
            line = pattern.sub(veil, line)
        self._lines.append(ID.sub(lambda found: f"<id {self._ids.setdefault(found[0], len(self._ids) + 1)}>", line))

    @property
    def text(self) -> str:
        return "\n".join(self._lines) + "\n"


async def test_every_answer_and_event_is_to_the_byte_what_it_was(till: Till, app: Any, drain: Any) -> None:
    wire = Recorder(till.http)
    await _orders_and_payments(wire, till, drain)
    await _webhooks(wire, drain)
    await _refusals(wire)
    for row in await db.fetch("SELECT type, payload FROM merchant_event ORDER BY number"):
        wire.keep(f"event {row['type']}")
        wire.keep(row["payload"])
    if os.environ.get("WRITE_WIRE"):
        KEPT.write_text(wire.text)
    assert wire.text.splitlines() == KEPT.read_text().splitlines()


async def _orders_and_payments(wire: Recorder, till: Till, drain: Any) -> None:
    ask = wire.ask
    # Nothing of what happens is sent there, so nothing waits for an answer.
    hooks = {"url": "https://shop.example.com/hooks", "name": "Grüße", "types": ["payment.overpaid"]}
    await ask("POST", "/webhooks/endpoints", hooks)
    body = {"amount": "49.90", "currency": "USD", "reference": "cart-1 €", "customer_email": "Ann@example.com",
            "metadata": {"b": "2", "a": "1"}}  # fmt: skip
    order = await ask("POST", "/orders", body, idempotency_key="a")
    await ask("POST", "/orders", body, idempotency_key="a")
    await ask("POST", "/orders", {"amount_minor": 500, "currency": "JPY", "reference": "yen"})
    whose = {"order_id": order["id"]}
    crypto = {"method": "crypto", "crypto": {"currency": "BTC"}, "metadata": {"test": "underpaid"}}
    short = await ask("POST", "/payments", whose | crypto)
    await drain(later=True)
    await ask("GET", f"/payments/{short['id']}")
    paid = await ask("POST", "/payments", whose | {"method": "card", "card": card(), "metadata": {"n": "1"}})
    await drain(later=True)
    await ask("GET", f"/payments/{paid['id']}")
    await ask("GET", f"/orders/{order['id']}")
    part = await ask("POST", f"/payments/{paid['id']}/refunds", {"amount": "1.25", "reason": "Returned goods"})
    await ask("POST", f"/payments/{short['id']}/refunds", {"amount_minor": 100, "reason": "Late"})
    await drain(later=True)
    await ask("GET", f"/refunds/{part['id']}")
    other = await till.order("7.00")
    again = {"order_id": other["id"]}
    declined = await ask("POST", "/payments", again | {"method": "card", "card": card("4000000000000002")})
    await drain(later=True)
    await ask("GET", f"/payments/{declined['id']}")
    upi = await ask("POST", "/payments", again | {"method": "upi", "vpa": "Success@test"})
    await ask("POST", f"/payments/{upi['id']}/cancel", {})
    await ask("POST", f"/orders/{other['id']}/cancel")
    await ask("POST", f"/orders/{other['id']}/cancel", {})
    for path in ("/orders?limit=1", "/orders?status=created", "/payments?limit=2", "/payments?method=upi",
                 "/refunds", "/events?limit=2", "/events?after=3&limit=1", "/currencies", "/coins",
                 "/coins?currency=JPY"):  # fmt: skip
        await ask("GET", path)


async def _webhooks(wire: Recorder, drain: Any) -> None:
    ask = wire.ask
    await drain(only="webhooks.publish", later=True)
    made = await ask("POST", "/webhooks/endpoints", {"url": "https://shop.example.com/b", "types": ["order.paid"]})
    one = f"/webhooks/endpoints/{made['id']}"
    await ask("GET", "/webhooks/endpoints")
    await ask("GET", one)
    await ask("PATCH", one, {"name": "new", "disabled": True})
    await ask("POST", f"{one}/test", {})
    await ask("PATCH", one, {"disabled": False, "types": []})
    await ask("POST", f"{one}/test")
    await ask("POST", f"{one}/rotate", {"overlap": 0})
    found = await ask("GET", f"/webhooks/deliveries?endpoint_id={made['id']}")
    delivery = f"/webhooks/deliveries/{found['data'][0]['id']}"
    await ask("GET", delivery)
    await ask("POST", f"{delivery}/retry", {})
    await db.fetch("UPDATE delivery SET status = 'failed', next_at = NULL WHERE id = $1", found["data"][0]["id"])
    await ask("POST", f"{delivery}/retry", {})
    await ask("POST", f"{one}/retries", {"since": "2026-01-01T00:00:00Z"})
    await ask("DELETE", one)
    await ask("GET", one)


async def _refusals(wire: Recorder) -> None:
    ask = wire.ask
    for path in ("/orders/unknown", "/payments/unknown", "/refunds/unknown", "/nothing", "/orders?foo=1",
                 "/orders?limit=0", "/orders?after=x", "/orders?status=eaten", "/orders?created_from=x",
                 "/payments?order_id=7", "/orders?limit=1&limit=2", "/coins?currency=XXX"):  # fmt: skip
        await ask("GET", path)
    await ask("PUT", "/orders", {})
    await ask("OPTIONS", "/orders")
    await ask("GET", "/orders", x_api_key="")
    await ask("GET", "/orders", x_api_secret="wrong")
    good = {"amount": "5", "currency": "USD", "reference": "r"}
    for wrong in ({"foo": 1}, {"reference": ""}, {"amount": "5.001"}, {"amount": 5}, {"currency": "XXX"},
                  {"metadata": {"a": 1}}, {"customer_email": "nobody"}, {"amount_minor": 5}):  # fmt: skip
        await ask("POST", "/orders", good | wrong)
    await ask("POST", "/orders", good | {"amount": "6"}, idempotency_key="a")
    await ask("POST", "/orders", good, idempotency_key=" ")
    await ask("POST", "/payments", {"order_id": "01a1fd51-2443-71ea-874e-851178d10764", "method": "upi", "vpa": "a@b"})
