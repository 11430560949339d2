"""The drill: a backup counts once it has been restored into a scratch shop and has proven itself there."""

from pathlib import Path
from typing import Any

import psutil
import pytest

from app.audit import service as audit
from app.backup import taking
from app.backup.drill import Drilled, drill, newest
from app.backup.sealed import BackupKeys, BackupRefused
from app.core import db
from app.core.settings import settings
from dev import embedded
from dev.environment import alive
from tests.backup.conftest import objects_of, rows_at
from tests.builders import delivered, offered

PROOFS = ["rows", "migrations", "ledger", "audit", "objects", "canary"]


@pytest.fixture
async def shop(app: Any, box: Any) -> Any:
    await delivered(app.state.kit, box, 2)
    await offered(app.state.kit)
    return app.state.kit


@pytest.fixture
def drilled(shop: Any, tmp_path: Path, live: str, scratch: str, keys: BackupKeys) -> Any:
    """Takes a backup, drills with it in the scratch database, and gives what came of it."""

    async def run() -> Drilled:
        path = tmp_path / "shop.backup"
        await taking.take(path, url=live, store=shop.store, keys=keys)
        return await drill(path, folder=tmp_path / "drill", url=scratch, s=settings())

    return run


def said(done: Drilled) -> dict[str, tuple[bool, str]]:
    return {finding.name: (finding.holds, finding.said) for finding in done.findings}


async def test_a_good_backup_passes_every_proof_with_figures_and_touches_nothing_of_the_live_shop(
    drilled, shop, live
) -> None:
    before, objects = await rows_at(live), objects_of(shop.store)
    done = await drilled()
    assert [finding.name for finding in done.findings] == PROOFS
    assert done.passed, done
    found = said(done)
    assert f"{sum(map(len, before.values()))} rows in {len(before)} tables" in found["rows"][1]
    assert "2 stored keys" in found["objects"][1]
    assert "opens with master key test1" in found["canary"][1]
    assert (await rows_at(live), objects_of(shop.store)) == (before, objects)


async def test_no_key_and_no_secret_is_said(drilled, box) -> None:
    words = str(await drilled())
    sold = (await box.http.get("/sandbox/api/orders?keys=1")).json()
    serials = [key["serial"] for order in sold for key in order["keys"]]
    assert len(serials) == 2
    assert not [secret for secret in (*serials, settings().master_keys.get_secret_value()) if secret in words]


async def test_a_lost_object_fails_the_drill(drilled, shop) -> None:
    await shop.store.delete(
        await db.fetch_value("SELECT blob FROM sealed_key ORDER BY created_at DESC, id DESC LIMIT 1")
    )
    done = await drilled()
    assert not done.passed
    assert not said(done)["objects"][0]
    assert not said(done)["canary"][0]
    assert said(done)["rows"][0]


async def test_a_key_that_does_not_open_fails_the_drill(drilled) -> None:
    await db.fetch("UPDATE order_data_key SET wrapped = set_byte(wrapped, 20, get_byte(wrapped, 20) # 1)")
    done = await drilled()
    assert [name for name, (holds, _) in said(done).items() if not holds] == ["canary"]
    assert "does not open" in said(done)["canary"][1]


async def test_books_that_are_a_cent_off_fail_the_drill(drilled) -> None:
    changed = (
        "UPDATE ledger_entry SET amount = amount + 0.01 WHERE id = (SELECT min(id) FROM ledger_entry) RETURNING id"
    )
    assert await db.fetch_value(changed)
    done = await drilled()
    assert [name for name, (holds, _) in said(done).items() if not holds] == ["ledger"]


async def test_an_edited_audit_line_fails_the_drill(drilled, shop) -> None:
    async with db.transaction():
        await audit.write("test.done", actor="a test")
        await audit.write("test.done", actor="a test")
    await db.fetch("UPDATE audit_line SET actor = 'somebody else' WHERE seq = 1")
    done = await drilled()
    assert [name for name, (holds, _) in said(done).items() if not holds] == ["audit"]


async def test_the_live_database_is_never_drilled_in(shop, tmp_path, live, keys) -> None:
    path = tmp_path / "shop.backup"
    await taking.take(path, url=live, store=shop.store, keys=keys)
    before = await rows_at(live)
    with pytest.raises(BackupRefused, match="live database"):
        await drill(path, folder=tmp_path, url=live, s=settings())
    assert await rows_at(live) == before


def test_the_newest_backup_is_found(tmp_path) -> None:
    assert newest(tmp_path / "none") is None
    for name in ("a.backup", "b.backup", ".c.backup.unfinished", "d.txt"):
        (tmp_path / name).write_bytes(b"x")
    assert newest(tmp_path) == tmp_path / "b.backup"


def test_a_scratch_server_leaves_nothing_behind() -> None:
    with embedded.scratch() as (folder, url):
        server = psutil.Process(int((folder / "postgres" / "postmaster.pid").read_text().split()[0]))
        assert str(folder) in url
        assert alive(server)
    assert not folder.exists()
    assert not alive(server)
