"""Tables of this room."""

from piccolo.columns import Integer, Timestamptz, Varchar
from piccolo.table import Table


class Breaker(Table, tablename="breaker"):
    """How a provider is doing. ``state`` is closed, open or half_open; ``probe_at``: when one call may try again.

    ``about``: the one piece of work that all failures in a row were about; empty where there were several.
    """

    provider = Varchar(16, primary_key=True, default="")
    state = Varchar(16, default="closed")
    failures = Integer(default=0)
    why = Varchar(200, default="")
    about = Varchar(64, default="")
    opened_at = Timestamptz(null=True, default=None)
    probe_at = Timestamptz(null=True, default=None)
    updated_at = Timestamptz(default=None)
