"""What this room's queries return."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

import msgspec


class Entry(msgspec.Struct, frozen=True):
    """One side of a posting; see ``tables.LedgerEntry``. Debits are positive."""

    posting: UUID
    kind: str
    account: str
    amount: Decimal
    currency: str
    reference: str
    at: datetime
