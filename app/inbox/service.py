"""Keeping notices: raw, once each, together with the job that will apply them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from app.core import clock, db
from app.core.batch_writer import BatchWriter
from app.core.errors import NotFound
from app.core.ids import new_id
from app.inbox import queries
from app.queue import producer
from app.queue import service as jobs

APPLIED_BY = {  # provider → job
    "nowpayments": "payments.apply_notice",
    "kinguin": "fulfillment.apply_notice",
    "resend": "mail.apply_notice",
}


class NoSuchNotice(NotFound):
    title = "No such webhook"


@dataclass(frozen=True, slots=True)
class _Notice:
    id: UUID
    job_id: UUID
    provider: str
    dedupe: str
    headers: str
    body: bytes
    job: str


async def keep(provider: str, dedupe: str, headers: Mapping[str, str], body: bytes, *, job: str) -> bool:
    """Store a genuine notice and post ``job`` for it, durably. False when it is a repeat.

    This is the busiest door of the house: notices that come while one is being written share the next commit.
    """
    notice = _Notice(new_id(), new_id(), provider, dedupe[:200], json.dumps(dict(headers)), body, job)
    return await _together(notice)


async def _keep_all(notices: Sequence[_Notice]) -> list[bool]:
    now = clock.now()
    posted = await db.fetch_values(
        """WITH given AS (
             SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::jsonb[], $6::bytea[], $7::text[],
               $8::text[]) AS g (id, job_id, provider, dedupe, headers, body, job, queue)),
           kept AS (
             INSERT INTO inbound_webhook (id, provider, dedupe, headers, body, received_at, status)
             SELECT id, provider, dedupe, headers, body, $9, 'pending' FROM given
             ON CONFLICT (provider, dedupe) DO NOTHING RETURNING id)
           INSERT INTO job (id, name, queue, args, status, run_at, created_at)
           SELECT g.job_id, g.job, g.queue, jsonb_build_object('notice_id', g.id), 'pending', $9, $9
           FROM given g JOIN kept USING (id) RETURNING id""",
        [n.id for n in notices], [n.job_id for n in notices], [n.provider for n in notices],
        [n.dedupe for n in notices], [n.headers for n in notices], [n.body for n in notices],
        [n.job for n in notices], [producer.queue_of(n.job) for n in notices], now,
    )  # fmt: skip
    producer.send_all((n.job_id, n.job) for n in notices if n.job_id in posted)
    return [n.job_id in posted for n in notices]


_together = BatchWriter(_keep_all)


async def replay(notice_id: UUID) -> UUID:
    """Post a kept notice's job again; the id of that job, which may be one that waits already. Raises NoSuchNotice.

    Safe at any time: applying asks the provider, and moves only what may still move.
    """
    async with db.transaction():
        provider = await db.fetch_value("SELECT provider FROM inbound_webhook WHERE id = $1", notice_id)
        if provider not in APPLIED_BY:
            raise NoSuchNotice("It may have been deleted; the list shows what is kept.")
        dedupe = f"replay:{notice_id}"
        job_id = await jobs.post(APPLIED_BY[provider], {"notice_id": notice_id}, dedupe=dedupe)
        waiting = "SELECT id FROM job WHERE dedupe = $1 AND status = 'pending'"
        return UUID(str(job_id or await db.fetch_value(waiting, dedupe)))


async def applied(notice_id: UUID, outcome: str) -> None:
    """Write down what a notice led to, in the transaction in which it did. What it led to first is kept for good."""
    await db.fetch(
        """UPDATE inbound_webhook SET status = 'applied', applied_at = $3,
             outcome = CASE status WHEN 'applied' THEN split_part(outcome, $4, 1) || $4 || $2 ELSE $2 END
           WHERE id = $1""",
        notice_id, outcome, clock.now(), queries.REPLAYED,
    )  # fmt: skip
