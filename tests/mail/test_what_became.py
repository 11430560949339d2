"""What became of a letter: by the provider's signed webhooks, in any order, once; a loss is put before the owner."""

import json
from typing import Any
from uuid import UUID

import pytest

from app.core import clock, db
from app.core.ids import new_id
from app.inbox import service as inbox
from app.issues import queries as issues
from app.mail import notices, queries
from app.mail import service as mail
from app.orders import letters
from tests.builders import EMAIL, NOW, count, delivered, place, rows

BOUNCE = {"bounce": {"type": "Permanent", "subType": "General", "message": "mailbox unavailable"}}


def event(name: str, letter: UUID | None, provider_id: str = "", **more: Any) -> dict[str, Any]:
    tags = {"kind": "key_ready", "letter": str(letter)} if letter else {}
    return {"type": f"email.{name}", "data": {"email_id": provider_id, "tags": tags, **more}}


async def tell(said: dict[str, Any] | bytes) -> str:
    """Keep a notice and apply it; returns the words in its log."""
    body, name = said if isinstance(said, bytes) else json.dumps(said).encode(), str(new_id())
    assert await inbox.keep("resend", name, {}, body, job="mail.apply_notice")
    notice_id = await db.fetch_value("SELECT id FROM inbound_webhook WHERE dedupe = $1", name)
    await notices.apply(notice_id, commit=NOW, record=letters.record_delivery)
    return str(await db.fetch_value("SELECT outcome FROM inbound_webhook WHERE id = $1", notice_id))


async def status(mail_id: UUID) -> str:
    return str(await db.fetch_value("SELECT status FROM mail WHERE id = $1", mail_id))


async def sent(app: Any, box: Any, drain: Any) -> tuple[UUID, UUID]:
    """A fulfilled order and the letter that its key is ready, sent."""
    order_id, _ = await delivered(app.state.kit, box)
    await drain(only="mail.send")
    return order_id, await db.fetch_value("SELECT id FROM mail WHERE subject = $1 AND kind = 'key_ready'", order_id)


async def codes(order_id: UUID) -> list[str]:
    return [issue.code for issue in await issues.open_for(f"order:{order_id}")]


@pytest.mark.parametrize(
    ("names", "ends"),
    [
        (["sent", "delivered"], "delivered"), (["delivered", "sent"], "delivered"), (["bounced"], "bounced"),
        (["bounced", "delivered", "sent"], "bounced"), (["delivered", "complained"], "complained"),
        (["complained", "delivered"], "complained"), (["suppressed"], "bounced"), (["failed"], "failed"),
        (["delivered", "bounced"], "bounced"), (["opened", "clicked", "scheduled", "delivery_delayed"], "sent"),
        (["delivered", "delivered"], "delivered"),
    ],
)  # fmt: skip
async def test_events_move_a_letter_in_whatever_order_they_come(app, box, drain, names: list[str], ends: str) -> None:
    _, letter = await sent(app, box, drain)
    for name in names:
        await tell(event(name, letter, **BOUNCE))
    assert await status(letter) == ends


async def test_a_bounced_letter_is_told_to_the_owner_with_its_reason(app, box, drain) -> None:
    order_id, letter = await sent(app, box, drain)
    assert await tell(event("bounced", letter, **BOUNCE)) == "letter bounced"
    (issue,) = await issues.open_for(f"order:{order_id}")
    assert issue.code == "letter_undelivered"
    assert issue.detail == f"The email “Key ready” to {EMAIL} was returned: Permanent: General: mailbox unavailable."


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("complained", "was marked as spam, so no more emails reach that address"),
        ("failed", "was refused"),
        ("suppressed", "was returned"),
    ],
)
async def test_whatever_keeps_a_letter_from_its_reader_is_told_to_the_owner(app, box, drain, name, words) -> None:
    order_id, letter = await sent(app, box, drain)
    await tell(event(name, letter))
    (issue,) = await issues.open_for(f"order:{order_id}")
    assert issue.code == "letter_undelivered"
    assert issue.detail.startswith(f"The email “Key ready” to {EMAIL} {words}")


async def test_the_issue_ends_when_a_later_letter_arrives_and_not_when_one_is_only_taken(app, box, drain) -> None:
    order_id, letter = await sent(app, box, drain)
    await tell(event("bounced", letter, **BOUNCE))
    again = await letters.resend(order_id, letter)
    await drain(only="mail.send")
    assert (await status(again), await codes(order_id)) == ("sent", ["letter_undelivered"])
    await tell(event("delivered", again))
    assert await codes(order_id) == []
    assert (await queries.reach(order_id, EMAIL)) == queries.Reach(True, "")


async def test_an_unpaid_order_at_a_wrong_address_is_no_issue(app, box, drain) -> None:
    order_id = await place()
    await drain(only="mail.send")
    letter = await db.fetch_value("SELECT id FROM mail WHERE subject = $1", order_id)
    await tell(event("bounced", letter, **BOUNCE))
    assert (await status(letter), await codes(order_id)) == ("bounced", [])


async def test_news_that_overtakes_the_answer_to_the_sending_is_kept(app, box, drain) -> None:
    mail_id = await mail.write("login_link", EMAIL, {"link_id": str(new_id()), "minutes": 20})
    await tell(event("delivered", mail_id))
    assert await status(mail_id) == "delivered"
    await drain(only="mail.send")
    assert await box.mail() == []


async def test_a_letter_without_our_tag_is_found_by_the_providers_id(app, box, drain) -> None:
    _, letter = await sent(app, box, drain)
    provider_id = await db.fetch_value("SELECT provider_id FROM mail WHERE id = $1", letter)
    await tell(event("delivered", None, provider_id))
    assert await status(letter) == "delivered"


@pytest.mark.parametrize(
    "said",
    [
        b"", b"no json", b"[]", b'{"type": 5}', b'{"type": "email.bounced"}', b'{"type": "email.bounced", "data": 1}',
        b'{"type": "email.received", "data": {}}', b'{"type": "email.bounced", "data": {"email_id": null, "tags": []}}',
        json.dumps(event("bounced", new_id())).encode(), json.dumps(event("delivered", None, "x" * 999)).encode(),
    ],
)  # fmt: skip
async def test_what_is_about_no_letter_of_ours_changes_none(app, box, drain, said: bytes) -> None:
    await sent(app, box, drain)
    before = await rows(but=["inbound_webhook", "job"])
    assert (await tell(said)).startswith("ignored: ")
    assert await rows(but=["inbound_webhook", "job"]) == before


async def test_letters_wait_for_the_quota_and_the_owner_hears_until_they_go_out(app, box, drain) -> None:
    mail_id = await mail.write("key_ready", EMAIL, {"order_short_id": "AB12CD34"})
    await box.fault("resend", "quota", count=1)
    await drain()
    assert await status(mail_id) == "waiting"
    assert [issue.code for issue in await issues.open_for("mail")] == ["mail_quota"]
    assert await queries.trouble() == "emails are waiting for the mail quota"
    await drain(later=True)
    assert await status(mail_id) == "sent"
    assert await issues.open_for("mail") == []
    assert await queries.trouble() == ""


async def test_a_sign_in_link_fails_at_once_when_the_quota_is_out_as_it_would_be_dead_by_the_next_try(app, box) -> None:
    mail_id = await mail.write("login_link", EMAIL, {"link_id": str(new_id()), "minutes": 20})
    jobs_before = await count("job")
    await box.fault("resend", "quota", count=1)
    await mail.send(mail_id, resend=app.state.kit.resend, commit=NOW)
    assert await status(mail_id) == "failed"
    error = await db.fetch_value("SELECT error FROM mail")
    assert error.startswith("too old to be useful by the next try, as ")
    assert "quota" in error
    assert await count("job") == jobs_before
    assert [issue.code for issue in await issues.open_for("mail")] == ["mail_quota"]
    with clock.travelled(clock.timedelta(hours=1)):
        await mail.send(mail_id, resend=app.state.kit.resend, commit=NOW)
    assert await box.mail() == []


@pytest.mark.parametrize(("minutes", "stands", "sent"), [(17, "sent", 1), (19, "failed", 0), (180, "failed", 0)])
async def test_a_sign_in_link_that_has_run_out_is_not_mailed_whatever_held_it_up(
    app, box, minutes: int, stands: str, sent: int
) -> None:
    mail_id = await mail.write("login_link", EMAIL, {"link_id": str(new_id()), "minutes": 20})
    with clock.travelled(clock.timedelta(minutes=minutes)):
        await mail.send(mail_id, resend=app.state.kit.resend, commit=NOW)
    assert await status(mail_id) == stands
    assert len(await box.mail()) == sent


async def test_a_key_letter_whose_job_is_retried_after_a_week_still_goes_out(app, box) -> None:
    mail_id = await mail.write("key_ready", EMAIL, {"order_short_id": "AB12CD34", "link_id": str(new_id())})
    with clock.travelled(clock.timedelta(days=7)):
        await mail.send(mail_id, resend=app.state.kit.resend, commit=NOW)
    assert await status(mail_id) == "sent"


async def test_many_lost_letters_are_trouble_and_a_few_are_not(app) -> None:
    for number in range(5):
        assert await queries.trouble() == ""
        await db.fetch(
            """INSERT INTO mail (id, kind, recipient, context, status, created_at)
               VALUES (gen_random_uuid(), 'key_ready', $1, '{}', 'bounced', now())""",
            f"{number}@b.io",
        )
    assert await queries.trouble() == "5 of the last 5 emails did not arrive"


@pytest.mark.parametrize(
    ("kind", "context", "past"),
    [
        ("email_confirm", {"order_short_id": "AB12CD34", "hours": 24}, {"hours": 25}),
        ("key_ready", {"order_short_id": "AB12CD34"}, {"days": 4}),
    ],
)
async def test_a_letter_that_waited_beyond_its_use_does_not_go_out_although_the_quota_is_back(
    app, box, kind: str, context: dict[str, Any], past: dict[str, int]
) -> None:
    mail_id = await mail.write(kind, EMAIL, context | {"link_id": str(new_id())})
    await box.fault("resend", "quota", count=1)
    await mail.send(mail_id, resend=app.state.kit.resend, commit=NOW)
    assert await status(mail_id) == "waiting"
    with clock.travelled(clock.timedelta(**past)):
        await mail.send(mail_id, resend=app.state.kit.resend, commit=NOW)
    assert await status(mail_id) == "failed"
    assert await db.fetch_value("SELECT error FROM mail") == "too old to be useful, as it waited for the mail quota"
    assert await box.mail() == []


async def test_a_link_for_a_day_is_no_use_after_it_while_the_quota_is_out(app, box) -> None:
    context = {"order_short_id": "AB12CD34", "link_id": str(new_id()), "hours": 24}
    mail_id = await mail.write("email_confirm", EMAIL, context)
    await box.fault("resend", "quota")
    for hours, stands in ((22, "waiting"), (23, "failed")):
        with clock.travelled(clock.timedelta(hours=hours)):
            await mail.send(mail_id, resend=app.state.kit.resend, commit=NOW)
        assert await status(mail_id) == stands


async def test_the_owner_hears_that_the_quota_is_back_though_the_last_waiting_letter_was_too_old(app, box) -> None:
    late = await mail.write("email_confirm", EMAIL, {"order_short_id": "A", "link_id": str(new_id()), "hours": 2})
    await box.fault("resend", "quota", count=1)
    await mail.send(late, resend=app.state.kit.resend, commit=NOW)
    with clock.travelled(clock.timedelta(hours=2)):
        await mail.send(late, resend=app.state.kit.resend, commit=NOW)
    assert [issue.code for issue in await issues.open_for("mail")] == ["mail_quota"]
    fresh = await mail.write("key_ready", EMAIL, {"order_short_id": "AB12CD34"})
    await mail.send(fresh, resend=app.state.kit.resend, commit=NOW)
    assert (await status(late), await status(fresh)) == ("failed", "sent")
    assert await issues.open_for("mail") == []
