"""Identifiers: UUID version 7 (RFC 9562, 5.7), so that new rows land at the end of their index."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

from uuid_utils.compat import uuid7

_draw: Callable[[], UUID] = uuid7


def new_id() -> UUID:
    return _draw()


@contextmanager
def drawn_by(draw: Callable[[], UUID]) -> Iterator[None]:
    """Let ``draw`` make the ids inside the block, so that a simulation can be played again to the letter."""
    global _draw
    before = _draw
    _draw = draw
    try:
        yield
    finally:
        _draw = before


def parse_id(text: str) -> UUID | None:
    """The UUID in ``text``, or None: a malformed id is answered like an unknown one."""
    try:
        return UUID(text)
    except ValueError:
        return None
