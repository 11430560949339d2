"""Submissions: claimed once, answered again as the first time, opened by nobody without the form's key."""

import asyncio

from app.core import db
from app.forms import service as forms

ANSWER = forms.Answer(303, [(b"location", b"/orders/1"), (b"set-cookie", b"session=secret-token")], b"")
FIELDS = [("email", "a@b.test"), ("coin", "btc")]


def test_the_same_form_with_the_same_content_is_the_same_submission() -> None:
    first = forms.submission_id("key", "/orders", FIELDS)
    assert first == forms.submission_id("key", "/orders", FIELDS[::-1])
    others = {
        forms.submission_id("other", "/orders", FIELDS),
        forms.submission_id("key", "/login", FIELDS),
        forms.submission_id("key", "/orders", [("email", "c@d.test"), ("coin", "btc")]),
        forms.submission_id("key", "/orders", [("emaila@b.test", ""), ("coin", "btc")]),
    }
    assert first not in others
    assert len(others) == 4


def test_no_two_rendered_forms_share_a_key() -> None:
    assert len({forms.new_key() for _ in range(1000)}) == 1000


async def test_of_twenty_that_claim_at_once_one_may_go_on(app) -> None:
    claims = await asyncio.gather(*(forms.claim("a submission") for _ in range(20)))
    assert claims.count(True) == 1


async def test_a_repeat_waits_for_the_first_answer_and_gets_it_whole(app) -> None:
    assert await forms.claim("a submission")
    waiting = asyncio.create_task(forms.first_answer("a submission", "key"))
    await forms.finish("a submission", "key", ANSWER)
    assert await waiting == ANSWER


async def test_what_was_refused_may_be_sent_again_and_what_took_effect_may_not(app) -> None:
    assert await forms.claim("refused")
    await forms.release("refused")
    assert await forms.claim("refused")
    await forms.finish("refused", "key", ANSWER)
    await forms.release("refused")
    assert not await forms.claim("refused")


async def test_an_answer_opens_by_the_forms_key_alone_and_is_unreadable_in_the_table(app) -> None:
    await forms.claim("a submission")
    await forms.finish("a submission", "key", ANSWER)
    assert await forms.first_answer("a submission", "another key") == forms.Lost()
    stored = bytes(await db.fetch_value("SELECT answer FROM form_submission"))
    assert b"secret-token" not in stored
    assert b"/orders/1" not in stored


async def test_a_repeat_does_not_wait_for_ever_for_a_first_one_that_died(app) -> None:
    await forms.claim("a submission")
    assert await forms.first_answer("a submission", "key", patience=0) == forms.Pending()
    assert await forms.first_answer("never sent", "key") == forms.Pending()


async def test_a_repeat_of_one_that_ended_in_a_fault_is_not_the_first_and_waits_for_nothing(app) -> None:
    await forms.claim("a submission")
    await forms.mark_unknown("a submission")
    assert not await forms.claim("a submission")
    assert await forms.first_answer("a submission", "key", patience=3600) == forms.Pending()


async def test_an_answer_that_is_too_large_to_keep_is_known_to_have_been_given(app) -> None:
    await forms.claim("a submission")
    await forms.finish("a submission", "key", forms.Answer(200, [], b"x" * (forms.LARGEST + 1)))
    assert await db.fetch_value("SELECT length(answer) FROM form_submission") == 0
    assert await forms.first_answer("a submission", "key", patience=3600) == forms.Lost()


async def test_a_late_repeat_is_known_as_one_but_stale(app) -> None:
    await forms.claim("a submission")
    await forms.finish("a submission", "key", ANSWER)
    await db.fetch("UPDATE form_submission SET answered_at = now() - interval '121 seconds'")
    assert await forms.first_answer("a submission", "key") == forms.Stale(ANSWER)


async def test_after_a_day_a_submission_is_forgotten(app) -> None:
    for name, age in (("old", "25 hours"), ("new", "23 hours")):
        await forms.claim(name)
        await db.fetch("UPDATE form_submission SET claimed_at = now() - $2::text::interval WHERE id = $1", name, age)
    assert await forms.forget() == 1
    assert [row["id"] for row in await db.fetch("SELECT id FROM form_submission")] == ["new"]
