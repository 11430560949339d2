"""Tables of this room."""

from decimal import Decimal

from piccolo.columns import JSONB, UUID, Boolean, ForeignKey, Integer, Numeric, Timestamptz, Varchar
from piccolo.columns.base import OnDelete
from piccolo.table import Table

from app.catalog.tables import Product
from app.merchants.tables import Merchant


class Order(Table, tablename="customer_order"):
    """One purchase ("order" is a reserved word in SQL). Why a person has to look, where one has to: ``reasons``.

    ``email``: the form that mail carries. ``email_typed``: as its owner writes it, where that is another.

    ``frozen_at``: all of its money is to go back, so nothing is bought for it and none of its keys is shown.
    ``choice``: what the customer chose for late money: refund, credit or top_up. One of a merchant's has an amount
    and no items, perhaps no email, and the merchant's own ``reference`` and ``metadata``; ``test``: no real money.
    ``access_epoch``: raised when its email changes; orders tokens of before open it no more, but for those of
    ``access_browser``, which asked for the change.
    ``published_seq``: the last event of its timeline that was published to its merchant.
    """

    id = UUID(primary_key=True, default=None)
    email = Varchar(320, index=True)
    email_typed = Varchar(320, null=True, default=None)
    status = Varchar(16, default="created")
    fulfillment_status = Varchar(16, default="pending")
    currency = Varchar(3)
    subtotal = Numeric(None)
    discount = Numeric(None, default=Decimal(0))
    discount_code = Varchar(32, null=True, default=None)
    total = Numeric(None)
    pay_currency = Varchar(16, null=True, default=None)
    choice = Varchar(16, null=True, default=None)
    frozen_at = Timestamptz(null=True, default=None)
    created_at = Timestamptz(default=None, index=True)
    paid_at = Timestamptz(null=True, default=None)
    fulfilled_at = Timestamptz(null=True, default=None)
    merchant_id = ForeignKey(Merchant, index=True, null=True, default=None, on_delete=OnDelete.restrict)
    test = Boolean(default=False)
    reference = Varchar(128, null=True, default=None)
    metadata = JSONB(default="{}")
    published_seq = Integer(default=0)
    access_epoch = Integer(default=0)
    access_browser = UUID(null=True, default=None)


class OrderItem(Table, tablename="order_item"):
    """One product of an order, with the price and the words of the moment it was bought.

    ``withdrawn``: units whose money the customer took back, as their keys did not come; none is delivered for those.
    ``conditions``: what its buyer was told about where and with what the key works, as ``catalog.conditions`` has it.
    """

    id = UUID(primary_key=True, default=None)
    order_id = ForeignKey(Order, index=True, null=False, on_delete=OnDelete.restrict)
    product_id = ForeignKey(Product, null=False, on_delete=OnDelete.restrict)
    position = Integer()
    name = Varchar(200)
    slug = Varchar(160)
    platform = Varchar(64)
    quantity = Integer()
    unit_price = Numeric((12, 2))
    withdrawn = Integer(default=0)
    conditions = JSONB(default="{}")
    status = Varchar(16, default="pending")
