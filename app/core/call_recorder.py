"""What became of the calls to providers within one piece of work, for whoever judges how a provider is doing."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_noted: ContextVar[dict[str, str] | None] = ContextVar("calls", default=None)


@contextmanager
def recording() -> Iterator[dict[str, str]]:
    """The last outcome (ok, down, refused, confused, broken) of each provider that is called inside the block."""
    made: dict[str, str] = {}
    token = _noted.set(made)
    try:
        yield made
    finally:
        _noted.reset(token)


def record(provider: str, outcome: str) -> None:
    made = _noted.get()
    if made is not None:
        made[provider] = outcome
