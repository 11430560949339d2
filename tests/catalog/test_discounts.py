"""Discounts: percent off our own sum, and never more uses than allowed, however many buy at once."""

import asyncio
from decimal import Decimal

import pytest

from app.catalog import service as catalog
from app.catalog.service import UnknownDiscount
from app.core import clock, db
from app.core.money import Money
from tests.builders import rows, undone

LIMIT = 5
BUYERS = 30
SUM = Money(Decimal("39.98"), "USD")


async def used(code: str = "TEN") -> int:
    return int(await db.fetch_value("SELECT used FROM discount WHERE code = $1", code))


@pytest.fixture
async def ten(app) -> None:
    await catalog.create_discount("ten", Decimal(10), max_uses=LIMIT)


async def test_a_code_is_read_however_it_is_typed_and_looking_counts_nothing(ten) -> None:
    before = await rows()
    for text in ("TEN", "ten", "  Ten \n"):
        assert await catalog.discount_for(text, SUM) == ("TEN", Decimal(10), Money(Decimal("4.00"), "USD"))
    assert await rows() == before


async def test_an_unknown_code_is_refused(ten) -> None:
    for text in ("NINE", "T_N", "%", "", "' OR 1=1 --", "TEN\x00X", "x" * 5000, "ТЕN"):
        with pytest.raises(UnknownDiscount):
            await catalog.discount_for(text, SUM)


async def test_an_expired_code_is_neither_priced_nor_counted(ten) -> None:
    await db.fetch("UPDATE discount SET expires_at = $1", clock.now() - clock.timedelta(seconds=1))
    with pytest.raises(UnknownDiscount):
        await catalog.discount_for("TEN", SUM)
    assert await catalog.spend_discount("TEN") is False
    assert await used() == 0


async def test_counting_without_a_guard_would_let_too_many_through(ten) -> None:
    """What the guarded update prevents, shown on the same table with a read and a write of its own."""
    everyone = asyncio.Barrier(LIMIT + 5)

    async def careless() -> bool:
        found = await used()
        await everyone.wait()
        if found < LIMIT:
            await db.fetch("UPDATE discount SET used = used + 1 WHERE code = 'TEN'")
        return found < LIMIT

    assert sum(await asyncio.gather(*(careless() for _ in range(LIMIT + 5)))) > LIMIT


async def test_of_thirty_buyers_at_once_only_the_first_five_get_it(ten) -> None:
    spent = await asyncio.gather(*(catalog.spend_discount("TEN") for _ in range(BUYERS)))
    assert (sum(spent), await used()) == (LIMIT, LIMIT)
    with pytest.raises(UnknownDiscount):
        await catalog.discount_for("TEN", SUM)


async def test_a_use_in_an_order_that_fails_is_given_back(ten) -> None:
    await undone(catalog.spend_discount("TEN"))
    assert await used() == 0


async def test_a_code_without_a_limit_is_never_used_up(app) -> None:
    await catalog.create_discount("OPEN", Decimal(5))
    assert all(await asyncio.gather(*(catalog.spend_discount("OPEN") for _ in range(BUYERS))))
    assert await used("OPEN") == BUYERS


async def test_creating_a_code_again_changes_nothing(ten) -> None:
    await catalog.spend_discount("TEN")
    before = await rows()
    await catalog.create_discount("TEN", Decimal(90), max_uses=1000)
    assert await rows() == before


@pytest.mark.parametrize("percent", [Decimal(0), Decimal(-5), Decimal("100.01")])
async def test_a_share_outside_of_nothing_to_all_does_not_exist(app, percent: Decimal) -> None:
    with pytest.raises(Exception, match="discount_share"):
        await catalog.create_discount("BAD", percent)
    assert await db.fetch_value("SELECT count(*) FROM discount") == 0
