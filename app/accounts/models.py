"""What this room's queries return."""

from datetime import datetime

import msgspec


class SeenSession(msgspec.Struct, frozen=True):
    """Whose session it is, and when it was last used."""

    email: str
    role: str
    last_seen_at: datetime
