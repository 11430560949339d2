"""What a database of this app consists of, read from Postgres' own catalogs."""

import asyncio
import os
import subprocess
import sys
from graphlib import TopologicalSorter

import asyncpg

from app.backup.contents import Table
from app.backup.sealed import BackupRefused

LEDGER_OF_MIGRATIONS = "migration"  # Piccolo's own table: compared, not copied
SEEDED = ("audit_head", "process")  # tables in which migrations themselves, or running workers, leave rows


async def tables(db: asyncpg.Connection) -> list[Table]:
    """Every table of ours, each behind those that its foreign keys point to."""
    rows = await db.fetch(
        """SELECT c.relname AS name, array_agg(a.attname::text ORDER BY a.attname) AS columns,
             array_agg(format_type(a.atttypid, a.atttypmod) ORDER BY a.attname) AS types
           FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
           WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname <> $1
             AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' GROUP BY c.relname""",
        LEDGER_OF_MIGRATIONS,
    )
    found = {name: Table(name, list(zip(columns, types, strict=True))) for name, columns, types in rows}
    keys = await db.fetch(
        """SELECT child.relname AS child, parent.relname AS parent FROM pg_constraint k
           JOIN pg_class child ON child.oid = k.conrelid JOIN pg_class parent ON parent.oid = k.confrelid
           WHERE k.contype = 'f' AND k.connamespace = 'public'::regnamespace AND k.conrelid <> k.confrelid"""
    )
    graph: dict[str, set[str]] = {name: set() for name in sorted(found)}
    for child, parent in keys:
        graph[child].add(parent)
    return [found[name] for name in TopologicalSorter(graph).static_order()]


async def sequences(db: asyncpg.Connection) -> dict[str, int]:
    """The last number each sequence has given out; those that gave none are left out."""
    rows = await db.fetch(
        """SELECT sequencename AS name, last_value FROM pg_sequences
           WHERE schemaname = 'public' AND last_value IS NOT NULL AND sequencename NOT LIKE $1""",
        f"{LEDGER_OF_MIGRATIONS}%",
    )
    return dict(rows)


async def migrations(db: asyncpg.Connection) -> list[str]:
    """The ids of the migrations that have run, in their order; none in a database without tables."""
    if await db.fetchval("SELECT to_regclass('public.migration')") is None:
        return []
    return [row[0] for row in await db.fetch("SELECT name FROM migration WHERE app_name = 'bitloot' ORDER BY 1")]


async def occupied(db: asyncpg.Connection, given: list[Table]) -> list[str]:
    """Which of these tables hold rows that somebody else than a migration has put there."""
    names = [table.name for table in given if table.name not in SEEDED]
    return [n for n in names if await db.fetchval(f'SELECT EXISTS (SELECT FROM "{n}")')]  # noqa: S608 - a table's name


async def migrate(url: str, to: str = "all") -> None:
    """Run the migrations of another database than this process's own, up to that id. Raises BackupRefused."""
    command = [sys.executable, "-m", "app.cli", "migrate", "--to", to]
    env = os.environ | {"DATABASE_URL": url, "PICCOLO_CONF": "piccolo_conf"}
    done = await asyncio.to_thread(subprocess.run, command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        words = (done.stdout + done.stderr).strip().splitlines()[-1:] or ["it said nothing"]
        raise BackupRefused(f"The tables could not be made: {words[0]}")
