"""``bitloot jobs``: dead letters, and sending them round again."""

import asyncio
import json
from uuid import uuid4

import pytest

from app.core import db
from app.queue import service as jobs
from tests.builders import rows


@pytest.fixture
async def dead(app) -> str:
    """A dead letter with two attempts behind it."""
    job_id = await jobs.post("maintenance.purge", {"of": "a test"})
    lease = await jobs.claim(job_id)
    await jobs.dead_letter(lease, "ProviderDown: out of order")
    await jobs.retry(job_id)
    await jobs.dead_letter(await jobs.claim(job_id), "ProviderDown: still out of order")
    return str(job_id)


async def test_dead_letters_are_listed_a_line_each(dead, bitloot) -> None:
    await jobs.post("maintenance.purge", {})
    done = await bitloot("jobs", "list")
    [line] = done.stdout.splitlines()
    assert done.returncode == 0
    assert line.split()[:4] == [dead, "maintenance.purge", "attempt", "2"]
    assert line.endswith("ProviderDown: still out of order")


async def test_other_states_and_limits_can_be_asked_for(app, bitloot) -> None:
    for number in range(3):
        await jobs.post("maintenance.purge", {"number": number})
    asked = (["pending", "--limit", "2"], ["failed"], ["nonsense"])
    two, none, refused = await asyncio.gather(*(bitloot("jobs", "list", "--status", *words) for words in asked))
    assert len(two.stdout.splitlines()) == 2
    assert none.stdout == ""
    assert refused.returncode == 2


async def test_one_job_is_shown_with_its_arguments_and_attempts(dead, bitloot) -> None:
    done = await bitloot("jobs", "show", dead)
    said = json.loads(done.stdout)
    assert (said["id"], said["status"], said["args"]) == (dead, "failed", {"of": "a test"})
    assert [(a["number"], a["error"]) for a in said["attempts"]] == [
        (1, "ProviderDown: out of order"),
        (2, "ProviderDown: still out of order"),
    ]


async def test_a_retry_sends_the_job_round_and_keeps_its_history(dead, bitloot) -> None:
    done = await bitloot("jobs", "retry", dead)
    assert (done.returncode, done.stdout) == (0, "Retried.\n")
    row = await db.fetch_one("SELECT status, attempt FROM job")
    assert tuple(row) == ("pending", 2)
    assert await db.fetch_value("SELECT count(*) FROM job_attempt WHERE outcome = 'failed'") == 2
    who = await db.fetch_value("SELECT error FROM job_attempt WHERE outcome = 'retried' ORDER BY id DESC LIMIT 1")
    assert who.endswith("at the command line")
    assert await db.fetch_value("SELECT count(*) FROM audit_line WHERE action = 'job.retried'") == 1


async def test_only_a_dead_letter_can_be_retried(dead, bitloot) -> None:
    await bitloot("jobs", "retry", dead)
    for done in await asyncio.gather(*(bitloot("jobs", "retry", job_id) for job_id in (dead, str(uuid4())))):
        assert done.returncode == 1
        assert "has not failed" in done.stderr
    assert await db.fetch_value("SELECT status FROM job") == "pending"


async def test_an_unknown_job_is_said(app, bitloot) -> None:
    unknown, malformed = await asyncio.gather(*(bitloot("jobs", "show", text) for text in (str(uuid4()), "x")))
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert "No such job" in unknown.stderr
    assert malformed.returncode == 2


@pytest.fixture
async def causes(app) -> list[str]:
    """Three dead letters of two causes."""
    errors = ["ProviderDown: kinguin.find: 503: busy", "ProviderDown: kinguin.find: 500: busy", "ZeroDivisionError"]
    found = []
    for number, error in enumerate(errors):
        job_id = await jobs.post("maintenance.purge", {"number": number})
        await jobs.dead_letter(await jobs.claim(job_id), error)
        found.append(str(job_id))
    return found


async def test_dead_letters_are_counted_by_cause(causes, bitloot) -> None:
    done = await bitloot("jobs", "list", "--dead", "--by-cause")
    lines = [[*line.split()[:2], line.split("  ")[-1]] for line in done.stdout.splitlines()]
    assert sorted(lines) == [
        ["1", "maintenance.purge", "ZeroDivisionError"],
        ["2", "maintenance.purge", "ProviderDown: kinguin.find: … busy"],
    ]


async def test_a_preview_says_what_each_would_do_and_changes_nothing(causes, bitloot) -> None:
    before = await rows()
    done = await bitloot("jobs", "preview", "--all")
    assert [line.split()[0] for line in done.stdout.splitlines()] == causes
    assert done.stdout.count("Deletes finished jobs") == 3
    assert await rows() == before


async def test_all_of_a_cause_or_some_or_all_are_sent_round(causes, bitloot) -> None:
    done = await bitloot("jobs", "retry", "--cause", "ProviderDown: kinguin.find: … busy")
    assert done.stdout == "2 retried.\n"
    assert await db.fetch_value("SELECT count(*) FROM job WHERE status = 'failed'") == 1
    done = await bitloot("jobs", "retry", "--all")
    assert done.stdout == "Retried.\n"
    assert await db.fetch_value("SELECT count(*) FROM job WHERE status = 'pending'") == 3


@pytest.mark.parametrize("words", [[], ["--all", "--cause", "x"]])
async def test_what_is_to_be_retried_must_be_said(causes, bitloot, words) -> None:
    before = await rows()
    done = await bitloot("jobs", "retry", *words)
    assert done.returncode == 2
    assert "--cause" in done.stderr
    assert await rows() == before
