"""What an error may tell the queue.

Rooms and providers raise errors with these members, and the queue imports none of them.
"""

from datetime import timedelta
from typing import Protocol, runtime_checkable


@runtime_checkable
class RetryLater(Protocol):
    """Not now, and nobody is at fault.

    ``retry_in``: when to try again; None for the queue's own growing pauses. ``counts``: whether this attempt is one of
    the job's. One that does not count may be repeated for as long as it takes. ``why``: a person's words, safe to keep.
    """

    retry_in: timedelta | None
    counts: bool

    @property
    def why(self) -> str: ...


@runtime_checkable
class Permanent(Protocol):
    """``permanent``: no waiting heals it, so the job is a dead letter at once."""

    permanent: bool


@runtime_checkable
class ProviderUnavailable(Protocol):
    """A call to a provider that was answered badly or not at all.

    ``provider``: whose circuit breaker hears of it. ``unavailable``: whether nobody's call would have fared better;
    ``trips_at_once``: whether one such failure is proof enough. ``retry_after``: seconds, where the provider said so.
    """

    provider: str
    unavailable: bool
    trips_at_once: bool
    retry_after: float | None


@runtime_checkable
class SafeText(Protocol):
    """``safe_text``: whether the error's text holds no data of a person and no secret, so that it may be stored."""

    safe_text: bool
