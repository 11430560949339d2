"""What went wrong in a comparable shop: old notices after the end, words taken for money, carriers that forget."""

import pytest

from app.core.redis import async_client
from app.ledger import service as ledger
from tests.builders import (
    ask,
    count,
    events,
    ipn,
    job_names,
    look,
    offered,
    order,
    report,
    rows,
    sent_notices,
    tell,
)

LOG = ["inbound_webhook", "job"]


async def fulfilled(app, drain, box):
    """An order that has its key, and the notices that led to it."""
    order_id, payment = await offered(app.state.kit)
    await box.pay(payment.provider_payment_id, "success")
    for body in await sent_notices(box):
        await tell(app.state.kit, body)
    await drain()
    assert (await order(order_id)).status == "fulfilled"
    return order_id, payment, await sent_notices(box)


async def test_every_notice_replayed_after_the_key_was_delivered_changes_nothing(app, drain, box) -> None:
    order_id, payment, notices = await fulfilled(app, drain, box)
    before = await rows(but=LOG)
    for body in [*notices, *reversed(notices), ipn(await report(box, payment), updated_at=1)]:
        await tell(app.state.kit, body)
    await drain()
    assert await rows(but=LOG) == before
    assert (await order(order_id)).status == "fulfilled"
    assert len(await box.orders()) == 1


@pytest.mark.parametrize(("case", "fraction"), [("confirming", "1.0"), ("partially_paid", "0.5")])
async def test_finished_after_an_earlier_word_is_news_and_no_duplicate(app, box, case: str, fraction: str) -> None:
    order_id, payment = await offered(app.state.kit)
    await tell(app.state.kit, ipn(await report(box, payment)))  # waiting
    await box.pay(payment.provider_payment_id, case, fraction)
    await tell(app.state.kit, ipn(await report(box, payment)))
    assert (await order(order_id)).status in {"confirming", "underpaid"}
    await box.pay(payment.provider_payment_id, "finished" if case == "confirming" else "success", "0.5")
    for body in (await sent_notices(box))[-1:]:
        await tell(app.state.kit, body)
    assert (await order(order_id)).status == "paid"
    assert await ledger.prove() == []


@pytest.mark.parametrize("case", ["expired", "failed"])
async def test_the_end_of_a_second_attempt_leaves_a_fulfilled_order_alone(app, drain, box, case: str) -> None:
    order_id, first = await offered(app.state.kit)
    second = await ask(app.state.kit, order_id)
    await box.pay(first.provider_payment_id)
    await look(app.state.kit, first)
    await drain()
    told = await events(order_id)
    await box.pay(second.provider_payment_id, case)
    await look(app.state.kit, second)
    found = await order(order_id)
    assert (found.status, found.fulfillment_status, found.reasons) == ("fulfilled", "fulfilled", [])
    assert await events(order_id) == [*told, f"payment.{case}"]


async def test_a_cent_for_the_whole_price_buys_nothing_whatever_word_comes_with_it(app, box) -> None:
    order_id, payment = await offered(app.state.kit)
    await box.settings(coveringPercent=100)  # the provider itself calls it finished
    await box.pay(payment.provider_payment_id, "finished", str(round(0.01 / float(payment.price_amount), 8)))
    assert (await report(box, payment))["payment_status"] == "finished"
    await tell(app.state.kit, ipn(await report(box, payment)))
    await look(app.state.kit, payment)
    assert (await order(order_id)).status == "underpaid"
    assert "fulfillment.reserve" not in await job_names()


async def test_redis_flushed_after_the_answer_leaves_the_order_to_be_paid(app, drain, box) -> None:
    """The row is the job; the message was only its carrier."""
    order_id, payment = await offered(app.state.kit)
    await box.pay(payment.provider_payment_id)
    async with async_client() as redis:
        await redis.flushall()
    assert await count("job", "status = 'pending'") > 0
    await look(app.state.kit, payment)
    async with async_client() as redis:
        await redis.flushall()
    await drain()
    assert (await order(order_id)).status == "fulfilled"
