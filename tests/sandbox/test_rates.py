"""The rates source says what the euro is worth, of the day that is set, and the listing can be made to lie."""

from __future__ import annotations

from datetime import date

import pytest

from tests.sandbox.conftest import Sandbox, parsed


async def test_one_euro_is_worth_what_is_set_on_the_day_that_is_set(sandbox: Sandbox) -> None:
    said = parsed(await sandbox.panel.get("http://sandbox/rates/v1/latest", params={"base": "EUR"}))
    assert (str(said["amount"]), said["base"], str(said["rates"]["USD"])) == ("1", "EUR", "1.1")
    assert date.fromisoformat(said["date"]).weekday() < 5
    await sandbox.control.post("/settings", json={"eurUsd": "1.2345", "ratesDay": "2026-11-27"})
    said = parsed(await sandbox.panel.get("http://sandbox/rates/v1/latest"))
    assert (said["date"], str(said["rates"]["USD"])) == ("2026-11-27", "1.2345")
    said = parsed(await sandbox.panel.get("http://sandbox/rates/v1/latest", params={"symbols": "CHF"}))
    assert list(said["rates"]) == ["CHF"]


@pytest.mark.parametrize(("query", "status"), [({"base": "XYZ"}, 422), ({"symbols": "XYZ"}, 404)])
async def test_what_it_does_not_know_it_refuses(sandbox: Sandbox, query: dict[str, str], status: int) -> None:
    answer = await sandbox.panel.get("http://sandbox/rates/v1/latest", params=query)
    assert (answer.status_code, set(parsed(answer))) == (status, {"message"})


@pytest.mark.parametrize("bad", [{"ratesDay": "yesterday"}, {"eurUsd": "much"}])
async def test_a_bad_setting_changes_nothing(sandbox: Sandbox, bad: dict[str, str]) -> None:
    before = parsed(await sandbox.control.get("/settings"))
    assert (await sandbox.control.post("/settings", json=bad)).status_code == 400
    assert parsed(await sandbox.control.get("/settings")) == before


@pytest.mark.parametrize(("mode", "missing"), [("empty_listing", 25), ("short_listing", 1)])
async def test_a_listing_can_lack_rows_that_it_promises(sandbox: Sandbox, mode: str, missing: int) -> None:
    await sandbox.control.post("/faults", json={"provider": "kinguin", "mode": mode, "count": 1})
    counts = [len(parsed(await sandbox.kinguin.get("/v1/products"))["results"]) for _ in range(2)]
    assert counts == [25 - missing, 25]


@pytest.mark.parametrize(("mode", "price"), [("price_zero", "0"), ("price_absent", "None")])
async def test_a_product_can_be_listed_without_a_price(sandbox: Sandbox, mode: str, price: str) -> None:
    found = await sandbox.product(mode=mode)
    assert (str(found["price"]), str(found["offers"][0]["price"])) == (price, price)


async def test_a_product_can_be_limited_to_some_countries_and_be_a_dlc(sandbox: Sandbox) -> None:
    found = await sandbox.product(countries=["DE", "AT"], tags="dlc,base")
    assert (found["countryLimitation"], found["tags"]) == (["DE", "AT"], ["dlc", "base"])
    assert (await sandbox.product(countries=""))["countryLimitation"] == []
