"""Tables of this room."""

from piccolo.columns import UUID, ForeignKey, Integer, Numeric, Timestamptz, Varchar
from piccolo.columns.base import OnDelete
from piccolo.table import Table

from app.orders.tables import Order, OrderItem


class Reservation(Table, tablename="reservation"):
    """Our order at a supplier for one item. Its id is the external id we give. Amounts are EUR.

    An item has one that is not ended by the supplier (partial unique index); a further one buys the units that are
    missing. ``supplier_product_id``: an alternative offer, where it is not the product's own. ``refunded``: what came
    back.
    """

    id = UUID(primary_key=True, default=None)
    order_id = ForeignKey(Order, index=True, null=False, on_delete=OnDelete.restrict)
    item_id = ForeignKey(OrderItem, index=True, null=False, on_delete=OnDelete.restrict)
    status = Varchar(16, default="requested")
    supplier = Varchar(24, default="kinguin")
    supplier_order_id = Varchar(32, null=True, default=None, unique=True)
    quantity = Integer()
    price_limit = Numeric((12, 2))
    charged = Numeric((12, 2), null=True, default=None)
    asked_at = Timestamptz(null=True, default=None)
    next_check_at = Timestamptz(null=True, default=None, index=True)
    checks = Integer(default=0)
    supplier_product_id = Varchar(24, null=True, default=None)
    refunded = Numeric((12, 2), null=True, default=None)
    return_asked_at = Timestamptz(null=True, default=None)
    cause = Varchar(200, null=True, default=None)
    created_at = Timestamptz(default=None)
    updated_at = Timestamptz(default=None)
