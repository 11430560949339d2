"""Identifiers: UUID version 7 (RFC 9562, 5.7), so that new rows land at the end of their index."""

from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    return uuid7()


def parse_id(text: str) -> UUID | None:
    """The UUID in ``text``, or None: a malformed id is answered like an unknown one."""
    try:
        return UUID(text)
    except ValueError:
        return None
