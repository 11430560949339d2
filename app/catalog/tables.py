"""Tables of this room."""

from piccolo.columns import JSONB, UUID, Boolean, Date, Integer, Numeric, Text, Timestamptz, Varchar
from piccolo.table import Table


class Product(Table, tablename="product"):
    """One game on one platform for one region, as one supplier has it. ``cost`` is its price in EUR, ``price`` ours.

    ``reference_cost``: what it cost a day ago, which a new price is measured by. One that can't be believed is held
    (``held_since``, not ``active``) and stands in ``offered_cost``, if it could be sold at. ``fixed_price``: the
    owner set it, so it follows no cost and no exchange rate. ``listed_at``: when the
    reading of the supplier's listing began that held it last.
    """

    id = UUID(primary_key=True, default=None)
    slug = Varchar(160, unique=True)
    name = Varchar(200, index=True)
    platform = Varchar(64)
    region = Varchar(64)
    price = Numeric((12, 2))
    currency = Varchar(3)
    cost = Numeric((12, 2))
    stock = Integer(default=0)
    active = Boolean(default=True)
    supplier = Varchar(24, default="kinguin")
    supplier_product_id = Varchar(24, unique=True)
    text_keys = Boolean(default=True)
    fixed_price = Boolean(default=False)
    details = JSONB(default="{}")
    released_on = Varchar(10, default="")
    description = Text(default="")
    reference_cost = Numeric((12, 2), null=True, default=None)
    reference_at = Timestamptz(null=True, default=None)
    offered_cost = Numeric((12, 2), null=True, default=None)
    held_since = Timestamptz(null=True, default=None)
    listed_at = Timestamptz(null=True, default=None)
    created_at = Timestamptz(default=None)
    updated_at = Timestamptz(default=None)


class ExchangeRate(Table, tablename="exchange_rate"):
    """What one EUR was worth in ``currency`` on ``day``; ``fetched_at``: when the source last said so."""

    id = UUID(primary_key=True, default=None)
    currency = Varchar(3)
    day = Date(default=None)
    rate = Numeric((18, 8))
    fetched_at = Timestamptz(default=None)


class Discount(Table, tablename="discount"):
    """A code that takes ``percent`` off; at most ``max_uses`` orders, counted under the row's lock."""

    id = UUID(primary_key=True, default=None)
    code = Varchar(32, unique=True)
    percent = Numeric((5, 2))
    max_uses = Integer(null=True, default=None)
    used = Integer(default=0)
    expires_at = Timestamptz(null=True, default=None)


class CodeUse(Table, tablename="code_use"):
    """A discount or a credit that an order uses; ``released_at``: when it was given back, as the order came to nothing.

    ``amount``: what it took off the price.
    """

    order_id = UUID(primary_key=True, default=None)
    code = Varchar(32)
    amount = Numeric((12, 2))
    taken_at = Timestamptz(default=None)
    released_at = Timestamptz(null=True, default=None)


class Credit(Table, tablename="credit"):
    """Money kept for a customer's next order, where one could not be fulfilled. ``code`` is typed at checkout."""

    code = Varchar(32, primary_key=True, default="")
    email = Varchar(320, index=True)
    amount = Numeric((12, 2))
    currency = Varchar(3)
    from_order = UUID(default=None, unique=True)
    spent_on = UUID(null=True, default=None)
    created_at = Timestamptz(default=None)
    spent_at = Timestamptz(null=True, default=None)
