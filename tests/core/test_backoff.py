"""Waiting times: they grow, they are spread, they have an end."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.queue.backoff import Retry, growing

retries = st.builds(
    Retry, attempts=st.integers(1, 50), first=st.floats(0.1, 60), factor=st.floats(1, 10), longest=st.floats(60, 3600)
)


@given(retries, st.integers(1, 10_000))
def test_every_pause_lies_between_the_first_and_the_longest(retry: Retry, attempt: int) -> None:
    assert 0.74 * retry.first <= retry.wait(attempt).total_seconds() <= 1.26 * retry.longest


def test_pauses_grow_by_the_factor_until_the_longest() -> None:
    retry = Retry(first=1, factor=4, longest=3600)
    for attempt, nominal in enumerate([1, 4, 16, 64, 256, 1024, 3600, 3600], 1):
        assert 0.74 * nominal <= retry.wait(attempt).total_seconds() <= 1.26 * nominal


def test_pauses_are_spread() -> None:
    assert len({Retry().wait(3) for _ in range(50)}) > 40


@given(st.integers(0, 100_000))
def test_checks_get_ever_rarer_and_never_stop_growing_over_the_longest(count: int) -> None:
    here, next_ = (growing(n, first=2, factor=1.6, longest=900) for n in (count, count + 1))
    assert timedelta(seconds=2) <= here <= next_ <= timedelta(seconds=900)
