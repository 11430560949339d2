"""Tables of this room."""

from piccolo.columns import JSONB, UUID, BigSerial, Integer, Timestamptz, Varchar
from piccolo.table import Table


class Timeline(Table, tablename="timeline"):
    """One subject's counter. Its row lock puts the events of a subject in commit order."""

    subject = UUID(primary_key=True, default=None)
    last_seq = Integer(default=0)


class Event(Table, tablename="event"):
    """One line of a timeline. ``kind`` is in the past tense, such as ``payment.confirmed``."""

    id = BigSerial(primary_key=True)
    subject = UUID(default=None)
    seq = Integer()
    kind = Varchar(64)
    data = JSONB(default="{}")
    at = Timestamptz(default=None, index=True)
