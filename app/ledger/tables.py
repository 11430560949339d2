"""Tables of this room."""

from decimal import Decimal

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


class MoneyUse(Table, tablename="money_use"):
    """One use of an order's received money. ``kind`` and ``status``: see ``states``.

    Of those that are not released, the amounts less ``from_price`` never exceed what came in. ``from_price``: the part
    of a refund that is taken out of the price, so that it counts once. ``reference`` names what it is for
    (``refund:<id>``, ``order:<id>``, …).
    """

    id = UUID(primary_key=True, default=None)
    order_id = ForeignKey(Order, index=True, null=False, on_delete=OnDelete.restrict)
    kind = Varchar(16)
    status = Varchar(16, default="reserved")
    amount = Numeric(None)
    currency = Varchar(3)
    from_price = Numeric(None, default=Decimal(0))
    reference = Varchar(80)
    created_at = Timestamptz(default=None)
    ended_at = Timestamptz(null=True, default=None)
