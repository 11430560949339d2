"""A shop with production's settings: cookies for https only, strict limits, and nothing of the sandbox."""

import asyncio

import httpx
import pytest

from tests.web.builders import EMAIL, assert_problem, compact, count, product, sign
from tests.web.conftest import Shop

pytestmark = pytest.mark.processes
SECRETS = {
    "NOWPAYMENTS_API_KEY": "np-key", "NOWPAYMENTS_IPN_SECRET": "np-ipn", "KINGUIN_API_KEY": "kg-key",
    "KINGUIN_WEBHOOK_SECRET": "kg-hook-3f9Zq7Lw", "RESEND_API_KEY": "re-key", "R2_ACCESS_KEY_ID": "r2-id",
    "R2_SECRET_ACCESS_KEY": "r2-secret",
}  # fmt: skip
SETTINGS = SECRETS | {
    "BITLOOT_ENV": "production", "FRONTEND_URL": "https://shop.test", "WEBHOOK_BASE_URL": "https://shop.test",
    "PASSWORD_MEMORY_KIB": "65536",
    "MAIL_FROM": "Shop <keys@shop.test>", "R2_ENDPOINT": "https://r2.test", "R2_BUCKET": "keys",
}  # fmt: skip


@pytest.fixture(scope="module")
async def production(sandbox_process):
    found = await asyncio.to_thread(Shop, "production", **SETTINGS)
    yield found
    found.end()


@pytest.fixture
async def buyer(app, production):
    async with httpx.AsyncClient(
        base_url=production.url, headers={"accept": "application/json"}, timeout=20, verify=False
    ) as client:
        yield client


async def test_every_cookie_is_for_https_only_and_the_host_says_so(buyer) -> None:
    page = await buyer.get("/login", headers={"accept": "text/html"})
    order = {"email": EMAIL, "items": [{"productId": (await product(buyer))["productId"], "quantity": 1}]}
    buyer.cookies.clear()
    placed = await buyer.post("/orders", json=order)
    assert placed.status_code == 201
    cookies = [*page.headers.get_list("set-cookie"), *placed.headers.get_list("set-cookie")]
    assert {cookie.partition("=")[0] for cookie in cookies} == {"__Host-bitloot_csrf", "__Host-bitloot_orders"}
    for cookie in cookies:
        parts = {part.strip().lower() for part in cookie.split(";")}
        assert {"secure", "httponly", "samesite=lax", "path=/"} <= parts
        assert not any(part.startswith("domain") for part in parts), "browsers refuse __Host- with a domain"
    assert page.headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"


async def test_ten_orders_a_minute_are_enough_for_one_address(buyer) -> None:
    answers = [await buyer.post("/orders", json={}) for _ in range(21)]
    assert {answer.status_code for answer in answers} == {400, 429}
    assert_problem(answers[-1], 429, "too_many_attempts")


async def test_a_notice_signed_with_the_sandboxs_secret_is_refused(buyer) -> None:
    body = compact({"payment_id": 1, "payment_status": "waiting"})
    refused = await buyer.post("/webhooks/nowpayments/ipn", content=body, headers={"x-nowpayments-sig": sign(body)})
    assert_problem(refused, 401, "bad_signature")
    own = {"x-nowpayments-sig": sign(body, "np-ipn")}
    assert (await buyer.post("/webhooks/nowpayments/ipn", content=body, headers=own)).status_code == 200
    assert await count("inbound_webhook") == 1


async def test_an_error_shows_nothing_of_the_inside(buyer, production) -> None:
    page = await buyer.get("/blobs/x?expires=1&signature=x", headers={"accept": "text/html"})
    assert page.status_code == 404
    for text in (page.text, (await buyer.get("/health")).text):
        assert "Traceback" not in text
        assert not any(secret in text for secret in SECRETS.values())


async def test_a_cookie_without_the_prefix_that_a_subdomain_could_set_opens_nothing(buyer) -> None:
    order = {"email": EMAIL, "items": [{"productId": (await product(buyer))["productId"], "quantity": 1}]}
    placed = await buyer.post("/orders", json=order, headers={"x-forwarded-for": "192.0.2.1"})
    buyer.cookies.clear()
    path, token = f"/orders/{placed.json()['orderId']}", placed.json()["accessToken"]
    assert (await buyer.get(path, headers={"cookie": f"bitloot_orders={token}"})).status_code == 404
    assert (await buyer.get(path, headers={"cookie": f"__Host-bitloot_orders={token}"})).status_code == 200


async def test_metrics_are_for_who_holds_their_token(buyer, sandbox_process) -> None:
    unknown = await buyer.get("/nowhere")
    assert (await buyer.get("/metrics")).status_code == unknown.status_code == 404
    shop = await asyncio.to_thread(Shop, "measured", **SETTINGS, METRICS_TOKEN="a token for the scraper")
    try:
        async with httpx.AsyncClient(base_url=shop.url) as client:
            for given in ("", "Bearer", "Bearer wrong", "Bearer \u00e9", "Basic a token for the scraper x"):
                refused = await client.get("/metrics", headers={"authorization": given.encode()})
                assert refused.status_code == 404, given
                assert "bitloot_" not in refused.text
            answer = await client.get("/metrics", headers={"authorization": "Bearer a token for the scraper"})
            assert answer.status_code == 200
            assert "bitloot_orders" in answer.text
    finally:
        shop.end()
