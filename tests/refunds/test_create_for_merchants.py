"""Refunds that merchants ask for: capped, allowed by the asking, sent by the provider or played in test mode."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from app.core import db
from app.core.ids import new_id
from app.core.money import Money
from app.core.settings import settings
from app.ledger import queries as books
from app.ledger import service as ledger
from app.payments import queries as payment_rows
from app.payments import service as payments
from app.payments.create_for_merchants import NoSuchPayment
from app.payments.models import MerchantPayment
from app.refunds import claim, create_for_merchants, queries, service, test_processor
from app.refunds.create_for_merchants import BadAmount, BadReason, PaymentNotCaptured
from app.refunds.models import MerchantRefund
from app.refunds.service import NotDecidable, TooMuch
from tests.builders import COIN, NOW, count, events, job_names, look, order, rows
from tests.orders.merchants import CUSTOMER, asked, charged, completed, merchant, payment, told_payment, told_refund
from tests.refunds.builders import ADDRESS, ADMIN, payouts, refund

HOW_MANY = 50
BY = "key Till 3"


@pytest.fixture
def kit(app):
    return app.state.kit


async def back(
    paid: MerchantPayment, amount: str | None = None, reason: str = "", target: Any = None
) -> MerchantRefund:
    """A refund of the payment, asked for by its merchant."""
    money = Decimal(amount) if amount else None
    return await create_for_merchants.create(paid.merchant_id, paid.test, paid.id, money, reason, target, BY)


async def by_card(drain: Any, amount: str = "20.00") -> MerchantPayment:
    return await completed(drain, await charged(await merchant(), amount))


async def by_coin(kit: Any, box: Any, email: str = CUSTOMER) -> MerchantPayment:
    """A live payment that has succeeded."""
    made = await asked(await charged(await merchant(), test=False, email=email), "crypto", currency=COIN)
    await payments.open_merchant_payment(made.id, nowpayments=kit.nowpayments, commit=NOW)
    made = await payment(made)
    await box.pay(made.provider_payment_id)
    await look(kit, made)
    return await payment(made)


async def to_tron() -> Any:
    return await claim.parse(COIN, ADDRESS, "")


async def test_of_an_order_with_two_payments_no_more_goes_back_than_came_in_and_is_not_promised(drain) -> None:
    placed = await charged(await merchant(), "20.00")
    first = await completed(drain, placed, "crypto", metadata={"test": "underpaid"})
    second = await completed(drain, await order(placed.id))
    assert (first.value, second.value) == (Decimal("10.00"), Decimal("10.00"))
    promised = await service.ask(placed.id, Money(Decimal("15.00"), "USD"), "", ADMIN)  # of neither payment
    before = await rows()
    for paid in (first, second):
        for amount in ("5.01", "10.00"):
            with pytest.raises(TooMuch, match=r"At most \$5\.00"):
                await back(paid, amount, target=await to_tron())
    assert await rows() == before
    assert (await back(second)).amount == Decimal("5.00")
    for paid in (first, second):
        with pytest.raises(TooMuch):
            await back(paid, "0.01")
    await service.fail(promised, "not agreed", ADMIN)
    assert (await back(first)).amount == Decimal("10.00")
    assert (await back(second)).amount == Decimal("5.00")


async def test_a_part_is_played_back_and_then_the_rest(drain) -> None:
    paid = await by_card(drain)
    first = await back(paid, "5.00", "one cup broke")
    assert (first.status, first.amount, first.payment_id, first.asked_by) == (
        "pending", Decimal("5.00"), paid.id, BY,
    )  # fmt: skip
    await drain(later=True, only="refunds.simulate")
    done = await queries.of_merchant(paid.merchant_id, True, first.id)
    assert done is not None
    assert (done.status, done.error) == ("processed", None)
    assert told_refund(done)["transaction"].startswith("test-")
    now = await payment(paid)
    assert (now.word, now.refunded) == ("success", Decimal("5.00"))
    assert (await order(paid.order_id)).status == "fulfilled"
    assert (await back(paid)).amount == Decimal("15.00")
    await drain(later=True, only="refunds.simulate")
    assert (await payment(paid)).word == "refunded"
    assert (await order(paid.order_id)).status == "refunded"
    assert str(await books.refunded(paid.order_id)) == "$20.00"
    assert await ledger.prove() == []
    assert await count("mail") == 0


async def test_every_step_of_a_refund_is_told_and_names_its_row(drain) -> None:
    paid = await by_card(drain)
    made = await back(paid, "5.00")
    await drain(later=True, only="refunds.simulate")
    told = await db.fetch(
        "SELECT kind, data ->> 'refund_id' AS id FROM event WHERE subject = $1 AND kind LIKE 'refund.%' ORDER BY seq",
        paid.order_id,
    )
    assert [row["kind"] for row in told] == ["refund.pending", "refund.processing", "refund.processed"]
    assert {row["id"] for row in told} == {str(made.id)}


async def test_fifty_refunds_at_once_give_back_what_was_captured_and_no_cent_more(drain) -> None:
    paid = await by_card(drain)
    made = await asyncio.gather(*(back(paid, "3.00") for _ in range(HOW_MANY)), return_exceptions=True)
    taken = [one for one in made if isinstance(one, MerchantRefund)]
    assert len(taken) == 6
    assert sum(isinstance(one, TooMuch) for one in made) == HOW_MANY - 6
    assert (await back(paid)).amount == Decimal("2.00")
    await drain(later=True, only="refunds.simulate")
    assert str(await books.refunded(paid.order_id)) == "$20.00"
    assert await ledger.prove() == []


async def test_a_merchants_refund_and_an_admins_share_what_is_left(drain) -> None:
    paid = await by_card(drain)
    left = await queries.refundable(paid.order_id)
    made = await asyncio.gather(
        *(back(paid) for _ in range(5)),
        *(service.ask(paid.order_id, left, "complaint", ADMIN) for _ in range(5)), return_exceptions=True,
    )  # fmt: skip
    assert sum(isinstance(one, TooMuch) for one in made) == 9
    await drain(later=True, only="refunds.simulate")
    assert str(await books.refunded(paid.order_id)) == "$20.00"
    assert await ledger.prove() == []


async def test_a_payment_gives_back_its_own_money_and_not_anothers(drain) -> None:
    placed = await charged(await merchant(), metadata={"test": "underpaid"})
    first = await completed(drain, placed, "crypto")
    second = await completed(drain, placed, "crypto", metadata={"test": "success"})
    assert (first.value, second.value) == (Decimal("10.00"), Decimal("10.00"))
    with pytest.raises(TooMuch, match=r"\$10\.00"):
        await back(first, "10.01")
    assert (await back(first, target=await to_tron())).amount == Decimal("10.00")
    await drain(later=True)
    assert ((await payment(first)).word, (await payment(second)).word) == ("refunded", "success")
    assert (await order(placed.id)).status == "fulfilled"


@pytest.mark.parametrize(
    ("amount", "reason", "refusal", "field"),
    [
        ("0.00", "", BadAmount, "amount"), ("-1.00", "", BadAmount, "amount"), ("1.001", "", BadAmount, "amount"),
        ("NaN", "", BadAmount, "amount"), ("Infinity", "", BadAmount, "amount"), ("1E+30", "", BadAmount, "amount"),
        ("20.01", "", TooMuch, "amount"), ("1.00", "x" * 301, BadReason, "reason"),
        ("1.00", "\x00", BadReason, "reason"),
    ],
)  # fmt: skip
async def test_what_cannot_go_back_names_its_field_and_leaves_nothing(drain, amount, reason, refusal, field) -> None:
    paid = await by_card(drain)
    before = await rows()
    with pytest.raises(refusal) as refused:
        await back(paid, amount, reason)
    assert refused.value.field == field
    assert await rows() == before


async def test_a_payment_without_money_gives_nothing_back(app, drain) -> None:
    placed = await charged(await merchant())
    failed, waits = await completed(drain, placed, number="4000000000000002"), await asked(placed)
    before = await rows()
    for made in (failed, waits):
        with pytest.raises(PaymentNotCaptured, match="Wait for payment") as told:
            await back(made)
        assert (told.value.status, told.value.code) == (409, "payment_not_captured")
    assert await rows() == before


async def test_nobody_elses_payment_is_refunded_or_its_refund_found(drain) -> None:
    paid, other = await by_card(drain), await merchant("Coffee House")
    made = await back(paid, "1.00")
    before = await rows()
    for merchant_id, test, payment_id in (
        (other, True, paid.id), (paid.merchant_id, False, paid.id), (paid.merchant_id, True, new_id()),
    ):  # fmt: skip
        with pytest.raises(NoSuchPayment):
            await create_for_merchants.create(merchant_id, test, payment_id, None, "", None, BY)
    for merchant_id, test in ((other, True), (paid.merchant_id, False)):
        assert await queries.of_merchant(merchant_id, test, made.id) is None
        assert await queries.merchant_page(merchant_id, test, {}, None, 10) == []
    assert await rows() == before


async def test_a_list_of_refunds_can_be_narrowed_and_goes_on(drain) -> None:
    paid = await by_card(drain)
    first = await back(paid, "1.00")
    await drain(later=True, only="refunds.simulate")
    second, whose = await back(paid, "2.00"), paid.merchant_id
    wanted = {
        "status": {"processed": [first], "pending": [second], "failed": []}, "payment_id": {new_id(): []},
        "order_id": {paid.order_id: [second, first]}, "reference": {"cart 7": [second, first], "x": []},
        "created_to": {second.created_at: [first]}, "created_from": {second.created_at: [second]},
        "customer_email": {CUSTOMER: []},
    }  # fmt: skip
    for name, cases in wanted.items():
        for value, expected in cases.items():
            found = await queries.merchant_page(whose, True, {name: value}, None, 10)
            assert [row.id for row in found] == [row.id for row in expected], (name, value)
    assert [row.id for row in await queries.merchant_page(whose, True, {}, second.id, 10)] == [first.id]


async def test_a_refund_is_played_in_three_to_five_seconds_or_as_the_settings_say(drain, monkeypatch) -> None:
    paid = await by_card(drain)
    for _ in range(3):
        assert 2.9 < await ends_after(await back(paid, "1.00")) < 5.1
    monkeypatch.setattr(settings(), "test_mode", True)
    monkeypatch.setattr(settings(), "test_processing_delay", 60_000)
    assert 59.5 < await ends_after(await back(paid, "1.00")) < 60.5


async def ends_after(made: MerchantRefund) -> float:
    job = await db.fetch_one(
        "SELECT run_at, args ->> 'remaining_ms' AS remaining_ms FROM job WHERE dedupe = $1",
        f"refunds.simulate:{made.id}",
    )
    assert job is not None
    return float((job["run_at"] - made.created_at).total_seconds()) + int(job["remaining_ms"]) / 1000


async def test_of_two_payments_what_goes_back_of_one_already_is_not_given_back_of_it_again(drain) -> None:
    placed = await charged(await merchant(), "20.00")
    first = await completed(drain, placed, "crypto", metadata={"test": "underpaid"})
    second = await completed(drain, await order(placed.id))
    ended = await back(first, "4.00")
    await service.fail(ended.id, "not agreed", ADMIN)
    waits = await back(first, "7.00")
    assert [(await refund(one.id)).status for one in (ended, waits)] == ["failed", "pending"]
    before = await rows()
    for amount in ("3.01", "10.00"):  # the order has the second payment's $10.00, too
        with pytest.raises(TooMuch, match=r"At most \$3\.00 of this payment"):
            await back(first, amount)
    with pytest.raises(TooMuch):
        await service.retry(ended.id, ADMIN)
    assert await rows() == before
    assert (await back(first)).amount == Decimal("3.00")
    with pytest.raises(TooMuch, match="All of this payment has been refunded"):
        await back(first)
    assert (await back(second)).amount == Decimal("10.00")


async def test_a_refund_that_is_to_fail_fails_and_its_money_can_go_back_by_another(drain) -> None:
    paid = await by_card(drain)
    made = await back(paid, reason=test_processor.FAILS)
    await drain(later=True, only="refunds.simulate")
    done = await refund(made.id)
    assert (done.status, done.error) == ("failed", "turned down by the simulated processor")
    assert (await events(paid.order_id))[-1] == "refund.failed"
    assert (await payment(paid)).word == "success"
    assert await queries.waiting() == [], "no admin is asked about money that is none"
    again = await back(paid)
    with pytest.raises(TooMuch):
        await service.retry(made.id, ADMIN)
    await drain(later=True, only="refunds.simulate")
    assert (await refund(again.id)).status == "processed"
    assert await ledger.prove() == []


async def test_a_refund_whose_step_was_queued_before_the_upgrade_is_sent(drain) -> None:
    made = await back(await by_card(drain))
    assert await db.fetch(
        "UPDATE job SET args = jsonb_build_object('refund_id', args -> 'refund_id', 'rest', args -> 'remaining_ms')"
        " WHERE name = 'refunds.simulate' AND status = 'pending' RETURNING id"
    )
    await drain(later=True, only="refunds.simulate")
    assert (await refund(made.id)).status == "processed"


async def test_a_step_taken_twice_pays_once(drain) -> None:
    paid = await by_card(drain)
    made = await back(paid)
    for _ in range(2):
        await test_processor.step(made.id, 0, commit=NOW)
    before = await rows()
    await test_processor.step(made.id, 0, commit=NOW)
    assert await rows() == before


async def test_live_money_goes_to_the_address_given_without_anyone_elses_word(kit, box, drain) -> None:
    paid = await by_coin(kit, box)
    made = await back(paid, "8.00", "one cup broke", await to_tron())
    assert (made.status, made.address, create_for_merchants.claim_url(made)) == ("pending", ADDRESS, None)
    await drain(only="refunds.check_address")
    allowed = await refund(made.id)
    assert (allowed.status, allowed.approved_by) == ("processing", BY)
    await drain(later=True, only="refunds.follow")
    [sent] = await payouts(box)
    assert sent["address"] == ADDRESS
    assert (await refund(made.id)).status == "processed"
    assert str(await books.refunded(paid.order_id)) == "$8.00"
    assert await ledger.prove() == []
    assert await count("mail") == 0


async def test_without_a_payout_login_it_waits_for_a_person_to_send_it(kit, box, drain, monkeypatch) -> None:
    monkeypatch.setattr(settings(), "nowpayments_email", "")
    paid = await by_coin(kit, box)
    made = await back(paid, target=await to_tron())
    await drain(only="refunds.check_address")
    waits = await refund(made.id)
    assert (waits.status, waits.checked_at is not None) == ("pending", True)
    assert [row.id for row in await queries.waiting()] == [made.id]
    await service.record(made.id, "0xabcdef0123456789", ADMIN)
    assert (await payment(paid)).word == "refunded"
    assert await count("mail") == 0


async def test_without_an_address_the_customer_names_one_by_the_claim_link(kit, box, drain) -> None:
    paid = await by_coin(kit, box)
    made = await back(paid)
    url = create_for_merchants.claim_url(made)
    assert url is not None
    assert await count("mail", f"kind = 'refund_asked' AND recipient = '{CUSTOMER}'") == 1
    token = url.rpartition("/")[2]
    await claim.claim(token, await to_tron())
    await drain(only="refunds.check_address")
    assert (await refund(made.id)).status == "processing"
    assert create_for_merchants.claim_url(await refund(made.id)) is None


async def test_a_customer_whom_the_merchant_alone_knows_gets_the_link_from_it(kit, box) -> None:
    paid = await by_coin(kit, box, email="")
    made = await back(paid)
    url = create_for_merchants.claim_url(made)
    assert url is not None
    assert await claim.look(url.rpartition("/")[2]) is not None
    assert await count("mail") == 0


async def test_an_address_that_the_network_refuses_is_asked_for_again(kit, box, drain) -> None:
    paid = await by_coin(kit, box)
    bad = await claim.parse(COIN, ADDRESS.replace("xxxx", "yyyy")[:34], "")
    made = await back(paid, target=bad)
    await db.fetch("UPDATE refund SET address = 'Tnonsense'")
    await drain(only="refunds.check_address")
    again = await queries.of_merchant(paid.merchant_id, False, made.id)
    assert again is not None
    assert (again.status, again.address) == ("pending", None)
    assert "did not accept that" in again.error
    assert create_for_merchants.claim_url(again) is not None
    assert await payouts(box) == []


async def test_an_admin_turns_a_refund_down_and_no_letter_leaves(kit, box, drain) -> None:
    paid = await by_coin(kit, box, email="")
    made = await back(paid)
    await service.fail(made.id, "a fraud", ADMIN)
    assert (await refund(made.id)).status == "failed"
    assert (await events(paid.order_id))[-1] == "refund.failed"
    assert await count("mail") == 0
    await service.retry(made.id, ADMIN)
    assert (await events(paid.order_id))[-1] == "refund.pending"
    with pytest.raises(NotDecidable):
        await service.approve(made.id, ADMIN)


async def test_a_full_refund_holds_nothing_and_returns_no_keys(drain) -> None:
    paid = await by_card(drain)
    await back(paid)
    assert (await order(paid.order_id)).frozen_at is None
    assert "fulfillment.return_keys" not in await job_names()


@pytest.mark.parametrize(
    ("email", "status", "said"),
    [("ann@example.com", "failed", True), ("delivered+shopper@resend.dev", "sent", False)],
)
async def test_a_claim_link_that_could_not_be_mailed_is_the_refunds_error(
    kit, box, drain, email: str, status: str, said: bool
) -> None:
    made = await back(await by_coin(kit, box, email=email))
    row = await db.fetch_one("SELECT merchant_id FROM customer_order WHERE id = $1", made.order_id)
    assert row is not None
    await drain(only="mail.send")
    found = await queries.of_merchant(row["merchant_id"], False, made.id)
    assert found is not None
    assert found.letter_status == status
    error = told_refund(found)["error"]
    assert (error or "").startswith("The email with the claim link did not reach the customer") == said
    assert ("validation_error" in (error or "")) == said


async def of_coins(drain: Any) -> MerchantPayment:
    """A payment of test mode in coins that has succeeded."""
    return await completed(drain, await charged(await merchant(), email=CUSTOMER), "crypto", currency=COIN)


async def test_in_test_mode_coins_wait_for_an_address_by_a_claim_link_as_live_ones_do(kit, drain, box) -> None:
    made = await back(await of_coins(drain), "5.00")
    link = create_for_merchants.claim_url(made)
    assert link is not None
    await drain(later=True)
    waits = await refund(made.id)
    assert (waits.status, waits.claimed_at) == ("pending", None)
    assert await box.mail() == []  # nobody is mailed in test mode
    assert await claim.look(link.rpartition("/")[2]) is not None
    await claim.claim(link.rpartition("/")[2], await to_tron())
    await drain(later=True)
    done = await refund(made.id)
    assert (done.status, done.address, done.coin) == ("processed", ADDRESS, COIN)
    assert create_for_merchants.claim_url(done) is None


async def test_in_test_mode_coins_go_to_the_address_that_was_given(drain) -> None:
    made = await back(await of_coins(drain), target=await to_tron())
    assert create_for_merchants.claim_url(made) is None
    await drain(later=True)
    done = await refund(made.id)
    assert (done.status, done.address) == ("processed", ADDRESS)
    assert done.checked_at is not None


async def test_a_cards_money_goes_back_to_the_card_without_an_address(drain) -> None:
    made = await back(await by_card(drain))
    assert create_for_merchants.claim_url(made) is None
    await drain(later=True)
    assert (await refund(made.id)).status == "processed"


async def test_what_is_owed_of_an_overpaid_payment_falls_with_each_refund_and_never_below_nothing(drain) -> None:
    placed = await charged(await merchant(), "20.00")
    paid = await completed(drain, placed, "crypto", metadata={"test": "overpaid"})
    shown = []
    for amount in ("1", "9", "5"):
        await back(paid, amount, target=await to_tron())
        await drain(later=True)
        found = await as_shown(paid)
        shown.append((found["refunded"], found["excess"], found["overpaid"]))
    assert shown == [("1.00", "9.00", True), ("10.00", "0.00", True), ("15.00", "0.00", True)]


async def as_shown(paid: MerchantPayment) -> dict[str, Any]:
    """The payment as its merchant sees it."""
    found = await payment_rows.of_merchant(paid.merchant_id, paid.test, paid.id)
    assert found is not None
    return told_payment(found)
