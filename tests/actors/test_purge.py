"""What is old is deleted whole, batch by batch, however much of it there is."""

import ast
import re
from typing import Any

import pytest

from actors.maintenance import SWEEPS
from app.core import db
from app.forms import service as forms
from app.queue.purge import sweep
from app.quotas import service as quotas
from tests.builders import count, job_names
from tests.house.source import modules

MANY = 12_001  # of which a batch is 5,000


async def pile_up() -> None:
    for sql in (
        "INSERT INTO quota_window (key, starts_at, used) SELECT 'x:' || n, now() - interval '2 days', 1",
        "INSERT INTO form_submission (id, claimed_at) SELECT 'f' || n, now() - interval '2 days'",
        """INSERT INTO job (id, name, queue, args, status, run_at, created_at, ended_at) SELECT gen_random_uuid(),
             'floor.nothing', 'mail', '{}', 'completed', now(), now(), now() - interval '31 days'""",
        """INSERT INTO login_session (id, role, email, created_at, last_seen_at, expires_at) SELECT gen_random_uuid(),
             'customer', 'a@b.test', now(), now(), now() - interval '31 days'""",
        "INSERT INTO ended_browser (id, ended_at) SELECT gen_random_uuid(), now() - interval '400 days'",
    ):
        await db.fetch(f"{sql} FROM generate_series(1, {MANY}) n")


async def test_one_tidying_deletes_all_that_is_old_and_nothing_else(app, drain) -> None:
    await pile_up()
    await forms.claim("of today")
    await quotas.take("of today", "ann", 1, quotas.LONGEST)
    assert await sweep(SWEEPS)
    left = {name: await count(name) for name in ("quota_window", "form_submission", "login_session", "ended_browser")}
    assert left == {"quota_window": 1, "form_submission": 1, "login_session": 0, "ended_browser": 0}
    assert await count("job") == 0


async def test_a_tidying_that_runs_out_of_time_goes_on_in_the_next_job_and_every_table_had_its_turn(app, drain) -> None:
    await pile_up()
    assert not await sweep(SWEEPS, room=0)
    assert await count("quota_window") == await count("form_submission") == MANY - 5000
    await db.fetch(
        "INSERT INTO job (id, name, queue, args, status, run_at, created_at) VALUES "
        "(gen_random_uuid(), 'maintenance.purge', 'mail', '{}', 'pending', now(), now())"
    )
    await drain()
    assert await count("quota_window") == await count("form_submission") == 0
    assert await job_names("completed") == ["maintenance.purge"]


def test_a_batch_is_deleted_by_its_keys_even_where_postgres_believes_the_table_to_be_empty() -> None:
    """Its own plan for ``IN (SELECT …)`` on such a table compares every row with every other."""
    found = []
    for name, tree in modules("app", "actors"):
        for node in ast.walk(tree):
            text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
            if re.search(r"DELETE\s[^;]*\sIN\s*\(\s*SELECT", text):
                found.append(f"{name}: {text.strip()[:80]}")
    assert found == []


@pytest.mark.parametrize(
    ("index", "sql"),
    [
        ("quota_window_starts_at",
         "SELECT key FROM quota_window WHERE starts_at < now() ORDER BY starts_at LIMIT 5000"),
        ("job_done", "SELECT id FROM job WHERE status = 'completed' AND ended_at < now() ORDER BY ended_at LIMIT 5000"),
        ("form_submission_claimed_at",
         "SELECT id FROM form_submission WHERE claimed_at < now() ORDER BY claimed_at LIMIT 5000"),
        ("idempotency_record_created_at", "SELECT id FROM idempotency_record WHERE created_at < now() LIMIT 5000"),
        ("merchant_event_created_at", "SELECT id FROM merchant_event WHERE created_at < now() LIMIT 2000"),
        ("refused_notice_last_at", "SELECT id FROM refused_notice WHERE last_at < now() LIMIT 5000"),
        ("login_session_over",
         "SELECT id FROM login_session WHERE least(revoked_at, expires_at) < now() LIMIT 5000"),
        ("ended_browser_at", "SELECT id FROM ended_browser WHERE ended_at < now() LIMIT 5000"),
    ],
)  # fmt: skip
async def test_what_is_swept_by_its_age_is_found_by_an_index(app: Any, index: str, sql: str) -> None:
    async with db.transaction():
        await db.fetch("SET LOCAL enable_seqscan = off")
        plan = "\n".join(row[0] for row in await db.fetch(f"EXPLAIN {sql}"))
    assert index in plan
