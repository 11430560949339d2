"""Letters: always rendered alike, sent once whatever happens on the way, and never with a secret in the table."""

import json
from typing import Any
from uuid import UUID

import pytest

from app.accounts import service as accounts
from app.core import clock, db
from app.core.ids import new_id
from app.core.settings import settings
from app.core.tokens import link_token
from app.mail import queries
from app.mail import service as mail
from app.mail.kinds import SUBJECTS
from app.mail.service import render
from app.providers.http import ApiKeyRejected
from app.providers.resend import Resend
from tests.builders import EMAIL, NOW, count, delivered, events, job_names, place, rows, undone

ITEMS = [{"name": "Tallow & <Twine>", "quantity": 2}]


async def context(**more: Any) -> dict[str, Any]:
    link_id = await accounts.issue_link(EMAIL, "order", new_id())
    return {"order_short_id": "AB12CD34", "items": ITEMS, "total": "$19.99", "link_id": str(link_id)} | more


async def written(to: str = EMAIL, kind: str = "key_ready") -> UUID:
    return await mail.write(kind, to, await context())


async def row(mail_id: UUID) -> dict[str, Any]:
    found = await db.fetch_one("SELECT * FROM mail WHERE id = $1", mail_id)
    assert found is not None
    return dict(found)


SAMPLES = {  # what the new kinds are told, as those who write them do
    "missing": "$3.20", "missing_coin": "3.2 USDT", "excess": "$13.05", "arrived": "$65.24", "sent": "TRX",
    "asked": "USDT", "held": "$52.19", "games": "Tallow & <Twine>", "amount": "$13.39", "why": "It is closed.",
    "endpoint": "https://shop.test/hooks", "by": "ann@shop.test", "merchant": "Ann's",
}  # fmt: skip


@pytest.mark.parametrize("kind", SUBJECTS)
async def test_a_letter_is_rendered_alike_at_any_time(app, kind: str) -> None:
    told = await context(minutes=20, days=14, **SAMPLES)
    first = render(kind, told)
    with clock.travelled(clock.timedelta(days=3)):
        assert render(kind, told) == first
    opens = kind != "email_changed"  # goes to an address that is not the order's any more
    assert (link_token(UUID(told["link_id"])) in first.html) is opens
    assert (link_token(UUID(told["link_id"])) in first.text) is opens


async def text_of(kind: str, **more: Any) -> str:
    letter = render(kind, await context(**more))
    return " ".join(f"{letter.subject} | {letter.text}".split())


@pytest.mark.parametrize(
    ("kind", "told", "said"),
    [
        ("overpaid", {"excess": "$13.05", "arrived": "$65.24"}, [
            "$13.05 more than asked arrived (order AB12CD34) | More than asked arrived",
            "$65.24 arrived for order AB12CD34, which cost $19.99. The extra $13.05 is still yours."]),
        ("overpaid", {"excess": "$19.99", "arrived": "$39.98", "second": True}, ["| A second payment arrived $39.98"]),
        ("wrong_coin", {"sent": "TRX", "asked": "USDT", "held": "$52.19"}, [
            "TRX arrived, but we asked for USDT (order AB12CD34)", "Please don't send more. Your $52.19 is safe."]),
        ("wrong_coin", {"sent": "TRX", "asked": "USDT"}, ["Your money is safe."]),
        ("money_after_cancel", {"held": "$45.62"}, [
            "Your $45.62 arrived, but the order is cancelled (order AB12CD34)",
            "Order AB12CD34 is cancelled, and $45.62 arrived for it. Nothing was bought with it, and it is safe."]),
        ("money_after_cancel", {"held": "$45.62", "ended": "refunded"}, [
            "Order AB12CD34 is refunded, and $45.62 arrived for it."]),
        ("payment_sent_back", {}, ["nothing was bought with it.", "please order it again"]),
        ("payment_sent_back", {"paid": True, "delivered": True}, [
            "Your key had been delivered by then, so the order is not paid for now.", "we write to you"]),
        ("payment_sent_back", {"paid": True}, ["The order had counted as paid by then."]),
        ("payment_failed", {}, ["it failed after your money had arrived", "asks the provider where it is"]),
        ("sold_out", {"games": "Tallow", "amount": "$13.39"}, [
            "Tallow (order AB12CD34) sold out before we could buy it for you. Your $13.39 is safe.",
            "You can get a refund of $13.39 on the order's page. If you do nothing, we keep looking for the game"]),
        ("sold_out", {"games": "Tallow", "amount": "$13.39", "late": True}, [
            "sold out before your payment arrived", "get it back, or use it as credit"]),
        ("price_jump", {"games": "Tallow", "amount": "$13.39"}, [
            "The price of your game went up (order AB12CD34)", "You pay nothing more."]),
        ("price_jump", {"games": "Tallow", "amount": "$13.39", "late": True, "missing": "$3.20"}, [
            "add $3.20, get your money back, or use it as credit"]),
        ("supplier_delay", {"games": "Tallow", "amount": "$13.39"}, [
            "Your key is taking longer than usual (order AB12CD34)", "Get a refund of $13.39 on the order's page"]),
        ("key_ready", {"days": 14, "kept_until": "28 Nov 2027"}, [
            "This link works for 14 days, once. Your key stays on your order's page until 28 Nov 2027."]),
        ("refund_asked", {"amount": "$9.00", "why": "chosen by the customer"}, [
            "You chose to get your money back.", "We check it, then we send your money"]),
        ("refund_asked", {"amount": "$9.00", "why": "could not be delivered: sold out at our supplier"}, [
            "We could not get your game: it sold out."]),
        ("refund_asked", {"amount": "$9.00", "why": "goodwill"}, ["Reason: goodwill"]),
    ],
)  # fmt: skip
async def test_a_letter_names_what_happened_and_what_comes_next(
    app, kind: str, told: dict[str, Any], said: list[str]
) -> None:
    found = await text_of(kind, **told)
    assert [words for words in said if words not in found] == []
    html = " ".join(render(kind, await context(**told)).html.replace("’", "'").split())
    assert html.count("Reason:") == found.count("Reason:")


@pytest.mark.parametrize(("kind", "told"), [("overpaid", {"excess": "$1.00"}), ("sold_out", {}), ("no_such", {})])
async def test_a_letter_that_lacks_what_it_must_say_is_not_written(app, kind: str, told: dict[str, Any]) -> None:
    before = await rows()
    with pytest.raises(ValueError, match=r"needs|no letter"):
        await mail.write(kind, EMAIL, await context(**told) if kind != "no_such" else {})
    assert await rows(but=["link"]) == {name: lines for name, lines in before.items() if name != "link"}


async def test_the_key_letter_says_until_when_the_key_is_on_the_page(app, box) -> None:
    order_id, _ = await delivered(app.state.kit, box)
    told = json.loads(await db.fetch_value("SELECT context FROM mail WHERE kind = 'key_ready'"))
    paid_at = await db.fetch_value("SELECT paid_at FROM customer_order WHERE id = $1", order_id)
    assert told["kept_until"] == f"{paid_at + clock.timedelta(days=365):%d %b %Y}".lstrip("0")


@pytest.mark.parametrize("kind", ["order_received", "payment_seen", "key_ready"])
async def test_a_letter_about_an_order_says_what_was_bought_and_escapes_it(app, kind: str) -> None:
    letter = render(kind, await context())
    assert "Tallow &amp; &lt;Twine&gt;" in letter.html
    assert "<Twine>" not in letter.html
    assert "Tallow & <Twine>" in letter.text
    assert "$19.99" in letter.html
    assert "$19.99" in letter.text
    assert "AB12CD34" in letter.subject


async def test_a_letter_goes_out_once_under_its_own_key(app, drain, box) -> None:
    mail_id = await written()
    assert await drain() == 1
    sent = await box.mail()
    found = await row(mail_id)
    assert [(m["to"], m["subject"]) for m in sent] == [([EMAIL], render("key_ready", await context()).subject)]
    assert sent[0]["idempotencyKey"] == f"mail/{mail_id}"
    assert (found["status"], found["provider_id"]) == ("sent", sent[0]["id"])
    assert found["sent_at"] is not None


async def test_sending_a_sent_letter_again_changes_nothing(app, drain, box) -> None:
    mail_id = await written()
    await drain()
    before = await rows()
    await mail.send(mail_id, resend=app.state.kit.resend, commit=NOW)
    await mail.send(new_id(), resend=app.state.kit.resend, commit=NOW)
    assert await rows() == before
    assert len(await box.mail()) == 1


@pytest.mark.parametrize("mode", ["error500", "error500_after_effect", "timeout_after_effect", "html_garbage", "quota"])
async def test_a_provider_that_fails_twice_sends_one_mail_in_the_end(app, drain, box, mode: str) -> None:
    mail_id = await written()
    await box.fault("resend", mode, count=2, **({"seconds": 0} if mode == "timeout_after_effect" else {}))
    assert await drain(later=True) == 3
    assert len(await box.mail()) == 1
    assert (await row(mail_id))["status"] == "sent"


async def test_an_attempt_whose_twin_was_accepted_with_other_words_counts_as_sent(app, box) -> None:
    """The letter changed between two attempts, as by a new release: the first one went out."""
    mail_id = await written()
    kit = app.state.kit
    await kit.resend.send(
        sender=settings().mail_from, to=EMAIL, subject="As it was", html="<p>x</p>", text="x",
        idempotency_key=f"mail/{mail_id}",
    )  # fmt: skip
    await mail.send(mail_id, resend=kit.resend, commit=NOW)
    assert [m["subject"] for m in await box.mail()] == ["As it was"]
    assert (await row(mail_id))["status"] == "sent"


async def test_a_refused_address_ends_the_letter_and_nothing_else(app, drain, box) -> None:
    mail_id = await written("buyer@example.com")
    assert await drain(later=True) == 1
    found = await row(mail_id)
    assert (found["status"], found["sent_at"]) == ("failed", None)
    assert "validation_error" in found["error"]
    assert await box.mail() == []
    assert await job_names("completed") == ["mail.send"]


async def test_a_refused_key_of_ours_blames_no_letter(app) -> None:
    mail_id = await written()
    before = await rows()
    stranger = Resend(settings().resend_base_url, "re_not_ours")
    with pytest.raises(ApiKeyRejected):
        await mail.send(mail_id, resend=stranger, commit=NOW)
    await stranger.aclose()
    assert await rows() == before


async def test_a_letter_written_in_a_transaction_that_fails_was_never_written(app) -> None:
    await undone(written())
    assert (await count("mail"), await count("job")) == (0, 0)


async def test_the_table_of_letters_holds_no_token_and_no_key(app) -> None:
    order_id = await place()
    stored = await db.fetch_one("SELECT context, subject FROM mail")
    assert stored is not None
    told = json.loads(stored["context"])
    assert link_token(UUID(told["link_id"])) not in "".join(line for found in (await rows()).values() for line in found)
    assert set(told) == {"order_short_id", "items", "total", "link_id", "days"}
    assert stored["subject"] == order_id


async def test_the_log_of_letters_about_an_order_is_in_order_and_without_content(app, drain, box) -> None:
    order_id = await place()
    await drain(only="mail.send")
    (found,) = await queries.about(order_id)
    assert (found.kind, found.recipient, found.status) == ("order_received", EMAIL, "sent")
    assert "context" not in found.__struct_fields__
    assert await events(order_id) == ["order.created"]
