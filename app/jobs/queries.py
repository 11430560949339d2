"""Reading jobs: for status answers, the admin's lists and the metrics."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core import clock, db


async def status(job_id: UUID) -> dict[str, Any] | None:
    """``{jobId, status, progress, error, subject}``; the error is a person's words, not a traceback."""
    row = await db.fetch_one("SELECT id, status, progress, error, subject FROM job WHERE id = $1", job_id)
    if row is None:
        return None
    return {
        "jobId": str(row["id"]),
        "status": row["status"],
        "progress": row["progress"],
        "error": row["error"],
        "subject": row["subject"],
    }


async def latest_for(subject: UUID, name: str) -> dict[str, Any] | None:
    row = await db.fetch_one(
        "SELECT id, status, error FROM job WHERE subject = $1 AND name = $2 ORDER BY created_at DESC LIMIT 1",
        subject, name,
    )  # fmt: skip
    return dict(row) if row else None


async def dead_for(subject: UUID) -> list[str]:
    """Names of the subject's dead letters: work that now waits for a person."""
    rows = await db.fetch("SELECT name FROM job WHERE subject = $1 AND status = 'failed'", subject)
    return [row["name"] for row in rows]


async def page(*, status: str | None, limit: int, offset: int) -> list[dict[str, Any]]:
    rows = await db.fetch(
        """SELECT id, name, status, attempt, run_at, error, subject, created_at, ended_at FROM job
           WHERE $1::text IS NULL OR status = $1 ORDER BY created_at DESC LIMIT $2 OFFSET $3""",
        status, limit, offset,
    )  # fmt: skip
    return [dict(row) for row in rows]


async def of_subject(subject: UUID) -> list[dict[str, Any]]:
    rows = await db.fetch("SELECT * FROM job WHERE subject = $1 ORDER BY created_at", subject)
    return [dict(row) for row in rows]


async def one(job_id: UUID) -> dict[str, Any] | None:
    """A job with all its attempts and its arguments as a dict."""
    row = await db.fetch_one("SELECT * FROM job WHERE id = $1", job_id)
    if row is None:
        return None
    attempts = await db.fetch(
        "SELECT number, ended_at, outcome, error FROM job_attempt WHERE job_id = $1 ORDER BY number, id",
        job_id,
    )
    return dict(row) | {"args": json.loads(row["args"]), "attempts": [dict(a) for a in attempts]}


async def counts() -> dict[str, int]:
    rows = await db.fetch("SELECT status, count(*) AS n FROM job GROUP BY status")
    return {row["status"]: row["n"] for row in rows}


async def oldest_due() -> float:
    """How many seconds the oldest due job has been waiting; 0 when none is."""
    found: datetime | None = await db.fetch_value(
        "SELECT min(run_at) FROM job WHERE status = 'pending' AND run_at <= $1", clock.now()
    )
    return (clock.now() - found).total_seconds() if found else 0.0
