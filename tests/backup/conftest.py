"""A second, empty database beside the first, a folder for its objects, and the keys of backups."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from app.backup.sealed import BackupKeys
from app.core.settings import settings
from app.providers.storage import LocalStore
from tests.providers.conftest import s3_bucket as s3_bucket
from tests.providers.conftest import s3_server as s3_server


@pytest.fixture
def live() -> str:
    return settings().database_url.get_secret_value()


@pytest.fixture
async def scratch(live: str) -> AsyncIterator[str]:
    """The URL of a database without any tables."""
    name, admin = f"scratch_{uuid4().hex}", await asyncpg.connect(live)
    await admin.execute(f"CREATE DATABASE {name}")
    try:
        yield live.replace("/postgres?", f"/{name}?")
    finally:
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()


@pytest.fixture
def elsewhere(tmp_path: Path) -> LocalStore:
    """An empty store."""
    return LocalStore(tmp_path / "elsewhere", "a secret of these tests", "http://127.0.0.1")


@pytest.fixture
def keys() -> BackupKeys:
    return BackupKeys.of(settings())


async def rows_at(url: str) -> dict[str, list[str]]:
    """Every table of a database with its rows as text, sorted."""
    db = await asyncpg.connect(url)
    try:
        named = await db.fetch("SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
        return {
            row["name"]: [r[0] for r in await db.fetch(f'SELECT t::text FROM "{row["name"]}" t ORDER BY 1')]
            for row in named
            if row["name"] != "migration"
        }
    finally:
        await db.close()


def objects_of(store: Any) -> dict[str, bytes]:
    """Everything in a local store, by name."""
    folder = store._folder
    found = (path for path in folder.rglob("*") if path.is_file()) if folder.exists() else ()
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}
