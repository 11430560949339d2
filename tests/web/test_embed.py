"""The doors that stand in merchants' pages: who may look, what they say, what a post from the frame needs."""

import base64
import gzip
import hashlib
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_UP
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from app.core import clock, db, tokens
from app.core.money import CENT, Money
from app.merchants import api_keys, queries, service
from app.merchants.models import ApiKey
from app.orders.models import Order
from app.payments.models import Payment
from app.web.embed import sdk
from scripts import publish_sdk
from tests.builders import look, rows
from tests.orders.merchants import charged
from tests.samples import sample

SHOP, SECOND = "https://shop.example", "https://www.shop.example"
LOOK_ALIKES = [
    "https://shop.example.evil.example", "https://shop.example:8443", "http://shop.example", "https://evilshop.example",
    "https://SHOP.example", "https://shop.example/", "https://shop.exampl", "https://a.shop.example", "null", "", "*",
    "https://shop.example https://evil.example", "https://shop.example@evil.example",
]  # fmt: skip
LARGEST_SDK = 5_000  # bytes, gzipped
CARD = {"number": "4242 4242 4242 4242", "expiry": "12 / 40", "cvv": "123"}


@dataclass
class Stall:
    """A merchant with a page at SHOP, one of its orders, and a customer's browser without any cookie."""

    http: httpx.AsyncClient
    merchant: UUID
    key: str
    order: Order

    async def frame(self, **change: str) -> httpx.Response:
        asked = {"key": self.key, "order": str(self.order.id), "origin": SHOP} | change
        return await self.http.get("/embed/checkout", params=asked, headers={"accept": "text/html"})

    async def truth(self, origin: str | None = SHOP, **change: str) -> httpx.Response:
        asked = {"key": self.key, "order": str(self.order.id)} | change
        headers = {"origin": origin} if origin is not None else {}
        return await self.http.get(f"/embed/orders/{asked.pop('order')}", params=asked, headers=headers)

    async def token(self) -> str:
        found = re.search(r'data-token="([^"]+)"', (await self.frame()).text)
        assert found is not None
        return found[1]

    async def post(self, path: str = "/embed/payments", **form: str) -> httpx.Response:
        return await self.http.post(path, data=form)


async def _stall(client: httpx.AsyncClient, *, test: bool = True) -> Stall:
    merchant = await service.create_merchant("Poster & Sons")
    await service.set_origins(merchant, [SHOP, SECOND])
    key = await api_keys.publishable(merchant, test=test)
    return Stall(client, merchant, key, await charged(merchant, "24.00", test=test, reference="P-1"))


@pytest.fixture
async def stall(client: httpx.AsyncClient) -> AsyncIterator[Stall]:
    made = await _stall(client)
    yield made
    assert not client.cookies, "nothing in a merchant's page sets a cookie"


# ---- who may look


async def test_the_frame_may_be_shown_by_exactly_the_allowed_origins(stall: Stall) -> None:
    answer = await stall.frame()
    assert answer.status_code == 200
    policies = answer.headers.get_list("content-security-policy")
    assert len(policies) == 1
    assert policies[0].split("frame-ancestors ")[1] == f"{SHOP} {SECOND}"
    assert "x-frame-options" not in answer.headers
    assert "$24.00" in answer.text
    assert f'data-origin="{SHOP}"' in answer.text


async def test_what_is_foreign_unknown_or_not_allowed_gets_the_same_calm_page(stall: Stall) -> None:
    other = await service.create_merchant("Rival")
    await service.set_origins(other, [SHOP])
    theirs = await charged(other, "99.00")
    live = await charged(stall.merchant, "77.00", test=False)
    wrong: list[dict[str, str]] = [{"origin": origin} for origin in LOOK_ALIKES]
    wrong += [{"order": str(it)} for it in (uuid4(), theirs.id, live.id, "x", "", "\x00", "1" * 5000)]
    wrong += [
        {"key": it} for it in ("pk_test_none", "", "\x00", "x" * 5000, await api_keys.publishable(other, test=True))
    ]
    secret = await api_keys.issue(stall.merchant, test=True, name="own")
    wrong += [{"key": secret.key}, {"key": secret.secret}]
    told = {await _told(stall, change) for change in wrong}
    assert len(told) == 1
    ((status, text),) = told
    assert status == 404
    assert "This checkout can’t be shown" in text
    for said in ("24.00", "99.00", "77.00", "Poster", "Rival"):
        assert said not in text


async def _told(stall: Stall, change: dict[str, str]) -> tuple[int, str]:
    answer = await stall.frame(**change)
    return answer.status_code, answer.text


async def test_a_revoked_key_and_an_origin_taken_away_shut_the_frame_at_once(stall: Stall) -> None:
    token = await stall.token()
    status = {"url": "/embed/checkout/status", "params": {"token": token}}
    assert (await stall.http.get(**status)).status_code == 200
    await service.set_origins(stall.merchant, [SECOND])
    assert (await stall.frame()).status_code == 404
    assert (await stall.truth()).status_code == 404
    assert (await stall.http.get(**status)).status_code == 410
    await service.set_origins(stall.merchant, [SHOP])
    assert (await stall.http.get(**status)).status_code == 200
    mine = [row for row in await _keys(stall) if row.key == stall.key]
    await api_keys.revoke(mine[0].id, stall.merchant)
    assert (await stall.frame()).status_code == 404
    assert (await stall.truth()).status_code == 404
    before = await rows()
    assert (await stall.post(token=token, method="card", **CARD)).status_code == 410
    assert await rows() == before


async def _keys(stall: Stall) -> list[ApiKey]:
    return await queries.keys(stall.merchant, test=True)


# ---- the server's word


async def test_the_truth_is_told_to_the_allowed_origins_alone(stall: Stall) -> None:
    for origin in (SHOP, SECOND):
        answer = await stall.truth(origin)
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == origin
        assert "Origin" in answer.headers["vary"]
        assert "access-control-allow-credentials" not in answer.headers
        assert answer.headers["cache-control"] == "no-store"
    assert answer.json() == {
        "id": str(stall.order.id), "status": "created", "paid": False, "amount": "24.00", "currency": "USD",
        "mode": "test", "payment": None,
    }  # fmt: skip
    for origin in [*LOOK_ALIKES, None]:
        answer = await stall.truth(origin)
        assert answer.status_code == 404, origin
        # Any page may read that it was refused, so that it need not take it for a lost connection.
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.json() == {
            "type": "urn:bitloot:error:no_such_checkout", "title": "This checkout can't be shown", "status": 404,
            "detail": "Check the publishable key, the order's id, and that this page's origin is allowed.",
            "code": "no_such_checkout",
        }  # fmt: skip
    other = await charged(await service.create_merchant("Rival"))
    for change in ({"order": str(other.id)}, {"order": "x"}, {"key": "pk_test_none"}):
        refused = await stall.truth(**change)
        assert (refused.status_code, refused.content) == (404, answer.content)


async def test_the_truth_follows_the_payment_to_its_end(stall: Stall, drain: Any) -> None:
    token = await stall.token()
    assert (await stall.post(token=token, method="card", **CARD)).status_code == 201
    said = (await stall.truth()).json()
    assert (said["status"], said["paid"], said["payment"]["status"]) == ("waiting", False, "pending")
    await drain(later=True)
    said = (await stall.truth()).json()
    assert (said["paid"], said["payment"]["status"]) == (True, "success")
    shown = await stall.http.get("/embed/checkout/status", params={"token": token})
    assert 'data-phase="paid"' in shown.text


# ---- posts from the frame


async def test_a_post_needs_the_frames_token_and_changes_nothing_without(stall: Stall) -> None:
    claims = {"key": stall.key, "order": str(stall.order.id), "origin": SHOP}
    foreign = await charged(await service.create_merchant("Rival"))
    bad = [
        "", "x", tokens.sign("order", claims, timedelta(hours=1)),
        tokens.sign("embed", claims | {"order": str(foreign.id)}, timedelta(hours=1)),
        tokens.sign("embed", claims | {"origin": "https://evil.example"}, timedelta(hours=1)),
    ]  # fmt: skip
    before = await rows()
    for token in bad:
        assert (await stall.post(token=token, method="card", **CARD)).status_code == 410
        assert (await stall.http.get("/embed/checkout/status", params={"token": token})).status_code == 410
        assert (await stall.http.get("/embed/events", params={"token": token})).status_code == 410
    assert await rows() == before


async def test_a_token_lasts_half_an_hour_and_each_look_brings_a_new_one(stall: Stall) -> None:
    token = await stall.token()
    with clock.travelled(timedelta(minutes=29)):
        shown = await stall.http.get("/embed/checkout/status", params={"token": token})
        fresh = re.search(r'data-token="([^"]+)"', shown.text)
        assert fresh is not None
    with clock.travelled(timedelta(minutes=31)):
        assert (await stall.http.get("/embed/checkout/status", params={"token": token})).status_code == 410
        assert (await stall.http.get("/embed/checkout/status", params={"token": fresh[1]})).status_code == 200


async def test_a_cards_number_is_neither_kept_nor_sent_back(stall: Stall) -> None:
    token = await stall.token()
    refused = await stall.post(token=token, method="card", **CARD | {"cvv": "97531"})
    assert refused.status_code == 400
    assert refused.json()["field"] == "cvv"
    assert (await stall.post(token=token, method="card", **CARD)).status_code == 201
    shown = await stall.http.get("/embed/checkout/status", params={"token": token})
    assert "4242" in shown.text
    everything = json.dumps(await rows()) + shown.text + refused.text
    for secret in ("4242 4242 4242 4242", "4242424242424242", "12 / 40", "97531"):
        assert secret not in everything


async def test_errors_name_their_field(stall: Stall) -> None:
    token = await stall.token()
    wrong = {
        "number": {"method": "card", **CARD, "number": "4242 4242 4242 4241"},
        "expiry": {"method": "card", **CARD, "expiry": "01 / 20"},
        "vpa": {"method": "upi", "vpa": "nobody"},
        "currency": {"method": "crypto", "currency": "monopoly"},
        "method": {"method": "barter"},
    }
    before = await rows()
    for field, form in wrong.items():
        answer = await stall.post(token=token, **form)
        assert (answer.status_code, answer.json().get("field")) == (400, field)
    assert await rows() == before


async def test_live_mode_offers_coins_alone(client: httpx.AsyncClient) -> None:
    stall = await _stall(client, test=False)
    text = (await stall.frame()).text
    assert "Card number" not in text
    assert "UPI" not in text
    assert "Test mode" not in text
    assert 'value="btc"' in text
    before = await rows()
    for form in ({"method": "card", **CARD}, {"method": "upi", "vpa": "success@test"}):
        assert (await stall.post(token=await stall.token(), **form)).status_code == 400
    assert await rows() == before


async def test_a_live_payment_is_prepared_shown_and_left_for_another(client: httpx.AsyncClient, drain: Any) -> None:
    stall = await _stall(client, test=False)
    token = await stall.token()
    assert (await stall.post(token=token, method="crypto", currency="xrp")).status_code == 201
    shown = await client.get("/embed/checkout/status", params={"token": token})
    assert 'data-phase="preparing"' in shown.text
    await drain()
    shown = await client.get("/embed/checkout/status", params={"token": token})
    assert 'data-phase="pay"' in shown.text
    assert "Destination tag" in shown.text
    payment = (await stall.truth()).json()["payment"]
    assert payment["status"] == "pending"
    left = await stall.post(f"/embed/payments/{payment['id']}/cancellations", token=token)
    assert left.status_code == 200
    assert (await stall.truth()).json()["payment"]["status"] == "cancelled"
    shown = await client.get("/embed/checkout/status", params={"token": token})
    assert 'data-phase="choose"' in shown.text


async def test_another_coin_at_a_merchants_address_hides_it_and_asks_for_no_more(
    app: Any, client: httpx.AsyncClient, drain: Any, box: Any
) -> None:
    stall = await _stall(client, test=False)
    token = await stall.token()
    await stall.post(token=token, method="crypto", currency="usdttrc20")
    await drain()
    shown = await client.get("/embed/checkout/status", params={"token": token})
    assert ('data-phase="pay"' in shown.text, "pay-address" in shown.text) == (True, True)
    (payment,) = [p for p in await box.payments() if p["pay_currency"] == "usdttrc20"]
    await box.pay(str(payment["payment_id"]), "wrong_coin")
    await look(app.state.kit, sample(Payment, id=await db.fetch_value("SELECT id FROM payment")))
    shown = await client.get("/embed/checkout/status", params={"token": token})
    assert ('data-phase="parked"' in shown.text, "pay-address" in shown.text) == (True, False)
    assert "send more" in shown.text


async def test_only_the_orders_own_payment_can_be_left(stall: Stall) -> None:
    other = await charged(stall.merchant)
    mine, token = stall.order, await stall.token()
    stall.order = other
    await stall.post(token=await stall.token(), method="card", **CARD)
    theirs = (await stall.truth()).json()["payment"]["id"]
    stall.order = mine
    before = await rows()
    for payment_id in (theirs, str(uuid4()), "x"):
        assert (await stall.post(f"/embed/payments/{payment_id}/cancellations", token=token)).status_code == 404
    assert await rows() == before


async def test_a_failed_attempt_is_told_until_it_is_dismissed(stall: Stall, drain: Any) -> None:
    token = await stall.token()
    await stall.post(token=token, method="card", **CARD | {"number": "4000000000000002"})
    await drain(later=True)
    shown = (await stall.http.get("/embed/checkout/status", params={"token": token})).text
    assert "The payment was declined. You were not charged." in shown
    payment = (await stall.truth()).json()["payment"]
    assert payment | {"id": ""} == {"id": "", "status": "failed", "method": "card", "failure": "declined"}
    again = {"token": token, "again": payment["id"]}
    shown = (await stall.http.get("/embed/checkout/status", params=again)).text
    assert 'data-phase="choose"' in shown


# ---- the SDK's files


async def test_the_sdk_is_small_public_and_briefly_cached(client: httpx.AsyncClient) -> None:
    for path in ("/checkout.js", "/checkout.mjs"):
        answer = await client.get(path)
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/javascript")
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["cache-control"] == "public, max-age=300"
        assert "set-cookie" not in answer.headers
        size = len(gzip.compress(answer.content))
        print(f"\n{path}: {size} bytes gzipped")
        assert size <= LARGEST_SDK
        for forbidden in (b"innerHTML", b".style=", b'("style"', b"eval(", b"localStorage", b"document.cookie"):
            assert forbidden not in answer.content


async def test_a_version_is_the_same_bytes_for_ever(client: httpx.AsyncClient) -> None:
    assert len(sdk.published()) > 2
    for file, digest in sdk.published().items():
        version = file.partition("/")[0]
        answer = await client.get(f"/sdk/{file}")
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["access-control-allow-origin"] == "*"
        assert digest == "sha384-" + base64.b64encode(hashlib.sha384(answer.content).digest()).decode()
        assert f'"{version}"' in answer.text
    assert sdk.integrity() in sdk.script_tag()
    for unknown in ("9.9.9", "1.0", "%2e%2e%2f", "1.0.0.0"):
        for name in ("checkout.js", "checkout.mjs"):
            assert (await client.get(f"/sdk/{unknown}/{name}")).status_code == 404
    assert (await client.get("/sdk/1.0.0/checkout.mjs")).status_code == 404, "there was none then"


def test_a_published_version_was_never_changed_and_the_newest_is_the_source() -> None:
    """Changed the source? Give it a new VERSION and run ``python -m scripts.publish_sdk``."""
    files = {file: (publish_sdk.FOLDER / file).read_text() for file in sdk.published()}
    assert {file: publish_sdk.digest(text) for file, text in files.items()} == sdk.published()
    source = (publish_sdk.FOLDER / "checkout.js").read_text()
    assert publish_sdk.version_of(source) == sdk.VERSION
    assert files[f"{sdk.VERSION}/checkout.js"] == publish_sdk.script(source)
    assert files[f"{sdk.VERSION}/checkout.mjs"] == publish_sdk.module(source)


async def test_the_file_without_a_version_knows_its_gateway_and_those_with_one_are_alike_everywhere(
    client: httpx.AsyncClient,
) -> None:
    home = sdk.own_origin()
    assert home.startswith("http://127.0.0.1:")
    for name in ("checkout.js", "checkout.mjs"):
        assert f'const SERVED_BY = "{home}";' in (await client.get(f"/{name}")).text
        assert 'const SERVED_BY = "";' in (await client.get(f"/sdk/{sdk.VERSION}/{name}")).text


async def test_the_types_name_all_that_the_sdk_takes_and_tells(client: httpx.AsyncClient) -> None:
    types, source = (await client.get("/sdk/checkout.d.ts")).text, (await client.get("/checkout.js")).text
    assert f"version {sdk.VERSION}" in types
    taken = set(re.findall(r"^  (\w+)\??: ", types.partition("CheckoutOptions")[2].partition("}")[0], re.M))
    assert taken == {"key", "orderId", "gateway", "theme", "onSuccess", "onFailure", "onClose"}
    for name in taken | {"open()", "close()", "PaymentGateway", "Checkout"}:
        assert name in source


@pytest.mark.parametrize("rate", ["93.50", None])
async def test_the_least_of_a_coin_is_in_the_orders_currency_or_not_shown(stall: Stall, rate: str | None) -> None:
    await db.fetch("DELETE FROM exchange_rate WHERE currency = 'INR'")
    for code, worth in (("USD", "1.10"), *([("INR", rate)] if rate else [])):
        await db.fetch(
            """INSERT INTO exchange_rate (id, currency, day, rate, fetched_at)
               VALUES (gen_random_uuid(), $1, current_date, $2::text::numeric, now())
               ON CONFLICT (currency, day) DO UPDATE SET rate = excluded.rate""",
            code, worth,
        )  # fmt: skip
    least = await db.fetch_value("SELECT min(minimum) FROM coin WHERE active")
    order = await charged(stall.merchant, "5000", test=True, currency="INR")
    text = (await stall.frame(order=str(order.id))).text
    if rate is None:
        assert "min. " not in text
    else:
        assert f"min. {Money((least * 85).quantize(CENT, ROUND_UP), 'INR')}<" in text  # 93.50 / 1.10
        assert f"min. {least} INR" not in text
