"""Keeping notices: raw, once each, together with the job that will apply them."""

import json
from collections.abc import Mapping
from uuid import UUID

from app.core import clock, db
from app.core.ids import new_id
from app.jobs import relay


async def keep(provider: str, dedupe: str, headers: Mapping[str, str], body: bytes, *, job: str) -> bool:
    """Store a genuine notice and post ``job`` for it, durably, in one statement. False when it is a repeat.

    One statement is one round trip and one commit: this is the busiest door of the house.
    """
    now = clock.now()
    notice_id, job_id = new_id(), new_id()
    kept = await db.fetch_value(
        """WITH kept AS (
             INSERT INTO inbound_webhook (id, provider, dedupe, headers, body, received_at, status)
             VALUES ($1, $2, $3, $4::jsonb, $5, $6, 'pending')
             ON CONFLICT (provider, dedupe) DO NOTHING RETURNING id)
           INSERT INTO job (id, name, queue, args, status, run_at, created_at)
           SELECT $7, $8, $9, $10::jsonb, 'pending', $6, $6 FROM kept RETURNING id""",
        notice_id, provider, dedupe[:200], json.dumps(dict(headers)), body, now,
        job_id, job, relay.queue_of(job), f'{{"notice_id": "{notice_id}"}}',
    )  # fmt: skip
    if kept is None:
        return False
    relay.send(job_id, job)
    return True


async def applied(notice_id: UUID, outcome: str) -> None:
    """Write down what a notice led to, in the transaction in which it did."""
    await db.fetch(
        "UPDATE inbound_webhook SET status = 'applied', outcome = $2, applied_at = $3 WHERE id = $1",
        notice_id, outcome, clock.now(),
    )  # fmt: skip
