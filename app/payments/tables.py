"""Tables of this room."""

from decimal import Decimal

from piccolo.columns import JSONB, UUID, Boolean, ForeignKey, Integer, Numeric, Text, Timestamptz, Varchar
from piccolo.columns.base import OnDelete
from piccolo.table import Table

from app.orders.tables import Order

COIN = (40, 18)  # digits: enough for the finest coin (18 decimals)


class Payment(Table, tablename="payment"):
    """One attempt to pay an order. Coin amounts are in whole coins. ``tops_up``: the partial payment it completes.

    ``value``: what arrived, in ``price_currency`` at the attempt's rate. ``outcome``: the last named outcome.
    ``excess``: what of the value was not asked for. ``doubted``: what is said to have arrived since the value was kept,
    while what we are credited with is too low for it.
    Of provider ``test`` it is ended by the test processor: ``method`` crypto, upi or card; ``details`` what a
    merchant may see of it (``vpa``, or ``last4`` and ``network``); ``failure`` the code of why it failed.
    """

    id = UUID(primary_key=True, default=None)
    order_id = ForeignKey(Order, index=True, null=False, on_delete=OnDelete.restrict)
    provider = Varchar(16, default="nowpayments")
    attempt = Integer()
    status = Varchar(16, default="waiting")
    provider_payment_id = Varchar(32, null=True, default=None, unique=True)
    invoice_id = Varchar(32, null=True, default=None, index=True)
    invoice_url = Text(null=True, default=None)
    price_amount = Numeric(None)
    price_currency = Varchar(3)
    pay_amount = Numeric(COIN, null=True, default=None)
    pay_currency = Varchar(16)
    pay_address = Varchar(200, null=True, default=None)
    memo = Varchar(100, null=True, default=None)
    network = Varchar(32, null=True, default=None)
    actually_paid = Numeric(COIN, default=Decimal(0))
    owed_back = Numeric(COIN, default=Decimal(0))
    excess = Numeric(None, default=Decimal(0))
    doubted = Numeric(COIN, null=True, default=None)
    tops_up = UUID(null=True, default=None)
    value = Numeric(None, default=Decimal(0))
    outcome = Varchar(32, null=True, default=None)
    parent_payment_id = Varchar(32, null=True, default=None)
    expires_at = Timestamptz(null=True, default=None)
    next_check_at = Timestamptz(null=True, default=None, index=True)
    checks = Integer(default=0)
    method = Varchar(8, default="crypto")
    details = JSONB(default="{}")
    failure = Varchar(32, null=True, default=None)
    created_at = Timestamptz(default=None)
    updated_at = Timestamptz(default=None)


class Coin(Table, tablename="coin"):
    """A coin customers may pay with, as the provider tells it; ``minimum`` is in the shop's currency."""

    code = Varchar(16, primary_key=True, default="")
    name = Varchar(64)
    network = Varchar(32)
    has_memo = Boolean(default=False)
    position = Integer(default=0)
    active = Boolean(default=True)
    minimum = Numeric((12, 2), null=True, default=None)
    updated_at = Timestamptz(default=None)
