"""What this room's queries return."""

from datetime import datetime
from typing import Any

import msgspec


class Event(msgspec.Struct, frozen=True):
    """One line of a timeline. ``data`` is what its kind says, as JSON holds it."""

    seq: int
    kind: str
    data: dict[str, Any]
    at: datetime
