"""What this room's queries return."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from app.queue.states import JobStatus


class JobProgress(msgspec.Struct, frozen=True):
    """How far a job is; ``error`` is a person's words, not a traceback."""

    id: UUID
    status: JobStatus
    progress: int
    error: str | None
    subject: UUID | None


class ClaimedJob(msgspec.Struct, frozen=True):
    """A job as whoever works on it needs it."""

    id: UUID
    name: str
    args: dict[str, Any]
    subject: UUID | None
    attempt: int
    uncounted_attempts: int
    created_at: datetime


class SameWork(msgspec.Struct, frozen=True):
    """An older dead letter of the same work, and how many attempts it had."""

    id: UUID
    attempt: int


class SentJob(msgspec.Struct, frozen=True):
    """A job as its message names it."""

    id: UUID
    name: str
    attempt: int


class ListedJob(msgspec.Struct, frozen=True):
    """A job as a line of a list; see ``tables.Job``."""

    id: UUID
    name: str
    status: JobStatus
    attempt: int
    run_at: datetime
    error: str | None
    subject: UUID | None
    created_at: datetime
    ended_at: datetime | None


class DeadLetter(ListedJob, frozen=True):
    """A job that has failed for good, with its arguments and what groups it with others."""

    args: dict[str, Any]
    cause: str | None


class AttemptLine(msgspec.Struct, frozen=True):
    """An attempt that did not end well, or, of outcome ``retried``, who sent the job round again."""

    number: int
    ended_at: datetime
    outcome: str
    error: str


class Job(DeadLetter, frozen=True):
    """A job's whole row; see ``tables.Job``."""

    queue: str
    dedupe: str | None
    progress: int
    uncounted_attempts: int
    lease_until: datetime | None
    holder: int | None


class JobHistory(Job, frozen=True):
    """A job with its failed attempts and its retries by hand."""

    attempts: list[AttemptLine]
    retries: list[AttemptLine]


class DeadGroup(msgspec.Struct, frozen=True):
    """Dead letters of one name that died of the same ``cause``, empty where none is known."""

    name: str
    cause: str
    count: int
    oldest: datetime
    newest: datetime
