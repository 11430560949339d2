"""One payout a refund, whatever gets lost, and books that balance at its end."""

import asyncio
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest

from app.core import db
from app.core.errors import Invalid
from app.core.settings import settings
from app.history import queries as history
from app.ledger import queries as books
from app.ledger import service as ledger
from app.ledger.accounts import Account
from app.refunds import payout, queries, service
from app.refunds.models import Refund
from app.refunds.service import NotDecidable, ReasonNeeded, TooMuch
from tests.builders import NOW, Undone, count, events, job_names, order, rows, torn
from tests.refunds.builders import (
    ADDRESS,
    ADMIN,
    approved,
    asked,
    checked,
    end_payout,
    fulfilled,
    later,
    paid_for,
    payouts,
    refund,
    underpaid,
    usd,
)


@pytest.fixture
def kit(app):
    return app.state.kit


async def follow(kit: Any, made: Refund, **how: Any) -> Refund:
    await payout.follow(made.id, payouts=kit.payouts, commit=how.get("commit", NOW))
    return await refund(made.id)


async def waiting(kit: Any, box: Any) -> Refund:
    """A refund whose payout was approved, of an underpaid order."""
    return await approved(kit, await asked(await underpaid(kit, box)))


async def test_an_underpaid_orders_money_goes_back_and_its_books_balance(kit, box, drain) -> None:
    order_id = await underpaid(kit, box)
    left = await queries.refundable(order_id)
    made = await checked(kit, await asked(order_id))
    await drain()
    await service.approve(made.id, ADMIN)
    await drain(later=True)
    done = await refund(made.id)
    [sent] = await payouts(box)
    assert (sent["status"], sent["address"], Decimal(sent["amount"])) == ("FINISHED", ADDRESS, left.amount)
    assert (done.status, done.tx_hash, done.payout_id) == ("processed", sent["hash"], sent["id"])
    assert done.ended_at is not None
    assert (await order(order_id)).status == "refunded"
    entries = {account: amount for account, amount in (await books.balances(order_id)).items() if amount}
    assert entries.pop(Account.FEES) == -entries.pop(Account.PROVIDER_BALANCE) == Decimal("0.01")
    assert entries == {Account.RECEIVED: left.amount, Account.REFUNDED: -left.amount}
    assert await ledger.prove() == []
    kinds = [kind for kind in await events(order_id) if kind.startswith(("refund.", "order.ref"))]
    assert kinds == [
        "refund.asked", "refund.claimed", "refund.address_checked", "refund.approved", "refund.processed",
        "order.refunded",
    ]  # fmt: skip
    assert await count("mail", f"kind = 'refund_paid' AND context->>'tx_hash' = '{sent['hash']}'") == 1
    assert await job_names("failed") == []


async def test_a_payout_waits_for_an_address_that_was_checked_and_for_an_admin(kit, box) -> None:
    made = await asked(await underpaid(kit, box))
    before = await rows()
    with pytest.raises(NotDecidable):
        await service.approve(made.id, ADMIN)
    await follow(kit, made)
    assert await rows() == before
    await checked(kit, made)
    await follow(kit, made)
    assert await payouts(box) == []


async def test_of_ten_approvals_at_once_one_counts_and_one_payout_is_made(kit, box, drain) -> None:
    made = await checked(kit, await asked(await underpaid(kit, box)))

    async def one() -> bool:
        try:
            await service.approve(made.id, ADMIN)
        except NotDecidable:
            return False
        return True

    assert sum(await asyncio.gather(*(one() for _ in range(10)))) == 1
    await drain(later=True)
    assert len(await payouts(box)) == 1


async def test_many_looks_at_once_ask_for_one_payout(kit, box) -> None:
    made = await waiting(kit, box)
    await asyncio.gather(*(follow(kit, made) for _ in range(10)))
    assert len(await payouts(box)) == 1


async def test_a_lost_answer_is_looked_for_and_never_asked_again(kit, box, drain) -> None:
    made = await waiting(kit, box)
    await box.fault("nowpayments", "error500_after_effect", path="/v1/payout", count=1)
    await kit.payouts._bearer(fresh=True)
    await drain(later=True)
    [sent] = await payouts(box)
    assert (await refund(made.id)).status == "processed"
    assert sent["status"] == "FINISHED"


async def test_a_death_after_asking_is_healed_by_looking(kit, box, drain) -> None:
    made = await waiting(kit, box)
    with suppress(Undone):
        await follow(kit, made, commit=torn)
    kept = await refund(made.id)
    assert kept.payout_id is None
    assert kept.asked_at is not None
    assert len(await payouts(box)) == 1
    await drain(later=True)
    assert (await refund(made.id)).status == "processed"
    assert len(await payouts(box)) == 1


async def test_what_is_absent_is_asked_for_again_only_after_the_hour_it_could_live(kit, box) -> None:
    made = await waiting(kit, box)
    await db.fetch("UPDATE refund SET asked_at = now() WHERE id = $1", made.id)  # written down, then died
    await follow(kit, made)
    with later(minutes=59):
        await follow(kit, made)
    assert await payouts(box) == []
    with later(minutes=66):
        await follow(kit, made)
    assert len(await payouts(box)) == 1


async def test_a_request_that_never_left_is_made_again_at_once(kit, box) -> None:
    made = await waiting(kit, box)
    await box.fault("nowpayments", "rate_limit", path="/v1/payout", count=1)
    with pytest.raises(Exception, match="429"):
        await follow(kit, made)
    assert (await refund(made.id)).asked_at is None
    await follow(kit, made)
    assert len(await payouts(box)) == 1


async def test_no_code_is_used_for_two_payouts(kit, box) -> None:
    first, second = await waiting(kit, box), await waiting(kit, box)
    await follow(kit, first)
    await follow(kit, second)
    steps_used = [(await refund(r.id)).code_step for r in (first, second)]
    assert None in steps_used or steps_used[0] != steps_used[1]
    states = {row["unique_external_id"]: row["status"] for row in await payouts(box)}
    assert states[f"{first.id}-1"] == "FINISHED"


async def test_a_second_payout_in_the_same_half_minute_is_verified_in_the_next(kit, box) -> None:
    first, second = await waiting(kit, box), await waiting(kit, box)
    for made in (first, second):
        await follow(kit, made)
    with later(seconds=30):  # the sandbox takes the neighbouring steps' codes too
        await follow(kit, second)
    assert [row["status"] for row in await payouts(box)] == ["FINISHED", "FINISHED"]


async def test_a_verification_whose_answer_was_lost_is_not_repeated(kit, box, drain) -> None:
    made = await waiting(kit, box)
    await box.fault("nowpayments", "error500_after_effect", path="/verify", count=1)
    await drain(later=True)
    done = await refund(made.id)
    assert (done.status, done.codes) == ("processed", 1)


async def test_a_refusal_fails_the_refund_with_the_providers_words(kit, box) -> None:
    made = await waiting(kit, box)
    await box.settings(custody="0.01")
    now = await follow(kit, made)
    assert now.status == "failed"
    assert "Insufficient balance" in now.error
    assert await payouts(box) == []
    assert [r.id for r in await queries.waiting()] == [made.id]
    assert await count("sealed_key", "locked_at IS NULL") == 0


async def test_a_failed_refund_is_retried_under_a_new_name_and_paid_once(kit, box, drain) -> None:
    made = await waiting(kit, box)
    await box.settings(custody="0.01")
    await follow(kit, made)
    await box.settings(custody="1000")
    await service.retry(made.id, ADMIN)
    again = await refund(made.id)
    assert (again.status, again.attempt, again.asked_at) == ("pending", 2, None)
    assert again.checked_at is not None
    await service.approve(made.id, ADMIN)
    await drain(later=True)
    [sent] = await payouts(box)
    assert sent["unique_external_id"] == f"{made.id}-2"
    assert (await refund(made.id)).status == "processed"


async def test_a_rejected_payout_fails_and_pays_nothing(kit, box) -> None:
    await box.settings(payoutMode="by_hand")
    made = await follow(kit, await waiting(kit, box))
    await end_payout(box, made, "reject")
    now = await follow(kit, made)
    assert (now.status, now.payout_status) == ("failed", "rejected")
    assert await queries.refundable(made.order_id) == usd(str(made.amount))
    assert await books.refunded(made.order_id) == usd("0.00")


async def test_a_failed_payout_is_not_final_and_is_never_paid_again_meanwhile(kit, box) -> None:
    await box.settings(payoutMode="by_hand")
    made = await follow(kit, await waiting(kit, box))
    await end_payout(box, made, "fail")
    now = await follow(kit, made)
    assert (now.status, now.payout_status) == ("processing", "failed")
    assert "may still go through" in str((await order(made.order_id)).reasons)
    assert await queries.refundable(made.order_id) == usd("0.00")
    await end_payout(box, made, "finish")
    assert (await follow(kit, made)).status == "processed"
    found = await order(made.order_id)
    assert (found.status, found.reasons) == ("refunded", [])
    assert len(await payouts(box)) == 1


async def test_a_payout_on_its_way_can_not_be_turned_down_or_recorded_by_hand(kit, box) -> None:
    await box.settings(payoutMode="by_hand")
    made = await follow(kit, await waiting(kit, box))
    before = await rows()
    with pytest.raises(NotDecidable):
        await service.fail(made.id, "changed our mind", ADMIN)
    with pytest.raises(NotDecidable):
        await service.record(made.id, "f" * 64, ADMIN)
    with pytest.raises(NotDecidable):
        await service.retry(made.id, ADMIN)
    assert await rows() == before


async def test_a_payout_that_failed_for_good_can_be_given_up(kit, box) -> None:
    await box.settings(payoutMode="by_hand")
    made = await follow(kit, await waiting(kit, box))
    await end_payout(box, made, "fail")
    await follow(kit, made)
    await service.fail(made.id, "the provider's support says it is dead", ADMIN)
    assert (await refund(made.id)).status == "failed"


async def test_a_refund_turned_down_before_the_first_call_is_never_asked_for(kit, box) -> None:
    made = await waiting(kit, box)
    await service.fail(made.id, "no", ADMIN)
    before = await rows()
    await follow(kit, made)
    assert await rows() == before
    assert await payouts(box) == []


async def test_a_retry_keeps_to_what_is_still_refundable(kit, box) -> None:
    order_id = await paid_for(kit, box)
    made = await asked(order_id, usd("5.00"))
    await service.fail(made.id, "no", ADMIN)
    left = await queries.refundable(order_id)
    await asked(order_id, left - usd("4.00"))
    before = await rows()
    with pytest.raises(TooMuch):
        await service.retry(made.id, ADMIN)
    assert await rows() == before


async def test_coins_sent_by_hand_are_recorded_with_their_transaction(kit, box) -> None:
    order_id, _ = await fulfilled(kit, box)
    made = await asked(order_id)
    for bad in ("", "short", "x" * 300, "with a space in it " + "f" * 20, "<script>" + "f" * 20):
        before = await rows()
        with pytest.raises(Invalid):
            await service.record(made.id, bad, ADMIN)
        assert await rows() == before
    await service.record(made.id, " " + "ab" * 32, ADMIN)
    done = await refund(made.id)
    assert (done.status, done.by_hand, done.tx_hash) == ("processed", True, "ab" * 32)
    assert (done.approved_by, (await order(order_id)).status) == (ADMIN, "refunded")
    assert await ledger.prove() == []
    assert await payouts(box) == []
    before = await rows()
    with pytest.raises(NotDecidable):
        await service.record(made.id, "cd" * 32, ADMIN)
    assert await rows() == before


async def test_turning_down_needs_a_reason(kit, box) -> None:
    made = await asked(await underpaid(kit, box))
    before = await rows()
    with pytest.raises(ReasonNeeded):
        await service.fail(made.id, "  ", ADMIN)
    assert await rows() == before


async def test_the_sweep_asks_after_a_payout_whose_every_message_was_lost(kit, box, drain) -> None:
    await box.settings(payoutMode="by_hand")
    made = await follow(kit, await waiting(kit, box))
    await db.fetch("DELETE FROM job")
    await end_payout(box, made, "finish")
    with later(hours=1):
        assert await payout.post_due_checks() == 1
        await drain()
    assert (await refund(made.id)).status == "processed"


async def test_a_part_of_a_fulfilled_orders_money_goes_back_and_the_rest_stays_sold(kit, box, drain) -> None:
    order_id, _ = await fulfilled(kit, box)
    made = await approved(kit, await asked(order_id, usd("3.00")))
    await drain(later=True)
    assert (await refund(made.id)).status == "processed"
    found = await order(order_id)
    assert found.status == "fulfilled"
    assert -(await books.balances(order_id))[Account.SALES] == found.total - 3
    assert await ledger.prove() == []


async def test_no_secret_of_the_payout_login_is_kept_or_told(kit, box, drain) -> None:
    made = await waiting(kit, box)
    await drain(later=True)
    password = settings().nowpayments_password.get_secret_value()
    totp = settings().nowpayments_totp_secret.get_secret_value()
    kept = str(await rows()) + str(await history.timeline(made.order_id))
    assert password not in kept
    assert totp not in kept
