"""Dead letters of one cause are told together, whatever ids, numbers and names their errors hold."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import clock
from app.core.ids import new_id
from app.queue import queries
from app.queue import service as jobs
from app.queue.error_causes import LONGEST, cause_of
from tests.builders import claimed

SAME = [
    ("ProviderDown: kinguin.find: 503: no reason given", "ProviderDown: kinguin.find: 500: no reason given"),
    (
        "NotFound: order 01a1fd91-a352-7131-987b-2e90cedaffd9 is gone",
        "NotFound: order 01a1fd91-a5dd-74dd-80ab-b2d0165c91d7 is gone",
    ),
    ("kinguin.get_delivered: 404 OrderNotFound: PHS84FJAG5U", "kinguin.get_delivered: 404 OrderNotFound: XK20AAAABBB"),
    ('Order with orderExternalId "a-1" already exists.', 'Order with orderExternalId "b" already exists.'),
    ("mail to somebody@example.com refused", "mail to x@y.test refused"),
    ("paid 12.50 EUR, 3 of 4 units", "paid 7 EUR, 12 of 12 units"),
    ("the worker  stopped\nanswering", "the worker stopped answering"),
]
OTHER = [
    ("ProviderDown: kinguin.find: no answer (ConnectError)", "ProviderDown: kinguin.find: no answer (ReadTimeout)"),
    ("ProviderDown: kinguin.find: 500", "ProviderDown: kinguin.keys: 500"),
    ("ValueError", "KeyError"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_errors_that_differ_in_ids_and_numbers_alone_are_one_cause(one: str, other: str) -> None:
    assert cause_of(one) == cause_of(other)


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_errors_that_differ_in_what_went_wrong_are_two(one: str, other: str) -> None:
    assert cause_of(one) != cause_of(other)


@given(st.text(max_size=3000))
def test_every_error_has_a_short_cause_without_digits_that_is_its_own_cause(error: str) -> None:
    cause = cause_of(error)
    assert 0 < len(cause) <= LONGEST
    assert not any(c.isdigit() and c.isascii() for c in cause)


async def test_groups_count_their_letters_and_name_the_oldest_and_the_newest(app) -> None:
    for number, error in enumerate(["down: 503", "down: 500", "down: 502", "broken"]):
        lease = await claimed(subject=new_id())
        with clock.travelled(timedelta(minutes=number)):
            await jobs.dead_letter(lease, error)
    newest, oldest = await queries.causes()
    assert (newest.cause, newest.count) == ("broken", 1)
    assert (oldest.cause, oldest.count, oldest.name) == ("down: …", 3, "maintenance.purge")
    assert oldest.newest - oldest.oldest > timedelta(minutes=1.9)
    assert len(await queries.dead(name="maintenance.purge", cause="down: …")) == 3
    assert len(await queries.dead()) == 4
