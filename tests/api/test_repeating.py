"""Idempotency-Key over HTTP: byte-identical answers, whatever died in between."""

import asyncio
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.core import db
from app.core.redis import async_client
from app.core.settings import settings
from tests.api.conftest import Till, card
from tests.builders import count, rows
from tests.conftest import ROOT, VAR, free_port
from tests.web.conftest import Shop

KEY = "f3b8a3a4-53f5-4d06-9a3a-6b4f3f8f7a10"
ORDER = {"amount": "49.90", "currency": "USD", "reference": "cart-1042"}


async def test_a_repeat_is_answered_with_the_same_bytes_and_says_so(till: Till) -> None:
    first = await till.post("/orders", ORDER, KEY)
    before = await rows(but=["api_key"])
    again = await till.post("/orders", ORDER, KEY)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["content-type"] == first.headers["content-type"]
    assert await rows(but=["api_key"]) == before


async def test_200_payments_at_once_with_one_key_are_one_payment(till: Till) -> None:
    order = await till.order()
    body = {"order_id": order["id"], "method": "card", "card": card()}
    answers = await asyncio.gather(*(till.post("/payments", body, KEY) for _ in range(200)))
    assert await count("payment") == 1
    assert {a.status_code for a in answers} <= {201, 409}
    made = [a for a in answers if a.status_code == 201]
    assert len({a.content for a in made}) == 1
    assert sum("idempotent-replayed" not in a.headers for a in made) == 1
    for waiting in (a for a in answers if a.status_code == 409):
        assert waiting.json()["code"] == "request_in_progress"
        assert waiting.headers["retry-after"] == "1"
    assert (await till.post("/payments", body, KEY)).content == made[0].content


async def test_another_body_with_the_same_key_is_refused(till: Till) -> None:
    await till.post("/orders", ORDER, KEY)
    before = await rows(but=["api_key"])
    other = await till.post("/orders", ORDER | {"amount": "49.91"}, KEY)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    elsewhere = await till.post("/webhooks/endpoints", ORDER, KEY)
    assert elsewhere.status_code == 400
    assert await rows(but=["api_key"]) == before


async def test_a_refusal_is_kept_and_a_malformed_body_is_not(till: Till) -> None:
    order = await till.order()
    wrong = {"order_id": order["id"], "method": "card", "card": card("4242424242424241")}
    first, again = await till.post("/payments", wrong, KEY), await till.post("/payments", wrong, KEY)
    assert (first.status_code, first.json()["field"]) == (422, "card.number")
    assert again.content == first.content
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["content-type"] == "application/problem+json"
    assert await count("payment") == 0
    malformed = await till.post("/orders", {"amount": "1"}, "another")
    assert malformed.status_code == 400
    assert (await till.post("/orders", ORDER, "another")).status_code == 201


async def test_what_came_too_often_is_not_kept(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings(), "limit_api", 1)
    answers = [await till.post("/orders", ORDER, f"key-{n}") for n in range(4)]
    refused = [a for a in answers if a.status_code == 429]
    assert refused
    assert refused[0].json()["code"] == "rate_limited"
    assert refused[0].headers["ratelimit"].startswith('"key";r=0;t=')
    assert int(refused[0].headers["retry-after"]) in range(1, 61)
    monkeypatch.setattr(settings(), "limit_api", 60_000)
    number = next(n for n, a in enumerate(answers) if a.status_code == 429)
    assert (await till.post("/orders", ORDER, f"key-{number}")).status_code == 201


async def test_the_secret_of_an_endpoint_is_answered_again_and_stands_in_no_table(till: Till) -> None:
    body = {"url": "https://shop.example.com/hooks"}
    first, again = await till.post("/webhooks/endpoints", body, KEY), await till.post("/webhooks/endpoints", body, KEY)
    assert first.status_code == 201, first.text
    assert again.content == first.content
    secret = first.json()["secret"]
    stored = "".join(line for lines in (await rows()).values() for line in lines)
    assert secret not in stored
    assert secret.encode().hex() not in stored


class Dying:
    """A web process that is killed by SIGKILL when it has committed and is about to answer a POST."""

    def __init__(self) -> None:
        port = free_port()
        self.url, self.log = f"http://127.0.0.1:{port}", VAR / f"dying-{port}.log"
        command = [sys.executable, "-m", "uvicorn", "tests.api.dying:app", "--port", str(port), "--host", "127.0.0.1"]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)

    async def wait(self) -> None:
        deadline = time.monotonic() + 30
        async with httpx.AsyncClient(timeout=2) as client:
            while time.monotonic() < deadline:
                assert self.process.poll() is None, Path(self.log).read_text()
                try:
                    if (await client.get(f"{self.url}/healthz")).status_code == 200:
                        return
                except httpx.HTTPError:
                    await asyncio.sleep(0.05)
        raise AssertionError("it does not answer")


@pytest.mark.processes
async def test_killed_between_commit_and_answer_the_retry_gets_the_first_answer(till: Till, server: Shop) -> None:
    order = await till.order()
    body: dict[str, Any] = {"order_id": order["id"], "method": "card", "card": card()}
    headers = {**till.http.headers, "idempotency-key": KEY}
    dying = Dying()
    try:
        await dying.wait()
        async with httpx.AsyncClient(timeout=20) as client:
            with pytest.raises(httpx.HTTPError):
                await client.post(f"{dying.url}/api/v1/payments", json=body, headers=headers)
        assert dying.process.wait(10) == -9
    finally:
        dying.process.kill()
    payment = await db.fetch_value("SELECT id FROM payment")
    async with async_client() as redis:
        await redis.flushall()
    async with httpx.AsyncClient(timeout=20) as client:
        again = await client.post(f"{server.url}/api/v1/payments", json=body, headers=headers)
    assert again.status_code == 201, again.text
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json()["id"] == str(payment)
    assert again.json()["status"] == "pending"
    assert await count("payment") == 1
