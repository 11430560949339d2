"""Tables of this room."""

from piccolo.columns import JSONB, UUID, Bytea, Text, Timestamptz, Varchar
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
