"""Six bugs to be planted, each of which comparable shops have had: the simulation must find every one of them.

They replace functions of the shop from outside, here and nowhere else; production code knows nothing of them.
"""

import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from datetime import timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from app.audit import service as audit
from app.core import clock, db
from app.core.db import encode
from app.core.ids import new_id
from app.core.state_machine import Moves
from app.keys import reveal as keys
from app.keys.reveal import Revealed, Visitor
from app.ledger import uses
from app.orders.states import MOVES as ORDER_MOVES
from app.payments.states import MOVES as PAYMENT_MOVES
from app.providers.object_store import ObjectStore
from app.queue import producer, worker_liveness
from app.queue import service as jobs
from app.queue.models import ClaimedJob
from app.queue.service import Lease
from dev.simulation.world import World

INSERT = """INSERT INTO job (id, name, queue, dedupe, args, subject, status, run_at, created_at)
  VALUES ($1, $2, $3, $4, $5::jsonb, $6, 'pending', $7, $7)
  ON CONFLICT (dedupe) WHERE status = 'pending' AND dedupe IS NOT NULL DO NOTHING"""


def early_message(world: World) -> None:
    """The message leaves before the commit, and the job's row is written after it, in a transaction of its own."""
    rows: ContextVar[list[tuple[Any, ...]] | None] = ContextVar("rows", default=None)
    begin = db.transaction

    @asynccontextmanager
    async def transaction() -> AsyncIterator[None]:
        if rows.get() is not None:
            yield
            return
        late: list[tuple[Any, ...]] = []
        token = rows.set(late)
        try:
            async with begin():
                yield
        finally:
            rows.reset(token)
        for row in late:
            await db.fetch(INSERT, *row)

    async def post(
        name: str, args: Mapping[str, Any], *, subject: UUID | None = None, dedupe: str | None = None,
        wait: timedelta | None = None,
    ) -> UUID | None:  # fmt: skip
        job_id, due = new_id(), clock.now() + (wait or timedelta())
        world.queue.add(None, producer.message_for(job_id, name), None)
        row = (job_id, name, producer.queue_of(name), dedupe, encode(args), subject, due)
        late = rows.get()
        if late is None:
            await db.fetch(INSERT, *row)
        else:
            late.append(row)
        return job_id

    db.transaction, jobs.post = transaction, post


def no_lease(world: World) -> None:
    """A message is a right to work, whoever has the job already; and whoever is ready ends it."""

    async def claim(job_id: UUID) -> Lease | None:
        now = clock.now()
        row = await db.fetch_one_as(
            ClaimedJob,
            """UPDATE job SET status = 'processing', attempt = attempt + 1, lease_until = $2, holder = $4
               WHERE id = $1 AND status IN ('pending', 'processing') AND run_at <= $3
               RETURNING id, name, args, subject, attempt, uncounted_attempts, created_at""",
            job_id, now + jobs.LEASE, now + jobs.EARLY, worker_liveness.holder(),
        )  # fmt: skip
        return jobs._lease(row) if row else None

    async def complete(lease: Lease) -> None:
        await db.fetch(
            "UPDATE job SET status = 'completed', progress = 100, lease_until = NULL, ended_at = $2 WHERE id = $1",
            lease.id, clock.now(),
        )  # fmt: skip

    jobs.claim, jobs._complete = claim, complete


def no_look(world: World) -> None:
    """It buys without asking the supplier whether it has bought before."""

    async def nothing(external_id: str) -> None:
        return None

    world.kit.kinguin.find = nothing  # type: ignore[method-assign]


def no_rank(world: World) -> None:
    """Whatever is said last is believed, however old it is."""

    def every(target: StrEnum) -> list[StrEnum]:
        return list(type(target))

    tables: tuple[Moves[Any], ...] = (PAYMENT_MOVES, ORDER_MOVES)
    for table in tables:
        table.allows = lambda source, target: True  # type: ignore[method-assign]
        table.sources = every  # type: ignore[method-assign]


def open_reveal(world: World) -> None:
    """A key is marked revealed in one transaction, and the audit log is written in the next."""
    lines: ContextVar[list[tuple[str, dict[str, Any]]] | None] = ContextVar("lines", default=None)
    reveal, write = keys._reveal, audit.write

    async def aside(action: str, **line: Any) -> None:
        kept = lines.get()
        await write(action, **line) if kept is None else kept.append((action, line))

    async def revealed(
        order_id: UUID, item_id: UUID, visitor: Visitor, store: ObjectStore, staff_reason: str | None
    ) -> list[Revealed]:
        kept: list[tuple[str, dict[str, Any]]] = []
        token = lines.set(kept)
        try:
            shown = await reveal(order_id, item_id, visitor, store, staff_reason)
        finally:
            lines.reset(token)
        for action, line in kept:
            await write(action, **line)
        return shown

    audit.write, keys._reveal = aside, revealed


def two_uses(world: World) -> None:
    """Each choice looks at its own kind alone: a credit knows nothing of refunds, nor a refund of credits."""
    uses.GUARDED = re.sub(r"WHERE \$5::numeric > 0.*RETURNING", "WHERE true RETURNING", uses.GUARDED, flags=re.S)
    uses._FUNDS = uses._FUNDS.replace("kind IN ('refund', 'credit')", "kind = 'credit'")


MUTANTS: dict[str, Callable[[World], None]] = {
    "early-message": early_message,
    "no-lease": no_lease,
    "no-look": no_look,
    "no-rank": no_rank,
    "open-reveal": open_reveal,
    "two-uses": two_uses,
}


def apply(name: str, world: World) -> None:
    """Plant the bug of this name, if one is named."""
    if name:
        MUTANTS[name](world)
