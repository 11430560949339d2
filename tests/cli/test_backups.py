"""``bitloot backup``, ``restore`` and ``drill``."""

import pytest

from app.core import clock, db
from tests.backup.conftest import live as live
from tests.backup.conftest import objects_of, rows_at
from tests.backup.conftest import scratch as scratch
from tests.builders import delivered
from tests.conftest import VAR

pytestmark = pytest.mark.proof


async def test_a_shop_is_backed_up_and_restored_elsewhere(app, box, bitloot, tmp_path, live, scratch) -> None:
    await delivered(app.state.kit, box, 2)
    taken = await bitloot("backup", str(tmp_path / "a.backup"))
    assert taken.returncode == 0, taken.stderr
    assert "2 sealed keys" in taken.stdout
    words = ("restore", str(tmp_path / "a.backup"), "--into", scratch, "--blobs", str(tmp_path / "blobs"))
    restored = await bitloot(*words)
    assert restored.returncode == 0, restored.stderr
    assert "2 sealed keys" in restored.stdout
    told = await rows_at(live)
    assert [line for line in told.pop("audit_line") if "backup.taken" in line]
    there = await rows_at(scratch)
    assert there.pop("audit_line") == [], "the line came behind the backup"
    del there["audit_head"], told["audit_head"]
    assert there == told
    assert len(list((tmp_path / "blobs" / "keys").rglob("*"))) == 3
    again = await bitloot(*words)
    assert again.returncode == 1
    assert "not empty" in again.stderr


async def test_a_live_shop_is_not_overwritten_and_a_missing_file_is_said(app, box, bitloot, tmp_path, live) -> None:
    await delivered(app.state.kit, box)
    await bitloot("backup", str(tmp_path / "a.backup"))
    before, objects = await rows_at(live), objects_of(app.state.kit.store)
    for words, said in (
        ((str(tmp_path / "a.backup"),), "never overwrites"),
        ((str(tmp_path / "none"),), "can't be read"),
        ((str(tmp_path / "a.backup"), "--into", live), "go together"),
    ):
        refused = await bitloot("restore", *words)
        assert refused.returncode > 0
        assert said in refused.stderr
    twice = await bitloot("backup", str(tmp_path / "a.backup"))
    assert (twice.returncode, twice.stdout) == (1, "")
    assert "never overwritten" in twice.stderr
    assert (await rows_at(live), objects_of(app.state.kit.store)) == (before, objects)


async def test_a_backup_key_of_ones_own_is_needed_again(app, bitloot, tmp_path, scratch) -> None:
    path, own = str(tmp_path / "a.backup"), {"BACKUP_KEY": "a backup key of more than 32 characters"}
    assert (await bitloot("backup", path, env=own)).returncode == 0
    words = ("restore", path, "--into", scratch, "--blobs", str(tmp_path / "blobs"))
    refused = await bitloot(*words)
    assert refused.returncode == 1
    assert "BACKUP_KEY" in refused.stderr
    assert await rows_at(scratch) == {}
    assert (await bitloot(*words, env=own)).returncode == 0
    assert "at least 32" in (await bitloot("backup", path, env={"BACKUP_KEY": "short"})).stderr


async def test_a_drill_without_a_backup_takes_one_and_reports_every_proof(app, box, bitloot, live) -> None:
    await delivered(app.state.kit, box)
    before = await but_audit(live)
    done = await bitloot("drill")
    assert done.returncode == 0, done.stdout + done.stderr
    path, *lines = done.stdout.splitlines()
    assert path.startswith(str(VAR / "backups" / f"bitloot-{clock.now():%Y%m%d}"))
    assert {line.split()[1] for line in lines} == {"ok"}
    assert {"rows", "migrations", "ledger", "audit", "objects", "canary"} <= {line.split()[0] for line in lines}
    again = await bitloot("drill", env={"KINGUIN_BASE_URL": "http://127.0.0.1:1"})
    assert (again.returncode, again.stdout.split(":")[0]) == (0, path.split(":")[0]), "the newest one is taken"
    assert await but_audit(live) == before
    passed = "SELECT count(*) FROM audit_line WHERE action = 'drill.passed'"
    assert await db.fetch_value(passed) == 2


async def but_audit(url: str) -> dict[str, list[str]]:
    return {name: rows for name, rows in (await rows_at(url)).items() if not name.startswith("audit_")}


async def test_a_drill_that_fails_ends_with_1(app, box, bitloot, scratch, tmp_path) -> None:
    await delivered(app.state.kit, box)
    for name in objects_of(app.state.kit.store):
        await app.state.kit.store.delete(name)
    done = await bitloot("drill", "--fresh", "--database", scratch)
    assert done.returncode == 1
    assert "FAIL" in done.stdout
    assert await db.fetch_value("SELECT details FROM audit_line WHERE action = 'drill.failed'")
    (path,) = (line.split(":")[0] for line in done.stdout.splitlines()[:1])
    refused = await bitloot("drill", path, "--database", scratch)
    assert refused.returncode == 1
    assert "not empty" in refused.stderr
