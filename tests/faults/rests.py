"""All that a shop keeps or has said, as bytes: what an intruder, a backup or a log collector gets to see."""

import asyncio
import io
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import redis

from dev.up_environment import UpEnvironment

STRANGERS = {"sandbox", "sandbox.log"}  # the outside world's own books and words
TABLES = """SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
            WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1"""


def setting(env: UpEnvironment, name: str) -> str:
    lines = (env.var / "stack.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)[name]


@asynccontextmanager
async def inside(env: UpEnvironment) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(setting(env, "DATABASE_URL"))
    try:
        yield connection
    finally:
        await connection.close()


def redis_of(env: UpEnvironment) -> redis.Redis:
    return redis.Redis.from_url(setting(env, "REDIS_URL"))


async def database(env: UpEnvironment) -> dict[str, bytes]:
    """Every table twice: as text, and as the bytes of its values (bytea is hex in the one and itself in the other)."""
    found: dict[str, bytes] = {}
    async with inside(env) as connection:
        for row in await connection.fetch(TABLES):
            for kind in ("text", "binary"):
                out = io.BytesIO()
                await connection.copy_from_query(f"SELECT * FROM {row['name']}", output=out, format=kind)
                found[f"{row['name']} as {kind}"] = out.getvalue()
    return found


def cache(env: UpEnvironment) -> dict[str, bytes]:
    """Every key of Redis with its value, and what it writes to disk."""
    client = redis_of(env)
    found = {f"redis {key!r}": key + b" " + (client.dump(key) or b"") for key in client.keys("*")}
    client.save()
    dump = env.var / "dump.rdb"
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


async def said(env: UpEnvironment, *pages: str, **headers: str) -> dict[str, bytes]:
    """What the shop answers to everybody: its figures, its health, and these pages."""
    found = {}
    for path in ("/metrics", "/health", "/", *pages):
        answer = await env.http.get(path, headers=headers)
        found[f"GET {path}"] = str(answer.headers).encode() + answer.content
    return found


async def letters(env: UpEnvironment) -> dict[str, bytes]:
    answer = await env.box.http.get("/sandbox/api/mail")
    return {f"letter {number}": str(letter).encode() for number, letter in enumerate(answer.json())}


async def everything(env: UpEnvironment) -> dict[str, bytes]:
    found = await database(env) | await asyncio.to_thread(cache, env)
    return found | await asyncio.to_thread(files, env.var) | await letters(env)
