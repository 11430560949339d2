"""Orders, payments and refunds by hand: what is seen, what is given back, and what is refused."""

import asyncio

import pytest
from markupsafe import escape

from app.core import db
from app.core.settings import settings
from app.mail import service as mail
from app.payments import create_for_merchants
from app.web.embed import sdk
from tests.web.builders import LOG, count, logged, picture
from tests.web.merchant.builders import charged, paid


async def test_a_payment_is_found_by_what_one_knows_of_it(ann, drain) -> None:
    good = await paid(ann, drain, reference="cart-1")
    bad = await paid(ann, drain, "7.50", vpa="fail@test", reference="cart-2")
    for query, seen in (
        ("", {good.id, bad.id}),
        ("?status=success", {good.id}),
        ("?status=failed&method=upi", {bad.id}),
        ("?method=card", set()),
        ("?q=cart-2", {bad.id}),
        ("?q=buyer%40else.test", {good.id, bad.id}),
        (f"?q={good.id}", {good.id}),
        ("?status=nonsense", {good.id, bad.id}),
        ("?q=%00", {good.id, bad.id}),
    ):
        page = await ann.get(f"/merchant/payments{query}")
        assert page.status_code == 200, query
        shown = {row.id for row in (good, bad) if f"/merchant/payments/{row.id}" in page.text}
        assert shown == seen, query
    page = (await ann.get(f"/merchant/payments/{bad.id}")).text
    assert "It failed: declined" in page
    assert "UPI fail@test" in page
    assert "Refund…" not in page


async def test_the_lists_page_through_all_rows_once(ann) -> None:
    made = {str((await charged(ann, reference=f"cart-{n}")).id) for n in range(53)}
    first = (await ann.get("/merchant/orders")).text
    older = first.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    second = (await ann.get(older)).text
    on = [{one for one in made if one in text.replace(older, "")} for text in (first, second)]
    assert [len(part) for part in on] == [50, 3]
    assert on[0] | on[1] == made
    assert 'rel="next"' not in second


async def test_a_refund_is_named_in_full_then_asked_for_and_played_back(ann, drain) -> None:
    payment = await paid(ann, drain)
    path = f"/merchant/payments/{payment.id}"
    assert "up to $20.00" in (await ann.get(path)).text
    before = await picture()
    preview = await ann.get(f"{path}/refund?amount=7.50&reason=One+came+back")
    assert 'Refund <span class="num">$7.50</span>?' in preview.text
    assert await picture() == before
    asked = await ann.post(f"{path}/refunds", {"amount": "7.50", "reason": "One came back"})
    assert asked.status_code == 303
    await drain(later=True)
    shown = (await ann.get(asked.headers["location"])).text
    assert ">Sent</span>" in shown
    assert "One came back" in shown
    assert f"member {ann.email}" in shown
    assert "up to $12.50" in (await ann.get(path)).text
    details = await db.fetch_value("SELECT details FROM audit_line WHERE action = 'refund.asked'")
    assert "$7.50" in details
    assert str(payment.id) in details


async def test_a_refund_says_what_became_of_the_email_that_asks_for_an_address(ann, drain) -> None:
    order = await charged(ann)
    coins = {"pay_currency": "btc", "metadata": {"test_delay": "0"}}
    payment = await create_for_merchants.create(order, "crypto", coins)
    await drain(later=True)
    asked = await ann.post(f"/merchant/payments/{payment.id}/refunds", {"amount": "5.00", "reason": "Half"})
    page = asked.headers["location"]
    assert "In test mode nobody is emailed: open it yourself." in (await ann.get(page)).text
    assert "buyer@else.test" not in (await ann.get(page)).text.partition('id="claim"')[2].partition("</section>")[0]
    link = str(await db.fetch_value("SELECT link_id FROM refund"))
    context = {"order_short_id": "cart-1", "amount": "$5.00", "why": "Half", "link_id": link, "days": 14}
    await db.write(*mail.draft("refund_asked", "buyer@else.test", context, about=order.id).writes)
    for status, words in (
        ("pending", "An email to buyer@else.test is being sent"),
        ("waiting", "An email to buyer@else.test is being sent"),
        ("sent", "We emailed it to buyer@else.test"),
        ("delivered", "We emailed it to buyer@else.test"),
        ("bounced", "Our email to buyer@else.test did not arrive: pass it on yourself."),
        ("failed", "Our email to buyer@else.test did not arrive: pass it on yourself."),
    ):
        await db.fetch("UPDATE mail SET status = $1 WHERE kind = 'refund_asked'", status)
        assert words in (await ann.get(page)).text, status


@pytest.mark.parametrize(
    ("amount", "reason", "words"),
    [
        ("20.01", "x", "At most $20.00"), ("0", "x", "as digits"), ("-1", "x", "as digits"),
        ("1.001", "x", "as digits"), ("2,5", "x", "without commas"), ("1,000", "x", "without commas"),
        ("1e0", "x", "as digits"), ("1_0", "x", "as digits"), ("\u0661", "x", "as digits"), ("+1", "x", "without"),
        ("1e400", "x", "as digits"), ("NaN", "x", "as digits"), ("all", "x", "as digits"), ("", "x", "as digits"),
        ("1", "", "Enter a reason"), ("1", "y" * 301, "Enter a reason"),
    ],
)  # fmt: skip
async def test_a_refund_that_cannot_be_is_refused_beside_its_field(ann, drain, amount, reason, words) -> None:
    payment = await paid(ann, drain)
    before = await picture()
    path = f"/merchant/payments/{payment.id}"
    preview = await ann.browser.get(f"{path}/refund", params={"amount": amount, "reason": reason})
    sent = await ann.post(f"{path}/refunds", {"amount": amount, "reason": reason})
    for answer in (preview, sent):
        assert answer.status_code in {400, 409}
        assert words in answer.text
        assert 'aria-invalid="true"' in answer.text
    assert await picture() == before


async def test_of_ten_presses_of_the_button_no_more_goes_back_than_came_in(ann, drain) -> None:
    payment = await paid(ann, drain)
    path = f"/merchant/payments/{payment.id}/refunds"
    answers = await asyncio.gather(*(ann.post(path, {"amount": "6.00", "reason": "x"}) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [303] * 3 + [409] * 7
    assert await db.fetch_value("SELECT sum(amount) FROM refund") == 18
    assert await logged("refund.asked") == ["refund.asked"] * 3


async def test_an_order_shows_its_payments_and_what_was_told(ann, drain) -> None:
    payment = await paid(ann, drain)
    page = (await ann.get(f"/merchant/orders/{payment.order_id}")).text
    assert "cart-1" in page
    assert f"/merchant/payments/{payment.id}" in page


async def test_what_is_of_the_other_mode_is_not_there(ann, drain) -> None:
    payment = await paid(ann, drain)
    await ann.post(f"/merchant/payments/{payment.id}/refunds", {"amount": "1.00", "reason": "x"})
    refund = await db.fetch_value("SELECT id FROM refund")
    await ann.switch("live")
    for path in ("orders", "payments", "refunds", "deliveries"):
        text = (await ann.get(f"/merchant/{path}")).text
        assert str(payment.id) not in text
        assert str(payment.order_id) not in text
    before = await picture(but=LOG)
    for path in (f"payments/{payment.id}", f"orders/{payment.order_id}", f"refunds/{refund}"):
        assert (await ann.get(f"/merchant/{path}")).status_code == 404
    refused = await ann.post(f"/merchant/payments/{payment.id}/refunds", {"amount": "1.00", "reason": "x"})
    assert refused.status_code == 404
    assert await picture(but=LOG) == before


async def test_trying_the_checkout_makes_a_test_order_in_either_mode(ann) -> None:
    for mode in ("test", "live"):
        await ann.switch(mode)
        made = await ann.post("/merchant/try", {"amount": "12.00", "currency": "INR", "email": ""})
        assert made.status_code == 303
        page = (await ann.get(made.headers["location"])).text
        assert "data-try" in page
        assert 'data-key="pk_test_' in page
        # Whole, for a page elsewhere: a path alone would be looked for at the merchant's.
        assert f'src="{settings().frontend_url}/sdk/' in sdk.script_tag()
        assert f'<pre id="try-tag" tabindex="0">{escape(str(sdk.script_tag()))}</pre>' in page
    assert await db.fetch_value("SELECT count(*) FROM customer_order WHERE test AND currency = 'INR'") == 2
    before = await picture(but=LOG)
    for fields in (
        {"amount": "x"},
        {"amount": "0"},
        {"currency": "XYZ"},
        {"email": "x"},
        {"amount": "1e99"},
        {"amount": "2,5"},
        {"amount": "1,000"},
        {"amount": "1e1"},
        {"amount": "1_0"},
        {"amount": "\u0661"},
    ):
        answer = await ann.post("/merchant/try", {"amount": "1", "currency": "USD", "email": "", **fields})
        assert answer.status_code == 400, fields
    assert await picture(but=LOG) == before
    assert await count("customer_order") == 2
