"""Waiting times between attempts: exponential from one second, with jitter so that crowds disperse."""

import random
from dataclasses import dataclass
from datetime import timedelta

ENOUGH = 64  # steps of growth: by then everything has met its longest, and a float may overflow


@dataclass(frozen=True, slots=True)
class Retry:
    """How often and how patiently a job is tried. Times in seconds."""

    attempts: int = 5
    first: float = 1.0
    factor: float = 4.0
    longest: float = 3600.0

    def wait(self, attempt: int) -> timedelta:
        """The pause after failed attempt number ``attempt`` (from 1), between 75 % and 125 % of its nominal length."""
        nominal = min(self.first * self.factor ** min(attempt - 1, ENOUGH), self.longest)
        return timedelta(seconds=nominal * random.uniform(0.75, 1.25))  # noqa: S311 - spread, not secrecy


def growing(count: int, *, first: float, factor: float, longest: float) -> timedelta:
    """The interval before check number ``count`` (from 0) of something that is polled ever more slowly."""
    return timedelta(seconds=min(first * factor ** min(count, ENOUGH), longest))
