"""Tables of this room."""

from piccolo.columns import JSONB, UUID, Text, Timestamptz, Varchar
from piccolo.table import Table


class Mail(Table, tablename="mail"):
    """One letter and what became of it; ``context`` is all that its template sees."""

    id = UUID(primary_key=True, default=None)
    subject = UUID(null=True, default=None, index=True)
    kind = Varchar(32)
    recipient = Varchar(320)
    context = JSONB(default="{}")
    status = Varchar(16, default="pending")
    provider_id = Varchar(64, null=True, default=None)
    error = Text(null=True, default=None)
    created_at = Timestamptz(default=None, index=True)
    sent_at = Timestamptz(null=True, default=None)
