"""Tables of this room."""

from piccolo.columns import JSONB, UUID, BigInt, Bytea, Text, Timestamptz, Varchar
from piccolo.table import Table


class InboundWebhook(Table, tablename="inbound_webhook"):
    """One genuine notice. ``dedupe`` is unique per provider, so a repeat leaves no second row."""

    id = UUID(primary_key=True, default=None)
    provider = Varchar(16)
    dedupe = Varchar(200)
    headers = JSONB(default="{}")
    body = Bytea()
    received_at = Timestamptz(default=None, index=True)
    status = Varchar(16, default="pending")
    outcome = Text(null=True, default=None)
    applied_at = Timestamptz(null=True, default=None)


class RefusedNotice(Table, tablename="refused_notice"):
    """Posts that were not genuine, counted per provider, reason and hour, with one capped sample each.

    ``id`` is ``provider:reason:hour``, so a flood adds to a count and never a row.
    """

    id = Varchar(120, primary_key=True, default="")
    provider = Varchar(16)
    reason = Varchar(64)
    posts = BigInt(default=0)
    sample_headers = JSONB(default="{}")
    sample_body = Bytea()
    sample_ip = Varchar(45, default="")
    first_at = Timestamptz(default=None)
    last_at = Timestamptz(default=None, index=True)
