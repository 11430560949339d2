"""Tables of this room."""

from piccolo.columns import UUID, BigInt, Boolean, ForeignKey, Integer, Numeric, Text, Timestamptz, Varchar
from piccolo.columns.base import OnDelete
from piccolo.table import Table

from app.orders.tables import Order
from app.payments.tables import COIN


class Refund(Table, tablename="refund"):
    """Money that goes back for an order. ``amount`` is in the order's currency, ``pay_amount`` in whole coins.

    The address comes from the customer (``claimed_at``), the permission from an admin (``approved_at``). ``evidence``
    keeps what was true of the keys when it was asked for.

    ``link_id``: the claim link mailed last, the only one that counts. ``checked_at``: the provider takes the address.
    ``attempt`` rises with an admin's retry; with the id it is the name we give a payout. ``code_step``: the 30-second
    step of the last one-time code, so that none is used twice; ``codes`` counts those used here. ``payout_status`` is
    the provider's own word. ``payment_id``: the payment whose money goes back, where a merchant asked for it.
    """

    id = UUID(primary_key=True, default=None)
    order_id = ForeignKey(Order, index=True, null=False, on_delete=OnDelete.restrict)
    status = Varchar(16, default="pending")
    amount = Numeric(None)
    currency = Varchar(3)
    reason = Varchar(300)
    asked_by = Varchar(340)
    evidence = Text(default="")
    coin = Varchar(16, null=True, default=None)
    pay_amount = Numeric(COIN, null=True, default=None)
    link_id = UUID(null=True, default=None, index=True)
    address = Varchar(200, null=True, default=None)
    memo = Varchar(100, null=True, default=None)
    claimed_at = Timestamptz(null=True, default=None)
    checked_at = Timestamptz(null=True, default=None)
    approved_by = Varchar(340, null=True, default=None)
    approved_at = Timestamptz(null=True, default=None)
    by_hand = Boolean(default=False)
    attempt = Integer(default=1)
    asked_at = Timestamptz(null=True, default=None)
    batch_id = Varchar(32, null=True, default=None)
    payout_id = Varchar(32, null=True, default=None)
    payout_status = Varchar(16, null=True, default=None)
    code_step = BigInt(null=True, default=None, unique=True)
    codes = Integer(default=0)
    tx_hash = Varchar(200, null=True, default=None)
    error = Varchar(300, null=True, default=None)
    next_check_at = Timestamptz(null=True, default=None, index=True)
    checks = Integer(default=0)
    created_at = Timestamptz(default=None, index=True)
    ended_at = Timestamptz(null=True, default=None)
    payment_id = UUID(null=True, default=None, index=True)
