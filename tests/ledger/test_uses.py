"""Two uses of one sum: whatever is asked for at once, no more of an order's money is promised than came in."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from itertools import combinations_with_replacement
from uuid import UUID

import pytest

from app.core import clock, db
from app.core.ids import new_id
from app.core.money import Money
from app.ledger import service as ledger
from app.ledger import uses
from app.ledger.states import UseKind
from app.ledger.uses import MoneyTaken
from app.orders import service as orders
from tests.builders import place, rows

NONE = Decimal(0)
KINDS = ("price", "top_up", "credit", "refund")
PAIRS = [pair for pair in combinations_with_replacement(KINDS, 2) if pair != ("top_up", "top_up")]
"""Of every two uses; a customer's second wish to top up is the same wish."""


def usd(text: str) -> Money:
    return Money(Decimal(text), "USD")


async def holding(amount: str = "26.10", total: str = "26.10") -> UUID:
    """An order for which that much has arrived."""
    order_id = await place()
    await db.fetch("UPDATE customer_order SET total = $2, subtotal = $2 WHERE id = $1", order_id, Decimal(total))
    await receive(order_id, amount)
    return order_id


async def receive(order_id: UUID, amount: str) -> None:
    async with orders.changing(order_id):
        await ledger.receive(order_id, new_id(), usd(amount))


async def free(order_id: UUID) -> Money:
    return (await uses.funds(order_id)).free


async def in_use(order_id: UUID) -> Decimal:
    sql = "SELECT coalesce(sum(amount - from_price), 0) FROM money_use WHERE order_id = $1 AND status <> 'released'"
    return Decimal(await db.fetch_value(sql, order_id))


async def use(order_id: UUID, kind: str, amount: Money) -> None:
    """One use, as the shop makes it."""
    async with orders.changing(order_id):
        if kind == "price":
            await uses.take_price(order_id, amount, NONE)
        elif kind == "top_up":
            await uses.keep_for_top_up(order_id)
        elif kind == "credit":
            await uses.give_credit(order_id, amount)
        else:
            await uses.reserve(order_id, UseKind.REFUND, amount, f"refund:{new_id()}")


async def _unlocked(order_id: UUID, kind: str, amount: Money, ready: asyncio.Barrier) -> bool:
    """The room's own guarded statement, but for the order's lock: both look before either commits."""
    async with db.transaction():
        args = (new_id(), order_id, kind, "reserved", amount.amount, "USD", NONE, f"{kind}:{new_id()}", clock.now())
        made = await db.fetch_value(uses.GUARDED, *args)
        await ready.wait()
        return made is not None


async def _tried(work: Awaitable[None]) -> bool:
    try:
        await work
    except MoneyTaken:
        return False
    return True


@pytest.mark.parametrize(("one", "other"), PAIRS)
async def test_without_the_lock_two_uses_of_one_sum_do_exceed_it(app, one: str, other: str) -> None:
    order_id, ready = await holding(), asyncio.Barrier(2)
    both = (_unlocked(order_id, kind, usd("26.10"), ready) for kind in (one, other))
    assert await asyncio.gather(*both) == [True, True]
    assert await in_use(order_id) == Decimal("52.20")


@pytest.mark.parametrize(("one", "other"), PAIRS)
async def test_of_two_uses_of_one_sum_at_once_one_is_promised(app, one: str, other: str) -> None:
    for _ in range(5):
        order_id = await holding()
        await asyncio.gather(*(_tried(use(order_id, kind, usd("26.10"))) for kind in (one, other)))
        assert await in_use(order_id) == Decimal("26.10")
        assert await free(order_id) == usd("0.00")


async def test_fifty_uses_of_all_kinds_at_once_never_exceed_what_came_in(app) -> None:
    order_id = await holding("26.10", "100.00")
    kinds = ["credit", "refund"] * 25
    done = await asyncio.gather(*(_tried(use(order_id, kind, usd("1.75"))) for kind in kinds))
    assert sum(done) == 14
    assert (await in_use(order_id), await free(order_id)) == (Decimal("24.50"), usd("1.60"))


async def test_a_cent_more_than_is_free_is_refused_and_changes_nothing(app) -> None:
    order_id = await holding()
    await use(order_id, "credit", usd("20.00"))
    before = await rows()
    for kind in ("credit", "refund", "price"):
        with pytest.raises(MoneyTaken, match=r"\$6\.10"):
            await use(order_id, kind, usd("6.11"))
    assert await rows() == before
    await use(order_id, "refund", usd("6.10"))
    assert await free(order_id) == usd("0.00")


async def test_a_refund_of_a_paid_order_takes_what_is_owed_first_then_of_the_price(app) -> None:
    order_id = await holding("65.24", "52.19")
    await use(order_id, "price", usd("52.19"))
    found = await uses.funds(order_id)
    assert (found.free, found.returnable) == (usd("13.05"), usd("65.24"))
    await use(order_id, "refund", usd("13.05"))
    assert [str(r["from_price"]) for r in await _refunds(order_id)] == ["0.00"]
    await use(order_id, "refund", usd("52.19"))
    assert [str(r["from_price"]) for r in await _refunds(order_id)] == ["0.00", "52.19"]
    with pytest.raises(MoneyTaken):
        await use(order_id, "refund", usd("0.01"))
    with pytest.raises(MoneyTaken):
        await use(order_id, "credit", usd("0.01"))


async def _refunds(order_id: UUID) -> list[dict[str, Decimal]]:
    sql = "SELECT from_price FROM money_use WHERE order_id = $1 AND kind = 'refund' ORDER BY created_at"
    return [dict(row) for row in await db.fetch(sql, order_id)]


async def test_money_that_waits_for_a_top_up_is_not_given_back_and_pays_the_price_with_the_rest(app) -> None:
    order_id = await holding("20.00", "26.10")
    await use(order_id, "top_up", usd("20.00"))
    found = await uses.funds(order_id)
    assert (found.free, found.undecided, found.returnable) == (usd("0.00"), usd("20.00"), usd("0.00"))
    with pytest.raises(MoneyTaken):
        await use(order_id, "refund", usd("0.01"))
    await receive(order_id, "6.10")
    await use(order_id, "price", usd("26.10"))
    assert (await in_use(order_id), (await uses.funds(order_id)).top_up) == (Decimal("26.10"), 0)


async def test_a_released_use_leaves_its_money_to_the_next(app) -> None:
    order_id, reference = await holding(), f"refund:{new_id()}"
    async with orders.changing(order_id):
        await uses.reserve(order_id, UseKind.REFUND, usd("26.10"), reference)
    assert not await _tried(use(order_id, "price", usd("26.10")))
    async with orders.changing(order_id):
        assert await uses.release(order_id, UseKind.REFUND, reference)
        assert not await uses.release(order_id, UseKind.REFUND, reference)
    await use(order_id, "price", usd("26.10"))
    assert await free(order_id) == usd("0.00")


async def test_a_price_takes_what_is_there_when_only_the_tolerance_is_missing(app) -> None:
    order_id = await holding("25.95", "26.10")
    with pytest.raises(MoneyTaken):
        async with orders.changing(order_id):
            await uses.take_price(order_id, usd("26.10"), Decimal("0.14"))
    for _ in range(2):
        async with orders.changing(order_id):
            await uses.take_price(order_id, usd("26.10"), Decimal("0.15"))
    assert await in_use(order_id) == Decimal("25.95")


async def test_what_the_ledger_books_is_a_use_whoever_forgot_to_reserve_it(app) -> None:
    order_id = await holding("30.00", "20.00")
    steps: list[Callable[[], Awaitable[None]]] = [
        lambda: ledger.charge(order_id, usd("20.00")),
        lambda: ledger.refunded(order_id, new_id(), usd("6.00")),
        lambda: ledger.credited(order_id, usd("4.00")),
    ]
    for step in steps:
        async with orders.changing(order_id):
            await step()
    assert (await in_use(order_id), await free(order_id)) == (Decimal("30.00"), usd("0.00"))
    assert not await _tried(use(order_id, "credit", usd("0.01")))
