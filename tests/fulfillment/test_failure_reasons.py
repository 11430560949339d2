"""Each trouble with supply leads to a named outcome, and the customer's page says which."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from app.core import clock, db
from app.fulfillment import failure_reasons, steps
from app.fulfillment.failure_reasons import GIVEN_UP, TROUBLES, Kind, of_order, partly
from app.fulfillment.manual_actions import NotGivenUp
from app.fulfillment.models import Reservation
from app.fulfillment.steps import NotRetryable, TooEarly
from app.keys import reveal as keys
from app.ledger import queries as ledger
from app.orders.models import Order, OrderItem
from app.providers.http import ProviderDown
from app.suppliers.registry import open_suppliers
from tests.builders import (
    NOW,
    VISITOR,
    buy,
    check,
    collect,
    count,
    events,
    job_names,
    order,
    paid,
    products,
    reservation,
    rows,
    supplier_product,
)
from tests.samples import sample

RESERVE = "fulfillment.reserve"
PAID = sample(Order, status="paid", fulfillment_status="processing")


def row(status: str, cause: str | None = None, other: str | None = None) -> Reservation:
    return sample(Reservation, status=status, cause=cause, supplier_product_id=other)


CASES = [
    ("requested", None, Kind.WAIT, True),
    ("requested", failure_reasons.UNFUNDED, Kind.WAIT, False),
    ("reserved", failure_reasons.SILENT, Kind.WAIT, False),
    ("out_of_stock", failure_reasons.SOLD_OUT, Kind.REFUND, False),
    ("out_of_stock", failure_reasons.TOO_DEAR, Kind.REFUND, True),
    ("out_of_stock", "words of an older release", Kind.REFUND, False),
    ("cancelled", failure_reasons.CANCELLED, Kind.REFUND, False),
    ("refunded", failure_reasons.REFUNDED, Kind.REFUND, False),
]


@pytest.mark.parametrize(("status", "cause", "kind", "away"), CASES)
def test_each_trouble_has_its_outcome(status: str, cause: str | None, kind: Kind, away: bool) -> None:
    found = of_order(PAID, [row("delivered"), row(status, cause)], away=away, dead=False)
    assert found is not None
    assert found.kind == kind


def test_while_all_goes_well_nothing_is_said() -> None:
    for status in ("requested", "reserved", "ready", "delivered"):
        assert of_order(PAID, [row(status)], away=False, dead=False) is None
    for status in ("created", "waiting", "fulfilled", "refunded", "expired"):
        ended = sample(Order, status=status, fulfillment_status="failed")
        assert of_order(ended, [row("cancelled", failure_reasons.CANCELLED)], away=True, dead=True) is None


def test_the_gravest_trouble_is_said_and_one_without_a_row_too() -> None:
    failed = sample(Order, status="paid", fulfillment_status="failed")
    assert (
        of_order(PAID, [row("requested", other="x")], away=False, dead=False) == TROUBLES[failure_reasons.OTHER_OFFER]
    )
    assert of_order(PAID, [row("requested")], away=True, dead=True) == TROUBLES[failure_reasons.STUCK]
    given_up = sample(Order, status="failed", fulfillment_status="failed")
    assert of_order(failed, [], away=True, dead=True) == TROUBLES[failure_reasons.REFUSED]
    assert of_order(given_up, [], away=False, dead=False) == GIVEN_UP
    unpaid = sample(Order, status="failed", fulfillment_status="pending")
    assert of_order(unpaid, [], away=False, dead=False) is None


def test_every_trouble_tells_the_customer_what_happens_and_the_admin_what_to_do() -> None:
    for found in (*TROUBLES.values(), GIVEN_UP):
        assert len(found.words) > 40
        assert found.next
        assert len(found.cause) <= 120
        assert "supplier id" not in found.words
    assert partly(1, 3) == "1 of 3 keys is ready: you can reveal it now."
    assert partly(2, 3) == "2 of 3 keys are ready: you can reveal them now."


async def twin(item: OrderItem, *, cost: Decimal = Decimal(1), stock: int = 9, **change: str) -> str:
    """Another supplier product that is the same game by our catalog; returns its id there."""
    mine = await db.fetch_one("SELECT * FROM product WHERE id = $1", item.product_id)
    assert mine is not None
    other = (await products(2))[1]
    told = {"name": mine["name"].upper(), "platform": mine["platform"], "region": mine["region"]} | change
    await db.fetch(
        """UPDATE product SET name = $2, platform = $3, region = $4, cost = $5, stock = $6, updated_at = now()
           WHERE id = $1""",
        other["id"], told["name"], told["platform"], told["region"], cost, stock,
    )  # fmt: skip
    return str(other["supplier_product_id"])


@pytest.mark.parametrize("gone", [{"stock": 0}, {"price": "999"}, {"mode": "unavailable"}])
async def test_what_is_gone_is_bought_of_another_offer_under_the_same_id(app, drain, box, gone) -> None:
    order_id, (item,) = await paid(app.state.kit, box, 2)
    other = await twin(item)
    await box.set_product(await supplier_product(item), **gone)
    await drain(later=True)
    found = await reservation(item)
    (bought,) = await box.orders()
    assert (bought["orderExternalId"], bought["products"][0]["productId"]) == (str(found["id"]), other)
    assert (found["supplier_product_id"], found["status"]) == (other, "delivered")
    assert (await order(order_id)).status == "fulfilled"
    assert next(e for e in await events(order_id) if e.startswith("supply.")) == "supply.alternative"


UNFIT = [{"cost": Decimal(999)}, {"stock": 1}, {"region": "Mars"}, {"platform": "Abacus"}, {"name": "Another game"}]


@pytest.mark.parametrize("unfit", UNFIT)
async def test_an_offer_that_is_dearer_short_or_of_something_else_is_none(app, drain, box, unfit) -> None:
    _, (item,) = await paid(app.state.kit, box, 2)
    await twin(item, **unfit)
    await box.set_product(await supplier_product(item), stock=0)
    await drain(only=RESERVE, later=True)
    assert (await reservation(item))["status"] == "out_of_stock"
    assert await box.orders() == []


async def test_other_offers_that_are_gone_too_end_the_search(app, drain, box) -> None:
    order_id, (item,) = await paid(app.state.kit, box)
    other = await twin(item)
    for product_id in (other, await supplier_product(item)):
        await box.set_product(product_id, stock=0)
    assert await drain(only=RESERVE, later=True) == 2
    assert (await order(order_id)).reasons == [failure_reasons.SOLD_OUT]
    assert await job_names("failed") == []


async def test_a_lost_answer_of_another_offer_is_looked_for_not_bought_again(app, drain, box) -> None:
    _, (item,) = await paid(app.state.kit, box)
    await twin(item)
    await box.set_product(await supplier_product(item), stock=0)
    await drain(only=RESERVE)
    await box.settings(duplicateMode="accept")
    await box.fault("kinguin", "error500_after_effect", count=1, path="/v2/order")
    await drain(only=RESERVE, later=True)
    assert len(await box.orders()) == 1
    assert (await reservation(item))["status"] == "reserved"


@pytest.mark.parametrize("mode", ["rate_limit", "error500"])
async def test_a_buy_that_can_not_have_happened_costs_no_wait(app, box, mode) -> None:
    """After a 429 nothing was bought for certain; after a 500 nobody knows."""
    _, (item,) = await paid(app.state.kit, box)
    await box.fault("kinguin", mode, count=1, path="/v2/order")
    with pytest.raises(ProviderDown):
        await buy(app.state.kit, item)
    if mode == "rate_limit":
        assert (await buy(app.state.kit, item))["status"] == "reserved"
    else:
        with pytest.raises(TooEarly):
            await buy(app.state.kit, item)
        assert (await reservation(item))["asked_at"] is not None
        assert await box.orders() == []


async def test_an_empty_balance_for_a_day_is_no_dead_letter_and_tells_a_person_once(app, drain, box) -> None:
    order_id, (item,) = await paid(app.state.kit, box)
    await box.settings(balance=0)
    for hour in range(25):
        with clock.travelled(timedelta(hours=hour)):
            await drain(only=RESERVE)
    assert await job_names("failed") == []
    assert (await reservation(item))["cause"] == failure_reasons.UNFUNDED
    assert (await events(order_id)).count("supply.unfunded") == 1
    waits = await db.fetch_value("SELECT run_at FROM job WHERE name = $1", RESERVE) - clock.now()
    assert waits < timedelta(hours=25)


async def ended(app: Any, box: Any, act: str, quantity: int = 1, *, partial: int = 0) -> tuple[Any, OrderItem]:
    """An order whose supplier has cancelled or refunded ours, with so many keys delivered before."""
    order_id, (item,) = await paid(app.state.kit, box, quantity)
    product_id = await supplier_product(item)
    await box.set_product(product_id, **({"partial": partial} if partial else {"mode": "by_hand"}))
    found = await buy(app.state.kit, item)
    await check(app.state.kit, found)
    if partial:
        await collect(app.state.kit, found)
    await box.act(found["supplier_order_id"], act)
    await check(app.state.kit, found)
    await box.set_product(product_id, mode="normal", partial=None, stock=50)
    return order_id, item


@pytest.mark.parametrize(
    ("act", "cause"), [("cancel", failure_reasons.CANCELLED), ("refund", failure_reasons.REFUNDED)]
)
async def test_nothing_is_bought_again_by_itself_when_the_supplier_ends_our_order(app, drain, box, act, cause) -> None:
    order_id, item = await ended(app, box, act)
    await steps.reserve(item.id, suppliers=open_suppliers(app.state.kit), commit=NOW)
    await drain(later=True)
    assert len(await box.orders()) == 1
    found = await order(order_id)
    assert (found.status, found.reasons) == ("paid", [cause])


@pytest.mark.parametrize("act", ["cancel", "refund"])
async def test_what_the_supplier_gave_back_is_booked(app, box, act) -> None:
    order_id, item = await ended(app, box, act)
    found = await reservation(item)
    assert found["refunded"] == found["charged"]
    cost = sum(e.amount for e in await ledger.of_order(order_id) if e.account == "supplier_cost")
    assert cost == 0


async def test_a_person_buys_again_under_a_new_id_and_only_what_is_missing(app, drain, box) -> None:
    order_id, item = await ended(app, box, "cancel", 3, partial=1)
    before = await reservation(item)
    assert before["refunded"] == (before["charged"] * 2 / 3).quantize(Decimal("0.01"))
    await steps.retry_item(item.id)
    await drain(later=True)
    done = await order(order_id)
    assert (done.status, done.reasons) == ("fulfilled", [])
    first, second = sorted(await db.fetch("SELECT * FROM reservation"), key=lambda r: r["created_at"])
    assert (first["status"], second["status"], second["quantity"]) == ("cancelled", "delivered", 2)
    books = {o["orderExternalId"]: o["products"][0]["qty"] for o in await box.orders()}
    assert books == {str(first["id"]): 3, str(second["id"]): 2}
    shown = await keys.reveal(order_id, item.id, VISITOR, store=app.state.store)
    assert len({key.value.reveal() for key in shown}) == 3


async def test_two_admins_who_buy_again_buy_once(app, drain, box) -> None:
    _, item = await ended(app, box, "cancel")
    await steps.retry_item(item.id)
    before = await rows()
    with pytest.raises(NotRetryable):
        await steps.retry_item(item.id)
    assert await rows() == before
    await drain(later=True)
    assert len(await box.orders()) == 2


async def test_an_order_whose_money_goes_back_is_neither_retried_nor_bought_for(app, drain, box) -> None:
    order_id, item = await ended(app, box, "cancel")
    await db.fetch("UPDATE customer_order SET frozen_at = now() WHERE id = $1", order_id)
    with pytest.raises(NotRetryable):
        await steps.retry_item(item.id)
    assert len(await box.orders()) == 1


async def test_a_try_whose_answer_was_lost_is_not_repeated_once_the_money_goes_back(app, drain, box) -> None:
    order_id, _ = await paid(app.state.kit, box)
    await box.fault("kinguin", "error500", count=1, path="/v2/order")
    await drain(only=RESERVE)
    await db.fetch("UPDATE customer_order SET frozen_at = now() WHERE id = $1", order_id)
    await drain(only=RESERVE, later=True)
    assert await box.orders() == []
    assert await job_names("failed") == []


async def test_an_order_is_given_up_by_a_person_and_its_refund_asked_for(app, drain, box) -> None:
    order_id, _ = await ended(app, box, "cancel")
    await steps.give_up(order_id, by="admin boss")
    found = await order(order_id)
    assert (found.status, found.fulfillment_status) == ("failed", "failed")
    assert "refund due" in str(found.reasons)
    assert (await job_names()).count("refunds.request") == 1
    await drain(only="refunds.request")
    assert await db.fetch_value("SELECT amount FROM refund WHERE order_id = $1", order_id) == found.total


async def test_what_may_still_come_or_is_here_is_not_given_up(app, box) -> None:
    waiting, (item,) = await paid(app.state.kit, box)
    partly_here, _ = await ended(app, box, "cancel", 2, partial=1)
    await buy(app.state.kit, item)
    before = await rows()
    for order_id in (waiting, partly_here, item.id):
        with pytest.raises(NotGivenUp):
            await steps.give_up(order_id, by="admin boss")
    assert await rows() == before


async def test_of_two_items_one_failed_the_order_is_not_given_up_while_the_other_may_come(app, box) -> None:
    order_id, (first, second) = await paid(app.state.kit, box, 1, 1)
    await box.set_product(await supplier_product(first), stock=0)
    await buy(app.state.kit, first)
    with pytest.raises(NotGivenUp):
        await steps.give_up(order_id, by="admin boss")
    await buy(app.state.kit, second)
    with pytest.raises(NotGivenUp):
        await steps.give_up(order_id, by="admin boss")
    assert (await order(order_id)).status == "paid"


async def test_what_came_after_a_day_of_silence_settles_the_order(app, box) -> None:
    order_id, (item,) = await paid(app.state.kit, box)
    await box.set_product(await supplier_product(item), mode="by_hand")
    found = await buy(app.state.kit, item)
    with clock.travelled(timedelta(hours=25)):
        await check(app.state.kit, found)
        assert ((await reservation(item))["cause"], (await order(order_id)).reasons) == (
            failure_reasons.SILENT, [failure_reasons.SILENT],
        )  # fmt: skip
        await box.act(found["supplier_order_id"], "deliver")
        await check(app.state.kit, found)
        await collect(app.state.kit, found)
    done = await order(order_id)
    assert (done.status, done.reasons, await count("sealed_key")) == ("fulfilled", [], 1)
