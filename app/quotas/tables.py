"""Tables of this room."""

from piccolo.columns import Integer, Timestamptz, Varchar
from piccolo.table import Table


class QuotaWindow(Table, tablename="quota_window"):
    """How often something was done by or to somebody since ``starts_at``. ``key``: what, and a digest of whom."""

    key = Varchar(120, primary_key=True, default="")
    starts_at = Timestamptz(default=None, index=True)
    used = Integer(default=0)
