"""All that a town keeps or has said, as bytes: what an intruder, a backup or a log collector gets to see."""

import asyncio
import io
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import redis

from tests.town import Town

STRANGERS = {"sandbox", "sandbox.log"}  # the outside world's own books and words
TABLES = """SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
            WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1"""


def setting(town: Town, name: str) -> str:
    lines = (town.var / "stack.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)[name]


@asynccontextmanager
async def inside(town: Town) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(setting(town, "DATABASE_URL"))
    try:
        yield connection
    finally:
        await connection.close()


def redis_of(town: Town) -> redis.Redis:
    return redis.Redis.from_url(setting(town, "REDIS_URL"))


async def database(town: Town) -> dict[str, bytes]:
    """Every table twice: as text, and as the bytes of its values (bytea is hex in the one and itself in the other)."""
    found: dict[str, bytes] = {}
    async with inside(town) as connection:
        for row in await connection.fetch(TABLES):
            for kind in ("text", "binary"):
                out = io.BytesIO()
                await connection.copy_from_query(f"SELECT * FROM {row['name']}", output=out, format=kind)
                found[f"{row['name']} as {kind}"] = out.getvalue()
    return found


def cache(town: Town) -> dict[str, bytes]:
    """Every key of Redis with its value, and what it writes to disk."""
    client = redis_of(town)
    found = {f"redis {key!r}": key + b" " + (client.dump(key) or b"") for key in client.keys("*")}
    client.save()
    dump = town.var / "dump.rdb"
    found["redis on disk"] = dump.read_bytes()
    dump.unlink()  # or Redis, started again, would begin with it
    return found


def files(folder: Path) -> dict[str, bytes]:
    """Every file below the folder: blobs, logs of every process, Postgres' own files with its write-ahead log."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in _files(folder)}


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        parts = set(path.relative_to(folder).parts)
        if path.is_file() and not path.is_symlink() and not parts & STRANGERS:
            yield path


async def said(town: Town, *pages: str, **headers: str) -> dict[str, bytes]:
    """What the shop answers to everybody: its figures, its health, and these pages."""
    found = {}
    for path in ("/metrics", "/health", "/", *pages):
        answer = await town.http.get(path, headers=headers)
        found[f"GET {path}"] = str(answer.headers).encode() + answer.content
    return found


async def letters(town: Town) -> dict[str, bytes]:
    answer = await town.box.http.get("/sandbox/api/mail")
    return {f"letter {number}": str(letter).encode() for number, letter in enumerate(answer.json())}


async def everything(town: Town) -> dict[str, bytes]:
    found = await database(town) | await asyncio.to_thread(cache, town)
    return found | await asyncio.to_thread(files, town.var) | await letters(town)
