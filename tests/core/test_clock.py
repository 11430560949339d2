"""Time: one source, in UTC, that a test can move and that always comes back."""

from datetime import UTC, datetime, timedelta

import pytest

from app.core import clock

HOUR = timedelta(hours=1)


def test_now_is_aware_and_in_utc() -> None:
    assert clock.now().tzinfo is UTC


def test_travels_add_up_and_end_with_their_block() -> None:
    before = clock.now()
    with clock.travelled(HOUR), clock.travelled(-3 * HOUR):
        assert abs(clock.now() - (before - 2 * HOUR)) < timedelta(minutes=1)
    assert abs(clock.now() - before) < timedelta(minutes=1)


def test_a_travel_ends_also_when_its_block_fails() -> None:
    before = clock.now()
    with pytest.raises(ZeroDivisionError), clock.travelled(HOUR):
        raise ZeroDivisionError
    assert clock.now() - before < timedelta(minutes=1)


def test_another_source_of_time_rules_until_its_block_ends_and_can_be_travelled_too() -> None:
    moment = datetime(2031, 1, 1, tzinfo=UTC)
    with clock.ruled_by(lambda: moment), clock.travelled(HOUR):
        assert clock.now() == moment + HOUR
    assert clock.now() < moment
