"""Tables of this room."""

from piccolo.columns import UUID, BigSerial, ForeignKey, Numeric, Timestamptz, Varchar
from piccolo.columns.base import OnDelete
from piccolo.table import Table

from app.orders.tables import Order


class LedgerEntry(Table, tablename="ledger_entry"):
    """One side of a posting. The entries of one ``posting`` sum to zero per currency; debits are positive.

    ``reference`` names what it is about (``payment:<id>``, ``refund:<id>``, …).
    """

    id = BigSerial(primary_key=True)
    posting = UUID(default=None, index=True)
    order_id = ForeignKey(Order, index=True, null=False, on_delete=OnDelete.restrict)
    kind = Varchar(32)
    account = Varchar(32)
    amount = Numeric(None)
    currency = Varchar(3)
    reference = Varchar(80)
    at = Timestamptz(default=None)
