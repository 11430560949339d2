"""Which coins are offered: one whose least amount can't be had harms no other, one switched off is gone at once."""

import json
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from app.core import db
from app.payments import coins
from app.payments.coins import NoCoins
from app.providers.http import ApiKeyRejected, ProviderDown
from app.providers.nowpayments import NowPayments
from tests.builders import rows
from tests.catalog.listing import told

NAMES = ["aaa", "bbb", "ccc", "ddd", "eee"]


class CoinProvider:
    """A payment provider of five coins; ``answers`` gives a coin's own answer about its least amount."""

    def __init__(self) -> None:
        self.chosen: list[Any] = list(NAMES)
        self.rows: list[Any] = [{"code": c.upper(), "name": f"Coin {c}", "network": c, "enable": True} for c in NAMES]
        self.answers: dict[str, tuple[int, Any]] = {}
        self.up = True
        self.client = NowPayments("http://provider/v1", "key", transport=httpx.ASGITransport(self._answer))

    async def _answer(self, scope: Any, receive: Any, send: Any) -> None:
        status, said = self._say(scope["path"], parse_qs(scope["query_string"].decode()))
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": json.dumps(said).encode()})

    def _say(self, path: str, query: dict[str, list[str]]) -> tuple[int, Any]:
        if path.endswith("/merchant/coins"):
            return 200, {"selectedCurrencies": self.chosen}
        if path.endswith("/full-currencies"):
            return 200, {"currencies": self.rows}
        if path.endswith("/status"):
            return (200, {"message": "OK"}) if self.up else (500, {"message": "no"})
        coin = query["currency_from"][0]
        return self.answers.get(coin, (200, {"min_amount": 1, "fiat_equivalent": "4.00"}))


@pytest.fixture
async def stub(app) -> AsyncIterator[CoinProvider]:
    """All five coins on offer at 4.20 dollars, as read once, and none of the sandbox's."""
    before = await db.fetch("SELECT code, active FROM coin")
    await db.fetch("UPDATE coin SET active = false")
    made = CoinProvider()
    assert await coins.sync(nowpayments=made.client) == 5
    yield made
    await db.fetch("DELETE FROM coin WHERE code = ANY($1) OR code LIKE 'ccc%'", NAMES)
    await db.fetch("UPDATE coin SET active = true WHERE code = ANY($1)", [r["code"] for r in before if r["active"]])


async def offered() -> dict[str, Decimal | None]:
    found = await db.fetch("SELECT code, minimum FROM coin WHERE active ORDER BY position, code")
    return {r["code"]: r["minimum"] for r in found}


ALL = dict.fromkeys(NAMES, Decimal("4.20"))


@pytest.mark.parametrize(
    "answer",
    [
        (500, {"message": "oops"}), (503, {}), (429, {}), (400, {"code": "BAD_REQUEST", "message": "no"}),
        (200, {"min_amount": "many"}), (200, []), (200, {"min_amount": 1, "fiat_equivalent": -3}),
        (200, {"fiat_equivalent": 3}),
    ],
)  # fmt: skip
async def test_one_coin_whose_least_amount_cannot_be_had_stops_no_other(stub, answer: tuple[int, Any]) -> None:
    stub.answers = dict.fromkeys(NAMES, (200, {"min_amount": 1, "fiat_equivalent": "8.00"})) | {"bbb": answer}
    assert await coins.sync(nowpayments=stub.client) == 5
    assert await offered() == dict.fromkeys(NAMES, Decimal("8.40")) | {"bbb": Decimal("4.20")}
    assert "Coin bbb" in (await told("coins"))["coin_minimum"]
    stub.answers = {}
    await coins.sync(nowpayments=stub.client)
    assert await offered() == ALL
    assert await told("coins") == {}


async def test_a_coin_that_is_switched_off_is_gone_although_another_one_fails(stub) -> None:
    stub.answers = {"aaa": (500, {})}
    stub.chosen.remove("ddd")
    stub.rows[4]["enable"] = False
    await coins.sync(nowpayments=stub.client)
    assert list(await offered()) == ["aaa", "bbb", "ccc"]


@pytest.mark.parametrize("no", ["Currency DDD was not found", "Currency ddd is not convertable"])
async def test_a_coin_that_cannot_be_paid_in_just_now_is_not_offered(stub, no: str) -> None:
    code = "CURRENCY_UNAVAILABLE" if "found" in no else "BAD_REQUEST"
    stub.answers = {"ddd": (400, {"code": code, "message": no})}
    await coins.sync(nowpayments=stub.client)
    assert list(await offered()) == ["aaa", "bbb", "ccc", "eee"]
    stub.answers = {}
    await coins.sync(nowpayments=stub.client)
    assert await offered() == ALL


async def test_a_provider_that_is_away_still_ends_the_switched_off_ones_and_keeps_the_others(stub) -> None:
    stub.answers, stub.up = dict.fromkeys(NAMES, (500, {})), False
    stub.chosen.remove("eee")
    with pytest.raises(ProviderDown):
        await coins.sync(nowpayments=stub.client)
    assert await offered() == {name: Decimal("4.20") for name in NAMES[:4]}


async def test_four_bad_coins_in_a_row_do_not_hide_the_fifth(stub) -> None:
    stub.answers = dict.fromkeys(NAMES[:4], (500, {})) | {"eee": (200, {"min_amount": 1, "fiat_equivalent": "8.00"})}
    await coins.sync(nowpayments=stub.client)
    assert await offered() == ALL | {"eee": Decimal("8.40")}


@pytest.mark.parametrize("empty", ["chosen", "rows"])
async def test_an_empty_list_takes_no_coin_away(stub, empty: str) -> None:
    setattr(stub, empty, [])
    with pytest.raises(NoCoins):
        await coins.sync(nowpayments=stub.client)
    assert await offered() == ALL
    assert list(await told("coins")) == ["coins_missing"]


@pytest.mark.parametrize(
    "odd",
    [
        None, 7, {}, {"code": ["ccc"]}, {"code": "CCC", "name": {"a": 1}}, {"code": "CCC", "name": "lone \ud800"},
        {"code": "CCC", "name": "N" * 500, "network": "n" * 200}, {"code": "CCC" * 20}, {"name": "no code"},
    ],
)  # fmt: skip
async def test_one_odd_row_of_the_list_takes_no_other_coin_away(stub, odd: Any) -> None:
    stub.rows[2] = odd
    await coins.sync(nowpayments=stub.client)
    assert await offered() == ALL


async def test_a_refused_key_of_ours_changes_nothing(stub) -> None:
    before = await rows()
    stub.answers = {"aaa": (401, {"code": "INVALID_API_KEY", "message": "no"})}
    with pytest.raises(ApiKeyRejected):
        await coins.sync(nowpayments=stub.client)
    assert await rows() == before


async def test_a_least_amount_beyond_all_measure_is_none_and_the_last_one_stays(stub) -> None:
    stub.answers = {"ccc": (200, {"min_amount": 1, "fiat_equivalent": 10**30})}
    await coins.sync(nowpayments=stub.client)
    assert await offered() == ALL
