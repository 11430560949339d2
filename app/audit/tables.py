"""Tables of this room."""

from piccolo.columns import UUID, BigInt, Bytea, Integer, Text, Timestamptz, Varchar
from piccolo.table import Table


class AuditLine(Table, tablename="audit_line"):
    """One line of the chain: ``digest`` covers the line and the ``previous`` digest. Append-only."""

    seq = BigInt(primary_key=True, default=0)
    at = Timestamptz(default=None)
    action = Varchar(32)
    order_id = UUID(null=True, default=None, index=True)
    key_id = UUID(null=True, default=None)
    actor = Varchar(340)
    ip = Varchar(45)
    user_agent = Text()
    details = Text(default="")
    previous = Bytea()
    digest = Bytea()


class AuditHead(Table, tablename="audit_head"):
    """The one row whose lock puts lines in order: the last number and digest."""

    id = Integer(primary_key=True, default=1)
    seq = BigInt(default=0)
    digest = Bytea()
