"""Exchange rates: prices, the margin and the buying limit follow them; without a fresh one nothing is sold."""

from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from actors.clock import SCHEDULE, posted_before
from app.catalog import queries, rates
from app.catalog import service as catalog
from app.core import clock, db
from app.core.settings import settings
from app.orders import service as orders
from app.providers import rates as wire
from app.providers.http import ProviderError, ProviderProtocolError
from app.providers.shapes import WrongShape
from app.queue import service as jobs
from app.suppliers.kinguin import KinguinSupplier
from tests.builders import buy, count, job_names, paid, products, rows, supplier_product
from tests.catalog.listing import told

FRIDAY = date(2026, 11, 27)


def at(day: date, hour: int = 12) -> Any:
    """That moment, as far as our clock goes."""
    wanted = datetime(day.year, day.month, day.day, hour, tzinfo=clock.now().tzinfo)
    return clock.travelled(wanted - clock.now())


@pytest.fixture
async def read(app, box) -> AsyncIterator[Any]:
    """Reads what the source says: the euro in dollars, of a day."""

    async def sync(rate: str | None = None, day: date | None = None, **more: Any) -> None:
        await box.settings(**({"eurUsd": rate} if rate else {}), **({"ratesDay": day.isoformat()} if day else {}))
        await rates.sync(rates=app.state.kit.rates, **more)

    yield sync
    await db.fetch("DELETE FROM exchange_rate WHERE day <> current_date")
    await db.fetch("UPDATE product SET updated_at = now()")


async def kept() -> list[tuple[date, Decimal]]:
    found = await db.fetch("SELECT day, rate FROM exchange_rate WHERE currency = 'USD' ORDER BY day")
    return [(r["day"], r["rate"]) for r in found]


async def only(day: date) -> None:
    """The newest rate is of that day."""
    await db.fetch("DELETE FROM exchange_rate")
    await db.fetch(
        """INSERT INTO exchange_rate (id, currency, day, rate, fetched_at)
           VALUES (gen_random_uuid(), 'USD', $1, 1.1, $2)""",
        day, clock.now(),
    )  # fmt: skip


async def test_a_dearer_euro_raises_every_price_and_a_cheaper_one_lowers_it(app, read) -> None:
    (mine,) = await products()
    cost = mine["cost"]
    for rate in ("1.18", "1.02"):
        await db.fetch("DELETE FROM exchange_rate")
        await read(rate)
        found = (await queries.listed([mine["id"]]))[mine["id"]].price.amount
        lowest = cost * Decimal(rate) * Decimal("1.18") + Decimal("0.35")
        assert lowest - Decimal("0.01") <= found < lowest + Decimal("0.10")
        assert str(found)[-1] == "9"


async def test_ten_euro_cost_by_each_rate_what_one_works_out_by_hand(app, read) -> None:
    (mine,) = await products()
    await db.fetch("UPDATE product SET cost = 10 WHERE id = $1", mine["id"])
    for rate, price in (("1.20", "14.59"), ("1.10", "13.39"), ("1.00", "12.19")):
        await db.fetch("DELETE FROM exchange_rate")
        await read(rate)
        assert str((await queries.listed([mine["id"]]))[mine["id"]].price) == f"${price}"


async def test_a_key_sold_at_13_39_is_not_bought_at_a_real_14_16(app, box, read) -> None:
    (mine,) = await products()
    await box.set_product(mine["supplier_product_id"], price="10.00")
    await catalog.sync(listing=KinguinSupplier(app.state.kit.kinguin))
    _, (item,) = await paid(app.state.kit, box)
    assert str(item.unit_price) == "13.39"
    await read("1.20", clock.now().date() + timedelta(days=1))
    await box.set_product(await supplier_product(item), price="11.80")  # 14.16 dollars by then, 11.80 by the old rate
    found = await buy(app.state.kit, item)
    assert (found["status"], str(found["price_limit"])) == ("out_of_stock", "10.82")
    assert await box.orders() == []


async def test_a_rate_is_kept_by_its_currency_and_day_once(app, read) -> None:
    await db.fetch("DELETE FROM exchange_rate")
    for rate, day in (("1.1", FRIDAY), ("1.11", FRIDAY), ("1.12", FRIDAY - timedelta(days=1))):
        await read(rate, day)
    assert await kept() == [(FRIDAY - timedelta(days=1), Decimal("1.12")), (FRIDAY, Decimal("1.11"))]
    assert await rates.current() == Decimal("1.11"), "the newest day counts, not the last that was read"
    assert await count("exchange_rate", "currency = 'JPY'") == 2


@pytest.mark.parametrize(
    ("since", "until", "days"),
    [
        (FRIDAY, FRIDAY, 0), (FRIDAY, FRIDAY + timedelta(days=2), 0), (FRIDAY, FRIDAY + timedelta(days=3), 1),
        (FRIDAY, FRIDAY + timedelta(days=7), 5), (FRIDAY, FRIDAY + timedelta(days=31), 21),
        (date(2026, 4, 2), date(2026, 4, 7), 3), (FRIDAY, FRIDAY - timedelta(days=9), 0),
    ],
)  # fmt: skip
def test_weekends_are_no_working_days(since: date, until: date, days: int) -> None:
    assert rates.working_days(since, until) == days


@pytest.mark.parametrize(
    ("now", "sold"),
    [
        (FRIDAY, True), (FRIDAY + timedelta(days=3), True), (FRIDAY + timedelta(days=5), True),
        (FRIDAY + timedelta(days=6), False), (FRIDAY + timedelta(days=40), False),
    ],
)  # fmt: skip
async def test_fridays_rate_serves_to_wednesday_and_no_longer(app, read, now: date, sold: bool) -> None:
    with at(now):
        await only(FRIDAY)
        assert await rates.selling() is sold


async def test_over_easter_the_shop_stays_open(app, read) -> None:
    for now, sold in ((date(2026, 4, 7), True), (date(2026, 4, 8), False)):
        with at(now):
            await only(date(2026, 4, 2))
            assert await rates.selling() is sold


async def test_a_stale_rate_stops_sales_tells_the_owner_and_ends_by_itself(app, box, read) -> None:
    (mine,) = await products()
    wanted = [orders.Wanted(mine["id"], 1)]
    with at(FRIDAY + timedelta(days=6)):
        await only(FRIDAY)
        await box.fault("rates", "error500")
        with pytest.raises(ProviderError):
            await read()
        before = await rows()
        with pytest.raises(rates.SalesStopped, match="Nothing was ordered or charged"):
            await orders.quote(wanted)
        assert await rows() == before
        said = (await told("rates"))["rates_stale"]
        assert "2026-11-27" in said
        await box.no_faults()
        await read("1.10", FRIDAY + timedelta(days=5))
        assert (await orders.quote(wanted)).total.amount == mine["price"]
        assert await told("rates") == {}


async def test_a_silent_source_is_told_before_sales_stop(app, box, read) -> None:
    await box.fault("rates", "error500")
    for hours, codes in ((1, []), (13, ["rates_late"])):
        with clock.travelled(timedelta(hours=hours)), pytest.raises(ProviderError):
            await read()
        assert list(await told("rates")) == codes
    await box.no_faults()
    await read()
    assert await told("rates") == {}


@pytest.mark.parametrize("rate", ["1.22", "0.98", "110", "0.011", "9.99"])
async def test_a_rate_that_cannot_be_believed_is_not_taken_until_a_person_says_so(app, read, rate: str) -> None:
    before, price = await kept(), await db.fetch_value("SELECT sum(price) FROM product")
    await read(rate, clock.now().date() + timedelta(days=1))
    assert await kept() == before
    assert await db.fetch_value("SELECT sum(price) FROM product") == price
    assert rate in (await told("rates"))["rate_implausible"]
    await read(rate, accept=True)
    assert await rates.current() == Decimal(rate)
    assert "rate_implausible" not in await told("rates")


async def test_a_rate_of_a_day_to_come_is_not_taken(app, read) -> None:
    before = await kept()
    await read("1.11", clock.now().date() + timedelta(days=30))
    assert await kept() == before
    assert "a day to come" in (await told("rates"))["rate_implausible"]


async def test_before_the_first_rate_nothing_is_sold_and_no_price_is_made(app, read) -> None:
    await db.fetch("DELETE FROM exchange_rate")
    (mine,) = await products()
    with pytest.raises(rates.SalesStopped):
        await orders.quote([orders.Wanted(mine["id"], 1)])
    with pytest.raises(rates.NoRate):
        await catalog.sync(listing=KinguinSupplier(app.state.kit.kinguin))


async def test_the_scheduled_job_reads_them(app, box, read, drain) -> None:
    assert "catalog.sync_rates" in SCHEDULE
    await box.settings(eurUsd="1.15")
    await jobs.post("catalog.sync_rates", {})
    assert await drain(only="catalog.sync_rates") == 1
    assert await rates.current() == Decimal("1.15")
    assert await job_names("failed") == []
    await db.fetch("DELETE FROM job")
    never = await posted_before(1000.0)
    assert 1000.0 - never["catalog.sync_rates"] >= SCHEDULE["catalog.sync_rates"], "a new clock posts it at once"


@pytest.mark.parametrize(
    "said",
    [
        {}, [], None, {"base": "USD", "date": "2026-11-27", "rates": {"EUR": "0.9"}},
        {"base": "EUR", "rates": {"USD": 1}},
        {"base": "EUR", "date": "today", "rates": {"USD": 1}}, {"base": "EUR", "date": "2026-11-27", "rates": {}},
        {"base": "EUR", "date": "2026-11-27", "rates": [1]},
        {"base": "EUR", "date": "2026-11-27", "rates": {"USD": -1}},
        {"amount": 100, "base": "EUR", "date": "2026-11-27", "rates": {"USD": 110}},
        {"base": "EUR", "date": "2026-11-27", "rates": {"USD": 0}},
    ],
)  # fmt: skip
def test_an_answer_that_gives_no_rate_of_one_euro_is_refused(said: Any) -> None:
    with pytest.raises(WrongShape):
        wire.read_rates(said)


def test_an_odd_currency_leaves_the_others() -> None:
    rows_ = {"USD": Decimal("1.1"), "JPY": "oops", "usd": 3, "GBP": "0.83"}
    found = wire.read_rates({"base": "EUR", "date": "2026-11-27", "rates": rows_})
    assert found == wire.DailyRates(FRIDAY, {"USD": Decimal("1.1"), "GBP": Decimal("0.83")})


async def test_a_page_in_place_of_rates_changes_nothing(app, box, read) -> None:
    before = await kept()
    await box.fault("rates", "html_garbage")
    with pytest.raises(ProviderProtocolError):
        await read()
    assert await kept() == before


def test_production_reads_the_real_ones_and_development_the_sandboxs() -> None:
    assert settings().rates_base_url.endswith("/rates/v1")


async def test_prices_follow_a_rate_whose_keeper_died_before_they_did(app, read) -> None:
    (mine,) = await products()
    await read("1.15")
    await db.fetch("UPDATE product SET cost = 10, price = 13.39 WHERE id = $1", mine["id"])
    await read("1.15")
    assert str((await queries.listed([mine["id"]]))[mine["id"]].price) == "$13.99"


async def test_jobs_wait_for_the_first_rate_and_none_dies_of_it(app, read, drain) -> None:
    await db.fetch("DELETE FROM exchange_rate")
    await jobs.post("catalog.sync", {})
    for hours in range(5):
        with clock.travelled(timedelta(hours=hours)):
            assert await drain(only="catalog.sync") == 1
        assert await job_names("pending") == ["catalog.sync"]
    await read("1.10")
    with clock.travelled(timedelta(hours=6)):
        assert await drain(only="catalog.sync") == 1
    assert await job_names("failed") == []


@pytest.mark.parametrize(
    ("currency", "limit"),
    [("USD", "0.50"), ("EUR", "0.45"), ("JPY", "75"), ("KRW", "50"), ("KWD", "0.050"), ("XYZ", "0.50")],
)
async def test_a_limit_of_the_shop_is_worth_as_much_in_another_currency(read, currency: str, limit: str) -> None:
    await db.fetch("DELETE FROM exchange_rate")
    for code, rate in (("USD", "1.10"), ("JPY", "165.50")):
        await db.fetch(
            """INSERT INTO exchange_rate (id, currency, day, rate, fetched_at)
               VALUES (gen_random_uuid(), $1, $2, $3, now())""",
            code, clock.now().date(), Decimal(rate),
        )  # fmt: skip
    assert str(await rates.converted(Decimal("0.50"), currency)) == limit


async def test_a_limit_goes_by_the_currencys_own_scale_while_its_rate_is_of_last_month(read) -> None:
    await only(clock.now().date() - timedelta(days=30))
    assert await rates.converted(Decimal("0.50"), "JPY") == 50
    assert await rates.converted(Decimal("0.50"), "USD") == Decimal("0.50")
