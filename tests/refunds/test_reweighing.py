"""A refund that ends unpaid: the order takes its price of what is free again, or is before a person by name."""

import asyncio
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from app.core import clock, db
from app.core.money import Money
from app.keys import reveal as keys
from app.ledger import service as ledger
from app.ledger import uses
from app.payments import queries as payments
from app.payments import service as paying
from app.payments.service import NothingToChoose
from app.refunds import create_for_merchants, queries, service
from app.refunds.models import Refund
from app.refunds.service import NotDecidable
from tests.builders import VISITOR, events, job_names, look, order, rows
from tests.orders.merchants import CUSTOMER, charged, merchant, payment
from tests.refunds.builders import ADMIN, asked, fulfilled, refund, underpaid, usd
from tests.refunds.test_sent_back import opened


@pytest.fixture
def kit(app):
    return app.state.kit


async def pays_on(kit: Any, box: Any, order_id: UUID, fraction: str) -> None:
    """More arrives at the first address: so much of its price in all."""
    first = (await payments.of_order(order_id))[-1]
    await box.pay(first.provider_payment_id, "partially_paid", fraction)
    await look(kit, first)


async def state(order_id: UUID) -> tuple[str, str | None, int]:
    found = await order(order_id)
    assert await ledger.prove() == []
    return found.status, " · ".join(found.reasons) or None, (await job_names()).count("fulfillment.reserve")


async def short_with_all_there(kit: Any, box: Any, part: str | None = None) -> Refund:
    """A refund of 40 % of an order's price (or of ``part``), asked for before the whole price was there."""
    order_id = await underpaid(kit, box, "0.4")
    made = await asked(order_id, usd(part) if part else None)
    await pays_on(kit, box, order_id, "0.6")
    assert (await order(order_id)).status == "underpaid"
    return made


async def ends_by_the_provider(made: Refund) -> None:
    """As when the provider refuses its payout."""
    async with service.changing(made.id):
        await db.fetch("UPDATE refund SET status = 'processing' WHERE id = $1", made.id)
        assert await service.failed(await refund(made.id), "the payout provider refused it")


async def turned_down(made: Refund) -> None:
    await service.fail(made.id, "not agreed", ADMIN)


@pytest.mark.parametrize("ends", [turned_down, ends_by_the_provider])
async def test_an_order_with_its_whole_price_is_paid_when_the_refund_of_a_part_is_not_sent(kit, box, ends: Any) -> None:
    made = await short_with_all_there(kit, box, "1.00")
    assert (await state(made.order_id))[0] == "underpaid"
    await ends(made)
    assert await state(made.order_id) == ("paid", None, 1)
    assert [(p.outcome, p.excess, p.owed_back) for p in await payments.of_order(made.order_id)] == [
        ("paid", 0, 0), ("underpaid", 0, 0),
    ]  # fmt: skip
    funds = await uses.funds(made.order_id)
    assert (funds.price, funds.going_back, funds.free.amount) == ((await order(made.order_id)).total, 0, 0)


async def test_an_order_given_up_for_a_refund_is_paid_when_that_is_turned_down_and_all_is_there(kit, box) -> None:
    made = await short_with_all_there(kit, box)
    order_id = made.order_id
    assert (await order(order_id)).frozen_at is not None
    await turned_down(made)
    found = await order(order_id)
    assert (await state(order_id), found.frozen_at, found.choice) == (("paid", None, 1), None, None)


async def test_an_order_whose_customer_chose_a_refund_is_paid_when_that_is_turned_down(kit, box, drain) -> None:
    order_id = await underpaid(kit, box, "0.4")
    await paying.choose(order_id, "refund")
    await drain(only="refunds.request")
    await pays_on(kit, box, order_id, "0.6")
    assert (await order(order_id)).status == "underpaid"
    (made,) = await queries.of_order(order_id)
    await turned_down(made)
    assert await state(order_id) == ("paid", None, 1)


async def test_a_rest_that_is_short_since_a_part_went_back_is_asked_for_anew_once_by_its_new_sum(
    kit, box, drain
) -> None:
    order_id = await underpaid(kit, box, "0.6")
    told = await missing_by_letter(order_id)
    made = await asked(order_id, usd("5.00"))
    await service.record(made.id, "a" * 64, ADMIN)
    await pays_on(kit, box, order_id, "0.4")
    for one in await payments.of_order(order_id):
        await look(kit, one)
    assert await missing_by_letter(order_id) == [*told, "$5.00"]
    assert (await state(order_id))[0] == "underpaid"
    assert await missing_by_page(order_id) == usd("5.00")
    await paying.choose(order_id, "top_up")
    await drain(only="payments.top_up")
    rest = (await payments.of_order(order_id))[0]
    await box.pay(rest.provider_payment_id, "finished", "1.0")
    await look(kit, rest)
    assert (await state(order_id))[0] == "paid"
    assert await missing_by_letter(order_id) == [*told, "$5.00"]


async def missing_by_letter(order_id: UUID) -> list[str]:
    """What letters to an order's customer named as missing, the oldest first."""
    return [
        row["missing"]
        for row in await db.fetch(
            """SELECT context->>'missing' AS missing FROM mail WHERE subject = $1 AND kind = 'payment_short'
               ORDER BY created_at""",
            order_id,
        )
    ]


async def missing_by_page(order_id: UUID) -> Money:
    found = await paying.options(await order(order_id))
    assert found is not None
    assert found.missing is not None
    return found.missing


@pytest.mark.parametrize("ends", [turned_down, ends_by_the_provider])
async def test_what_is_missing_on_the_owners_list_is_what_the_page_asks_for_while_a_part_goes_back(
    kit, box, ends: Any
) -> None:
    order_id = await underpaid(kit, box, "0.6")
    first = await missing_by_page(order_id)
    made = await asked(order_id, usd("5.00"))
    more = await missing_by_page(order_id)
    assert more == first + usd("5.00")
    assert await state(order_id) == ("underpaid", f"underpaid: {more} is missing", 0)
    await ends(made)
    assert await missing_by_page(order_id) == first
    status, cause, _ = await state(order_id)
    assert status == "underpaid"
    assert (cause or "").split(" · ")[0] == f"underpaid: {first} is missing"


async def test_what_is_more_than_the_price_then_is_owed_back_by_name(kit, box) -> None:
    made = await short_with_all_there(kit, box)
    order_id = made.order_id
    await pays_on(kit, box, order_id, "0.25")
    await turned_down(made)
    total = (await order(order_id)).total
    more = Money(sum((p.value for p in await payments.of_order(order_id)), Decimal(0)) - total, "USD")
    assert more.amount > 0
    assert await state(order_id) == ("paid", f"overpaid: {more} is owed back", 1)
    assert (await uses.funds(order_id)).free == more


async def test_money_of_a_held_order_whose_payout_failed_is_before_a_person_and_buys_nothing(kit, box) -> None:
    made = await short_with_all_there(kit, box)
    order_id = made.order_id
    left = Money((await uses.funds(order_id)).received, "USD")
    await ends_by_the_provider(made)
    assert await state(order_id) == ("underpaid", f"{ARRIVED} · {left} is owed back: its refund failed", 0)
    await service.retry(made.id, ADMIN)
    assert (await order(order_id)).status == "underpaid"


ARRIVED = "paid, but the order was given up for a refund or credit: the money is owed back"


async def test_an_order_still_short_after_its_refund_ended_stays_so_and_its_money_is_named(kit, box) -> None:
    order_id = await underpaid(kit, box, "0.4")
    held = (await uses.funds(order_id)).free
    await turned_down(await asked(order_id))
    assert await state(order_id) == ("underpaid", f"{held} is owed back: its refund was turned down", 0)
    assert (await uses.funds(order_id)).free == held


async def test_an_expired_order_is_paid_if_it_is_still_sold_at_its_price(kit, box) -> None:
    made = await short_with_all_there(kit, box, "1.00")
    await db.fetch("UPDATE customer_order SET status = 'expired' WHERE id = $1", made.order_id)
    await turned_down(made)
    assert await state(made.order_id) == ("paid", None, 1)


@pytest.mark.parametrize(
    ("change", "letter"),
    [("stock = 0", "sold_out"), ("price = price + 5", "price_jump"), ("active = false", "sold_out")],
)
async def test_an_expired_order_that_is_not_sold_at_its_price_any_more_asks_its_customer(
    kit, box, change: str, letter: str
) -> None:
    made = await short_with_all_there(kit, box, "1.00")
    order_id = made.order_id
    await db.fetch("UPDATE customer_order SET status = 'expired' WHERE id = $1", order_id)
    await db.fetch(f"UPDATE product SET {change}, updated_at = $1 WHERE text_keys", clock.now())
    await turned_down(made)
    status, cause, buys = await state(order_id)
    assert (status, buys) == ("expired", 0)
    assert cause == "paid late, and no longer sold at this price: the customer is asked"
    assert await db.fetch_value("SELECT count(*) FROM mail WHERE kind = $1", letter) == 1
    assert (await uses.funds(order_id)).undecided.amount == (await order(order_id)).total


async def test_money_of_a_cancelled_order_stays_owed_when_its_refund_is_not_sent(kit, box) -> None:
    made = await short_with_all_there(kit, box, "1.00")
    order_id = made.order_id
    await db.fetch("UPDATE customer_order SET status = 'cancelled' WHERE id = $1", order_id)
    await turned_down(made)
    status, cause, buys = await state(order_id)
    total = Money((await order(order_id)).total, "USD")
    assert (status, buys) == ("cancelled", 0)
    assert f"{total} is owed back: its refund was turned down" in (cause or "")


async def test_a_merchants_order_with_its_whole_price_is_paid_and_told_when_its_refund_is_not_sent(kit, box) -> None:
    placed = await charged(await merchant(), "40.00", test=False, email=CUSTOMER)
    first = await opened(kit, box, placed, "0.5")
    made = await create_for_merchants.create(
        first.merchant_id, False, first.id, Decimal("5.00"), "", None, "key Till 3"
    )
    await box.pay(first.provider_payment_id, "partially_paid", "0.5")
    await look(kit, first)
    now = await payment(replace(first, id=(await payments.of_order(placed.id))[0].id))
    assert (now.value, now.word, (await order(placed.id)).status) == (Decimal(20), "underpaid", "underpaid")
    await service.fail(made.id, "not agreed", ADMIN)
    done = await payment(now)
    assert (done.word, done.outcome, done.excess) == ("success", "paid", 0)
    assert (await order(placed.id)).status == "fulfilled"
    told = await events(placed.id)
    assert told[-4:] == ["refund.failed", "payment.finished", "order.paid", "order.fulfilled"]
    assert await ledger.prove() == []


async def test_of_two_payments_the_second_is_the_one_that_paid(kit, box) -> None:
    placed = await charged(await merchant(), "40.00", test=False, email=CUSTOMER)
    first = await opened(kit, box, placed, "0.5")
    made = await create_for_merchants.create(
        first.merchant_id, False, first.id, Decimal("20.00"), "", None, "key Till 3"
    )
    second = await opened(kit, box, await order(placed.id), "0.75")
    assert (second.price_amount, second.value, second.word) == (Decimal(40), Decimal(30), "underpaid")
    await service.fail(made.id, "not agreed", ADMIN)
    first, second = await payment(first), await payment(second)
    assert (first.word, first.excess, second.word, second.excess) == ("underpaid", 0, "success", 10)
    assert (await uses.funds(placed.id)).free == usd("10.00")
    assert await ledger.prove() == []


async def test_a_refund_turned_down_is_not_put_back_once_its_key_was_shown(kit, box) -> None:
    order_id, [item] = await fulfilled(kit, box)
    await db.fetch("UPDATE reservation SET return_asked_at = now()")  # too late to give it back
    made = await asked(order_id)
    await turned_down(made)
    [shown] = await keys.reveal(order_id, item.id, VISITOR, store=kit.store)
    assert shown.first
    before = await rows()
    with pytest.raises(NotDecidable, match="was shown since"):
        await service.retry(made.id, ADMIN)
    assert await rows() == before


async def test_a_refund_turned_down_while_its_customer_chooses_uses_no_sum_twice_and_strands_no_order(kit, box) -> None:
    for _ in range(6):
        made = await short_with_all_there(kit, box, "1.00")
        order_id = made.order_id
        works = (turned_down(made), paying.choose(order_id, "credit"), paying.choose(order_id, "refund"))
        ended = await asyncio.gather(*works, return_exceptions=True)
        assert ended[0] is None
        assert all(e is None or isinstance(e, NothingToChoose) for e in ended[1:]), ended
        funds, found = await uses.funds(order_id), await order(order_id)
        assert funds.taken <= funds.received
        if found.status == "paid":
            assert (funds.price, funds.going_back) == (found.total, 0)
        else:  # given up for the customer's choice: what is free of it is before a person
            assert (found.choice in {"credit", "refund"}, funds.price) == (True, 0)
            assert not funds.free.amount or "owed back" in str(found.reasons)
        assert await ledger.prove() == []
