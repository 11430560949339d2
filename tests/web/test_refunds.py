"""Refunds over HTTP: the customer's form, the admin's decisions, and who may do neither."""

import re
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.core import db
from app.core.tokens import link_token
from app.keys import reveal as keys
from app.refunds import queries
from app.refunds.models import Refund
from tests.builders import VISITOR
from tests.fulfillment.test_withdrawal_money import deliver, paid_with_credit
from tests.orders.merchants import charged, completed, merchant
from tests.refunds.builders import ADDRESS, booked, payouts
from tests.web import builders
from tests.web.builders import LOG, assert_problem, csrf_of, picture, place, ready, submit
from tests.web.intruders import intruders
from tests.web.pages import Page

FORM = {"coin": "usdttrc20", "address": ADDRESS, "memo": ""}


@pytest.fixture
async def part_paid(client, box, drain) -> builders.Bought:
    """An order of which half was paid, its money booked."""
    bought = await place(client, payCurrency="usdttrc20")
    await drain()
    await builders.pay(client, box, bought, "partially_paid")
    await drain()
    await booked(UUID(bought.id))
    return bought


async def refund_of(order_id: str) -> Refund:
    return (await queries.of_order(UUID(order_id)))[-1]


async def claim_link(order_id: str) -> str:
    return f"/refunds/claims/{link_token((await refund_of(order_id)).link_id)}"


def token_in(mail: dict[str, Any]) -> str:
    found = re.search(r"/links/([\w-]+)", mail["text"])
    assert found is not None
    return found[1]


async def ask(admin, order_id: str, **fields: str) -> Any:
    return await submit(admin, f"/admin/orders/{order_id}/refunds", fields)


async def test_a_refund_from_the_admins_form_to_the_customers_wallet(
    admin, visitor, part_paid, box, drain, client
) -> None:
    page = await admin.get(f"/admin/orders/{part_paid.id}")
    assert "Amount, up to" in page.text
    made = await ask(admin, part_paid.id, amount="", reason="You paid only a part")
    assert made.status_code == 303
    where = made.headers["location"]
    assert "Waiting for an address" in (await admin.get(where)).text
    await drain(only="mail.send")
    [mail] = [m for m in await box.mail() if "refund" in m["subject"]]
    assert "You paid only a part" in mail["text"]

    browser = visitor()
    looked = await browser.get(f"/links/{token_in(mail)}")
    assert (looked.status_code, looked.headers["location"]) == (303, f"/refunds/claims/{token_in(mail)}")
    form = await browser.get(looked.headers["location"])
    assert Page(form.text).faults == []
    shown = await submit(browser, looked.headers["location"], FORM)
    assert "Is this your wallet?" in shown.text
    assert ADDRESS in shown.text
    assert (await refund_of(part_paid.id)).claimed_at is None
    taken = await submit(browser, looked.headers["location"], FORM | {"confirmed": "yes"})
    assert (taken.status_code, taken.headers["location"]) == (303, f"/orders/{part_paid.id}")
    assert "Checking your address" in (await browser.get(taken.headers["location"])).text
    await drain()
    assert "Waiting for our team" in (await browser.get(taken.headers["location"])).text

    assert "Refunds to approve" in (await admin.get("/admin")).text
    assert "Approve and send" in (await admin.get(where)).text
    assert (await submit(admin, f"{where}/approvals")).status_code == 303
    await drain(later=True)
    [sent] = await payouts(box)
    assert (sent["status"], sent["address"]) == ("FINISHED", ADDRESS)
    done = await browser.get(f"/orders/{part_paid.id}")
    assert sent["hash"] in done.text
    assert "This order was refunded" in done.text
    assert sent["hash"] in (await admin.get(where)).text
    assert await db.fetch_value("SELECT status FROM customer_order WHERE id = $1", part_paid.id) == "refunded"
    [last] = [m for m in await box.mail() if "was sent" in m["subject"]]
    assert sent["hash"] in last["text"]


async def test_reading_every_page_of_a_refund_changes_nothing(admin, visitor, part_paid, drain) -> None:
    await ask(admin, part_paid.id, reason="x")
    await drain()
    link, refund = await claim_link(part_paid.id), await refund_of(part_paid.id)
    browser = visitor()
    before = await picture()
    for _ in range(2):
        for path in (link, link.replace("/refunds/claims/", "/links/")):
            await browser.get(path)
            await browser.head(path)
        for path in ("/admin/refunds", f"/admin/refunds/{refund.id}", "/admin/refunds?status=pending", "/admin"):
            assert (await admin.get(path)).status_code == 200
    await submit(browser, link, FORM)  # typed, but not confirmed
    await submit(browser, link.replace("/refunds/claims/", "/links/"))
    assert await picture() == before


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"address": ""}, "Paste the address of your wallet."),
        ({"address": "not an address"}, "starts with T and has 34 characters"),
        ({"memo": "123"}, "has no memo"),
        ({"coin": "gold"}, "Choose one of the coins listed."),
    ],
)
async def test_a_wrong_address_is_said_by_its_field_and_what_was_typed_stays(
    admin, visitor, part_paid, change, words: str
) -> None:
    await ask(admin, part_paid.id, reason="x")
    link, browser = await claim_link(part_paid.id), visitor()
    before = await picture()
    for confirmed in ({}, {"confirmed": "yes"}):
        answer = await submit(browser, link, FORM | change | confirmed)
        assert answer.status_code == 400
        page = Page(answer.text)
        assert page.faults == []
        assert words in answer.text
        assert 'aria-invalid="true"' in answer.text
        assert (FORM | change)["address"] in answer.text
    assert await picture() == before


async def test_what_was_typed_can_be_changed_before_it_counts(admin, visitor, part_paid) -> None:
    await ask(admin, part_paid.id, reason="x")
    link, browser = await claim_link(part_paid.id), visitor()
    answer = await submit(browser, link, FORM | {"change": "yes"})
    assert f'value="{ADDRESS}"' in answer.text
    assert (await refund_of(part_paid.id)).claimed_at is None


async def test_a_past_link_is_told_kindly_and_takes_nothing(admin, visitor, part_paid) -> None:
    await ask(admin, part_paid.id, reason="x")
    link, browser = await claim_link(part_paid.id), visitor()
    await submit(browser, link, FORM | {"confirmed": "yes"})
    before = await picture()
    for path in (link, "/refunds/claims/" + "A" * 48, "/refunds/claims/x"):
        page = await browser.get(path)
        assert page.status_code == 410
        assert "This link no longer works" in page.text
        assert Page(page.text).faults == []
        assert (await submit(browser, path, FORM | {"confirmed": "yes"})).status_code == 410
    assert_problem(await visitor("application/json").get(link), 410, "link_spent")
    assert await picture() == before


async def test_a_foreign_page_can_not_name_an_address(admin, visitor, part_paid) -> None:
    await ask(admin, part_paid.id, reason="x")
    before = await picture()
    answer = await visitor().post(await claim_link(part_paid.id), data=FORM | {"confirmed": "yes"})
    assert answer.status_code == 403
    assert await picture() == before


async def test_the_owner_gets_the_link_again_and_nobody_else(admin, visitor, part_paid, client) -> None:
    await ask(admin, part_paid.id, reason="x")
    refund = await refund_of(part_paid.id)
    other = await place(client)
    path = f"/orders/{part_paid.id}/refunds/{refund.id}/links"
    found = await intruders(part_paid, other)
    before = await picture(but=LOG)
    for name, headers in found.items():
        answer = await visitor("application/json").post(path, json={}, headers=headers)
        assert answer.status_code in {403, 404}, name
    for wrong in (
        f"/orders/{other.id}/refunds/{refund.id}/links",
        f"/orders/{part_paid.id}/refunds/{uuid4()}/links",
    ):
        token = other.bearer if other.id in wrong else part_paid.bearer
        assert_problem(await visitor("application/json").post(wrong, json={}, headers=token), 404, "order_not_found")
    assert await picture(but=LOG) == before
    sent = await visitor("application/json").post(path, json={}, headers=part_paid.bearer)
    assert sent.status_code == 200
    assert (await refund_of(part_paid.id)).link_id != refund.link_id


async def test_the_admins_doors_are_shut_for_everybody_else(admin, visitor, part_paid, drain) -> None:
    await ask(admin, part_paid.id, reason="x")
    refund = await refund_of(part_paid.id)
    doors = [f"/admin/refunds/{refund.id}/{act}" for act in ("approvals", "records", "rejections", "retries")]
    doors.append(f"/admin/orders/{part_paid.id}/refunds")
    before = await picture()
    for door in doors:
        for headers in ({}, part_paid.bearer):
            answer = await visitor("application/json").post(door, json={"reason": "x"}, headers=headers)
            assert_problem(answer, 401, "login_needed")
    for page in ("/admin/refunds", f"/admin/refunds/{refund.id}"):
        assert (await visitor().get(page)).headers["location"] == "/admin/login"
    assert await picture() == before


@pytest.mark.parametrize(("currency", "paid", "fine", "finer"), [
    ("KWD", "1.250", "0.625", "0.0625"), ("USD", "1.25", "0.62", "0.625"), ("JPY", "501", "250", "250.5"),
])  # fmt: skip
async def test_an_admin_refunds_to_the_last_unit_of_the_currency_and_no_finer(
    admin, drain, currency: str, paid: str, fine: str, finer: str
) -> None:
    order_id = (await completed(drain, await charged(await merchant(), paid, currency=currency))).order_id
    before = await picture()
    answer = await submit(admin, f"/admin/orders/{order_id}/refunds", {"amount": finer}, accept="application/json")
    assert_problem(answer, 409, "too_much", "amount")
    assert await picture() == before
    assert (await ask(admin, str(order_id), amount=fine, reason="x")).status_code == 303
    assert str((await refund_of(str(order_id))).amount) == fine


async def test_an_admins_mistakes_are_said_and_change_nothing(admin, part_paid) -> None:
    order = f"/admin/orders/{part_paid.id}/refunds"
    before = await picture()
    for amount in (
        "1000", "0", "-1", "abc", "1.234", "NaN", "1e400", "2,5", "1,000", "1,000.00", "1e0", "1_0",
        "\u0661", "€1", "+1",
    ):  # fmt: skip
        answer = await submit(admin, order, {"amount": amount, "reason": "x"}, accept="application/json")
        assert_problem(answer, 409, "too_much", "amount", about=amount)
    for path in ("/admin/refunds/x", f"/admin/refunds/{uuid4()}"):
        assert (await admin.get(path)).status_code == 404
    assert await picture() == before
    await ask(admin, part_paid.id, amount="1.00")
    refund = f"/admin/refunds/{(await refund_of(part_paid.id)).id}"
    before = await picture()
    for act, fields, code in (
        ("approvals", {}, "not_decidable"), ("records", {"tx_hash": "short"}, "invalid"),
        ("rejections", {"reason": ""}, "reason_needed"), ("retries", {}, "not_decidable"),
    ):  # fmt: skip
        answer = await submit(admin, f"{refund}/{act}", fields, accept="application/json")
        assert answer.json()["code"] == code
    assert await picture() == before


async def test_an_admin_sees_that_a_key_was_shown_and_must_say_why(admin, client, box, drain) -> None:
    bought = await ready(client, box, drain, payCurrency="usdttrc20")
    await booked(UUID(bought.id))
    shown = await client.post(
        f"/fulfillment/{bought.id}/reveal", json={"itemId": bought.item_id}, headers=bought.bearer
    )
    assert shown.status_code == 200
    assert "Required: a key was revealed" in (await admin.get(f"/admin/orders/{bought.id}")).text
    refused = await submit(admin, f"/admin/orders/{bought.id}/refunds", {"amount": ""}, accept="application/json")
    assert_problem(refused, 400, "reason_needed", "reason")
    made = await ask(admin, bought.id, amount="", reason="The key did not work")
    page = await admin.get(made.headers["location"])
    assert "127.0.0.1" in page.text
    assert "Customer, by the order’s link" in page.text
    assert Page(page.text).faults == []


async def test_a_key_under_refund_is_not_shown_and_says_so(admin, client, box, drain) -> None:
    bought = await ready(client, box, drain, payCurrency="usdttrc20")
    await booked(UUID(bought.id))
    await ask(admin, bought.id, amount="", reason="")
    answer = await client.post(
        f"/fulfillment/{bought.id}/reveal", json={"itemId": bought.item_id}, headers=bought.bearer
    )
    said = assert_problem(answer, 409, "key_locked")
    assert "You are getting your money back" in said["detail"]


async def test_coins_sent_by_hand_are_recorded_on_the_page(admin, visitor, part_paid) -> None:
    made = await ask(admin, part_paid.id, reason="x")
    where = made.headers["location"]
    assert (await submit(admin, f"{where}/records", {"tx_hash": "ab" * 32})).status_code == 303
    assert "Sent by hand" in (await admin.get(where)).text
    browser = visitor()
    browser.cookies.set("bitloot_orders", part_paid.token)
    assert "ab" * 32 in (await browser.get(f"/orders/{part_paid.id}")).text


async def test_a_refund_turned_down_tells_the_customer_why(admin, visitor, part_paid) -> None:
    made = await ask(admin, part_paid.id, reason="x")
    await submit(admin, f"{made.headers['location']}/rejections", {"reason": "You <b>kept</b> it"})
    browser = visitor()
    browser.cookies.set("bitloot_orders", part_paid.token)
    page = await browser.get(f"/orders/{part_paid.id}")
    assert "Rejected" in page.text
    assert "You &lt;b&gt;kept&lt;/b&gt; it" in page.text
    assert Page(page.text).faults == []


async def test_lists_and_metrics_count_refunds_and_ledgers(admin, client, part_paid) -> None:
    await ask(admin, part_paid.id, reason="x")
    page = await admin.get("/admin/refunds")
    assert Page(page.text).faults == []
    assert "Waiting for an address" in page.text
    said = await admin.get("/admin/refunds", headers={"accept": "application/json"})
    assert said.json()["counts"] == {"pending": 1}
    assert csrf_of(page)
    metrics = (await client.get("/metrics")).text
    assert 'bitloot_refunds{status="pending"} 1.0' in metrics
    assert "bitloot_ledger_differences 0.0" in metrics


async def test_an_order_whose_money_goes_back_asks_for_no_more(admin, visitor, part_paid) -> None:
    browser = visitor()
    browser.cookies.set("bitloot_orders", part_paid.token)
    assert "Send the rest" in (await browser.get(f"/orders/{part_paid.id}")).text
    await ask(admin, part_paid.id, amount="", reason="x")
    page = (await browser.get(f"/orders/{part_paid.id}")).text
    assert "You are getting your money back" in page
    assert "Tell us where to send it" in page
    assert "Send the rest" not in page


async def test_the_admin_reads_what_a_refund_does_to_the_store_credit(app, box, admin) -> None:
    order_id, (item,), _ = await paid_with_credit(app, box, "4", 1)
    await deliver(app, item)
    page = (await admin.get(f"/admin/orders/{order_id}")).text
    assert "$4.00 of store credit also paid for this order. It comes back when all the money is refunded." in page
    await keys.reveal(order_id, item.id, VISITOR, store=app.state.store)
    page = (await admin.get(f"/admin/orders/{order_id}")).text
    assert "$4.00 of it paid for revealed keys and stays used." in page
    made = await submit(admin, f"/admin/orders/{order_id}/refunds", {"amount": "", "reason": "goodwill"})
    page = (await admin.get(made.headers["location"])).text
    assert "Of it, for revealed keys" in page
    assert "Back with a full refund" in page
