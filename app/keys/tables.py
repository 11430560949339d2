"""Tables of this room."""

from piccolo.columns import UUID, Bytea, ForeignKey, Integer, Timestamptz, Varchar
from piccolo.columns.base import OnDelete
from piccolo.table import Table

from app.orders.tables import Order, OrderItem


class OrderDataKey(Table, tablename="order_data_key"):
    """An order's AES key, wrapped by the master key named beside it."""

    order_id = ForeignKey(Order, primary_key=True, null=False, on_delete=OnDelete.restrict)
    master_key_id = Varchar(32)
    wrapped = Bytea()
    created_at = Timestamptz(default=None)


class Key(Table, tablename="sealed_key"):
    """One sealed game key: where its blob lies and whose it is. ``ordinal`` counts from 0 within the item.

    ``locked_at``: for a refund, nobody reveals it any more. ``broken_at``: its blob did not open.
    ``deleted_at``: its time has come, it is not shown any more; ``blob`` is emptied once the store holds it no more.
    """

    id = UUID(primary_key=True, default=None)
    order_id = ForeignKey(Order, index=True, null=False, on_delete=OnDelete.restrict)
    item_id = ForeignKey(OrderItem, index=True, null=False, on_delete=OnDelete.restrict)
    ordinal = Integer()
    supplier_key_id = Varchar(64, unique=True)
    media_type = Varchar(32)
    blob = Varchar(200)
    created_at = Timestamptz(default=None)
    revealed_at = Timestamptz(null=True, default=None)
    locked_at = Timestamptz(null=True, default=None)
    broken_at = Timestamptz(null=True, default=None)
    returned_at = Timestamptz(null=True, default=None)
    deleted_at = Timestamptz(null=True, default=None)
