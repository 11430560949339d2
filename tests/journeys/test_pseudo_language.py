"""Every page in the pseudo-language: whatever a person reads is in a catalog, but for what the database holds."""

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.async_api import expect

from dev.environment import until
from dev.up_environment import UpEnvironment
from tests.house.loose_texts import PROPER, WORD
from tests.journeys.browsing import Invite, Visitor
from tests.journeys.shopper import Shopper

LOOSE = Path(__file__).with_name("loose_words.js").read_text()
PSEUDO = {"locale": "en-XA"}
STATE = re.compile(r"[a-z_]+")  # a word of the program: shown as it is, it is a text that no catalog has
TEXTUAL = (
    "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public' AND data_type IN"
)
TYPES = "('text', 'character varying', 'uuid', 'jsonb', 'inet')"


class Data:
    """What the shop's database holds as text: names, addresses, ids, notes of persons, and what is kept in English."""

    def __init__(self, values: set[str]) -> None:
        self._values = sorted(values, key=len, reverse=True)

    @classmethod
    async def of(cls, env: UpEnvironment) -> "Data":
        found: set[str] = set()
        for column in await env.rows(f"{TEXTUAL} {TYPES}"):
            name = f'"{column["column_name"]}"'
            sql = (
                f'SELECT DISTINCT {name}::text AS it FROM "{column["table_name"]}" WHERE {name} IS NOT NULL LIMIT 20000'
            )
            for row in await env.rows(sql):
                found |= set(_strings(row["it"]))
        return cls({value for value in found if len(value) > 1 and not STATE.fullmatch(value)})

    def without(self, text: str) -> str:
        """``text`` less all that is data."""
        for value in self._values:
            if value in text:
                text = text.replace(value, " ")
        return text


def _strings(text: str) -> Iterator[str]:
    """A value, its lines, and whatever strings stand in it where it is JSON."""
    yield " ".join(text.split())
    yield from (" ".join(line.split()) for line in text.splitlines())
    if text[:1] in "[{":
        yield from _of_json(json.loads(text))


def _of_json(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for each in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from _of_json(each[1])


async def _loose(visitor: Visitor, *paths: str) -> dict[str, list[str]]:
    """By path, what stands there in plain English and is no data."""
    found: dict[str, list[str]] = {}
    for path in paths:
        if path:
            await visitor.page.goto(path)
        language, outside = await visitor.page.evaluate(LOOSE)
        assert language == "en-XA", path
        found[path or visitor.page.url] = outside
    data = await Data.of(visitor.env)
    judged = {path: [text for text in outside if _is_loose(data.without(text))] for path, outside in found.items()}
    return {path: outside for path, outside in judged.items() if outside}


def _is_loose(text: str) -> bool:
    return WORD.search(PROPER.sub("", text)) is not None


async def test_every_page_of_the_shop_is_in_the_readers_language(env: UpEnvironment, invite: Invite) -> None:
    waiting, ready, half = await asyncio.gather(Shopper.orders(env), Shopper.orders(env, 1, 1), Shopper.orders(env))
    await asyncio.gather(waiting.payment_id(), ready.buys(), half.pays("partially_paid"))
    await half.reaches("underpaid")
    slug = (await env.products(1))[0]["slug"]
    visitor = await invite(**PSEUDO)
    visitor.expects("status of 4[01][04]|^answer 4[01][04]")
    page = visitor.page
    found = await _loose(visitor, "/", "/?q=no+such+game", f"/products/{slug}", "/cart", "/login", "/orders")
    await page.goto(f"/products/{slug}")
    await page.locator("form[action='/cart'] button").first.click()
    found |= await _loose(visitor, "/cart", "/checkout", "/orders/lookup", "/no/such/page", "/links/nothing")
    for order in (waiting, half, ready):
        await visitor.context.add_cookies([order.cookie])
        # At a part of it, so that it does not lead on by itself.
        found |= await _loose(visitor, f"/orders/{order.order_id}#status")
    found |= await _loose(visitor, "/orders", f"/orders/{ready.order_id}/success")
    await page.locator("form[action$='/reveal'] button").first.click()
    await expect(page.locator(".key-value")).to_have_count(1)
    found |= await _loose(visitor, "", f"/orders/{ready.order_id}/audit")
    assert found == {}


async def _signs_in(visitor: Visitor) -> None:
    email, password = visitor.env.admin
    await visitor.page.goto("/admin/login")
    await visitor.page.locator("input[name=email]").fill(email)
    await visitor.page.locator("input[name=password]").fill(password)
    await visitor.page.locator("input[name=password]").press("Enter")
    await expect(visitor.page).to_have_url(re.compile("/admin$"))


async def _some(env: UpEnvironment, table: str) -> str:
    return str((await env.rows(f'SELECT id FROM "{table}" LIMIT 1'))[0]["id"])


async def test_every_page_of_the_admin_is_in_the_readers_language(env: UpEnvironment, invite: Invite) -> None:
    order, half = await asyncio.gather(Shopper.orders(env), Shopper.orders(env))
    await asyncio.gather(order.buys(), half.pays("partially_paid"))
    await order.reveals()
    await half.reaches("underpaid")
    visitor = await invite(**PSEUDO)
    found = await _loose(visitor, "/admin/login")
    await _signs_in(visitor)
    lists = (
        "",
        "/orders",
        "/jobs",
        "/dead-letters",
        "/webhooks",
        "/refunds",
        "/issues",
        "/own-stock",
        "/merchants",
        "/audit",
    )
    found |= await _loose(visitor, *(f"/admin{part}" for part in lists))
    found |= await _loose(
        visitor, f"/admin/orders/{order.order_id}", f"/admin/orders/{half.order_id}",
        f"/admin/jobs/{await _some(env, 'job')}", f"/admin/webhooks/{await _some(env, 'inbound_webhook')}",
        f"/admin/products/{await _some(env, 'product')}",
    )  # fmt: skip
    assert found == {}


async def _joins(boss: Visitor, visitor: Visitor, email: str) -> None:
    """A new merchant, whose first member the visitor is."""
    await _signs_in(boss)
    await boss.page.goto("/admin/merchants")
    await boss.page.locator("input[name=name]").fill("Walker & Sons")
    await boss.page.locator("input[name=email]").fill(email)
    await boss.page.locator("input[name=email]").press("Enter")
    await expect(boss.page.get_by_role("heading", level=1)).to_have_text("Walker & Sons")

    async def arrived() -> str | None:
        for mail in await visitor.env.box.mail():
            if email in mail["to"] and (link := re.search(r"http://\S+/links/\S+", mail["text"])):
                return link[0]
        return None

    await visitor.page.goto(str(await until(arrived, "the invitation arrives")))
    await visitor.page.locator("main form button").first.click()
    await expect(visitor.page).to_have_url(re.compile("/merchant"))


async def test_every_page_of_a_merchant_is_in_the_readers_language(env: UpEnvironment, invite: Invite) -> None:
    boss, visitor = await invite(**PSEUDO), await invite(**PSEUDO)
    await _joins(boss, visitor, "pseudo@example.test")
    page = visitor.page
    await page.goto("/merchant/guide")
    await page.locator("form[action='/merchant/guide/keys'] button").click()
    key, secret = page.locator("#issued-key"), page.locator("#issued-secret")
    await expect(secret).to_contain_text("bls_")
    head = {"X-Api-Key": await key.inner_text(), "X-Api-Secret": await secret.inner_text()}
    asked = {"amount": "20.00", "currency": "USD", "reference": "walk-2"}
    order = (await env.http.post("/api/v1/orders", json=asked, headers=head)).json()["id"]
    paying = {"order_id": order, "method": "upi", "upi": {"vpa": "success@test"}, "metadata": {"test_delay": "0"}}
    payment = (await env.http.post("/api/v1/payments", json=paying, headers=head)).json()["id"]

    async def ended() -> bool:
        return bool((await env.http.get(f"/api/v1/payments/{payment}", headers=head)).json()["status"] == "success")

    await until(ended, "the payment is played")
    await page.goto("/merchant/endpoints")
    await page.locator("input[name=url]").fill(f"{env.url.replace('127.0.0.1', 'localhost')}/nowhere")
    await page.locator("input[name=url]").press("Enter")
    await expect(page.locator("#endpoint-secret")).to_contain_text("whsec_")
    found = await _loose(visitor, "")
    lists = ("", "/orders", "/payments", "/refunds", "/endpoints", "/deliveries", "/keys", "/team", "/guide", "/try")
    found |= await _loose(visitor, *(f"/merchant{part}" for part in lists))
    found |= await _loose(
        visitor, f"/merchant/orders/{order}", f"/merchant/payments/{payment}", "/account/devices",
        "/docs/errors", "/docs/errors/bad_request", "/docs/events", "/docs/events/order.paid",
    )  # fmt: skip
    assert found == {}
