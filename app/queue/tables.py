"""Tables of this room."""

from piccolo.columns import JSONB, UUID, ForeignKey, Integer, Serial, Text, Timestamptz, Varchar
from piccolo.columns.base import OnDelete
from piccolo.table import Table


class Process(Table, tablename="process"):
    """A running worker, see ``worker_liveness``. ``seen_at``: its last sign of life, by Postgres' clock."""

    id = Integer(primary_key=True, default=None)
    role = Varchar(16)
    host = Varchar(64)
    pid = Integer()
    started_at = Timestamptz(default=None)
    seen_at = Timestamptz(default=None)


class Job(Table, tablename="job"):
    """One piece of work.

    ``uncounted_attempts``: those that don't count, made before a retry by hand or while a provider was away.
    ``dedupe`` keeps a second pending job of the same meaning away (partial unique index). ``holder`` is the worker
    that has it, see ``worker_liveness``. ``cause`` groups
    dead letters: an error without its ids and numbers.
    """

    id = UUID(primary_key=True, default=None)
    name = Varchar(64)
    queue = Varchar(32)
    dedupe = Varchar(160, null=True, default=None)
    args = JSONB(default="{}")
    subject = UUID(null=True, default=None, index=True)
    status = Varchar(16, default="pending")
    progress = Integer(default=0)
    attempt = Integer(default=0)
    uncounted_attempts = Integer(default=0)
    run_at = Timestamptz(default=None)
    lease_until = Timestamptz(null=True, default=None)
    holder = Integer(null=True, default=None)
    error = Text(null=True, default=None)
    cause = Varchar(120, null=True, default=None)
    created_at = Timestamptz(default=None)
    ended_at = Timestamptz(null=True, default=None)


class JobAttempt(Table, tablename="job_attempt"):
    """An attempt that did not end well; the good one is the job row itself."""

    id = Serial(primary_key=True)
    job_id = ForeignKey(Job, index=True, null=False, on_delete=OnDelete.restrict)
    number = Integer()
    ended_at = Timestamptz(default=None)
    outcome = Varchar(16)
    error = Text()


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
