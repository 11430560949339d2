"""Tables of this room."""

from piccolo.columns import UUID, Text, Timestamptz, Varchar
from piccolo.table import Table


class Issue(Table, tablename="issue"):
    """One matter that waits for a person.

    ``subject``: what it is about, as ``kind:id`` or a bare word (``order:…``, ``mail``). ``code``: which matter, see
    ``codes``. ``detail``: the facts in plain words. Open while ``resolved_at`` is null; ``resolved_by``: ``system``
    when its reason went away by itself, else the person, who may leave a ``note``. ``said_at``: when it was last said
    that it stands.
    At most one row per (subject, code) is open.
    """

    id = UUID(primary_key=True, default=None)
    subject = Varchar(160)
    code = Varchar(64)
    detail = Text(default="")
    opened_at = Timestamptz(default=None)
    resolved_at = Timestamptz(null=True, default=None)
    resolved_by = Varchar(320, null=True, default=None)
    said_at = Timestamptz(null=True, default=None)
    note = Varchar(500, null=True, default=None)
