"""Tables of this room."""

from piccolo.columns import JSONB, UUID, Boolean, Bytea, ForeignKey, Integer, Serial, Text, Timestamptz, Varchar
from piccolo.columns.base import OnDelete
from piccolo.table import Table

from app.merchants.tables import Merchant, MerchantEvent


class Endpoint(Table, tablename="endpoint"):
    """A merchant's webhook URL. ``types``: the events it wants, all where empty. Secrets are sealed (``secrets``).
    ``older_secrets``: those before ``old_secret`` whose overlap is not over, the newest first, as ``{sealed, until}``.

    While ``disabled_at`` stands nothing is sent, and what happens is kept for it. ``failing_since``: the first failure
    since it last answered well; ``failures``: how many since then.
    """

    id = UUID(primary_key=True, default=None)
    merchant_id = ForeignKey(Merchant, index=True, null=False, on_delete=OnDelete.restrict)
    test = Boolean()
    url = Varchar(2000)
    name = Varchar(100, default="")
    types = JSONB(default="[]")
    secret = Bytea()
    old_secret = Bytea(null=True, default=None)
    old_until = Timestamptz(null=True, default=None)
    older_secrets = JSONB(default="[]")
    failing_since = Timestamptz(null=True, default=None)
    failures = Integer(default=0)
    succeeded_at = Timestamptz(null=True, default=None)
    disabled_at = Timestamptz(null=True, default=None)
    disabled_why = Varchar(200, null=True, default=None)
    deleted_at = Timestamptz(null=True, default=None)
    created_at = Timestamptz(default=None)


class Delivery(Table, tablename="delivery"):
    """One event's way to one endpoint. ``next_at``: when to try; none while there is nothing to try.

    ``lease_until``: somebody is trying now. ``attempts`` counts those of this round; a retry by hand begins another.
    """

    id = UUID(primary_key=True, default=None)
    endpoint_id = ForeignKey(Endpoint, null=False, on_delete=OnDelete.restrict)
    event_id = ForeignKey(MerchantEvent, index=True, null=False, on_delete=OnDelete.restrict)
    status = Varchar(16, default="pending")
    attempts = Integer(default=0)
    next_at = Timestamptz(null=True, default=None)
    lease_until = Timestamptz(null=True, default=None)
    created_at = Timestamptz(default=None)
    ended_at = Timestamptz(null=True, default=None)


class DeliveryAttempt(Table, tablename="delivery_attempt"):
    """One request and what came back. ``outcome``: delivered, or why not in a word; ``response``: its first bytes."""

    id = Serial(primary_key=True)
    delivery_id = ForeignKey(Delivery, index=True, null=False, on_delete=OnDelete.restrict)
    number = Integer()
    at = Timestamptz(default=None)
    ms = Integer()
    outcome = Varchar(32)
    status = Integer(null=True, default=None)
    address = Varchar(64, null=True, default=None)
    headers = JSONB(default="{}")
    response = Text(default="")
    error = Varchar(300, null=True, default=None)
