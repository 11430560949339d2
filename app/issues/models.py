"""What this room's queries return."""

from datetime import datetime
from uuid import UUID

import msgspec


class Issue(msgspec.Struct, frozen=True):
    """One row of the issues list; open while ``resolved_at`` is None. ``note``: of the person who resolved it."""

    id: UUID
    subject: str
    code: str
    detail: str
    opened_at: datetime
    resolved_at: datetime | None
    resolved_by: str | None
    note: str | None = None
