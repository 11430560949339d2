"""``bitloot audit``: what an auditor types, with the answers that scripts go by."""

from pathlib import Path

import pytest

from app.audit import bundle
from app.audit import service as audit
from app.core import clock, db
from app.queue import service as jobs
from tests.audit.builders import forge, said, written
from tests.builders import count


def ours() -> str:
    return bundle.public_text(audit.signing_key())


@pytest.fixture(autouse=True)
async def no_anchors(app) -> None:
    """None that an earlier test has left for a log that is gone."""
    await app.state.store.expire(bundle.ANCHORS, clock.now() + clock.timedelta(days=1))


async def test_an_untouched_log_verifies(app, bitloot) -> None:
    await written(4)
    done = await bitloot("audit", "verify")
    assert (done.returncode, done.stdout) == (0, "4 lines, all unchanged; 0 signed anchors match.\n")
    assert "No anchor in the object store yet" in done.stderr


async def test_a_tampered_log_ends_with_one_and_the_first_bad_line(app, bitloot) -> None:
    await written(4)
    await forge("UPDATE audit_line SET actor = 'nobody' WHERE seq IN (2, 3)")
    done = await bitloot("audit", "verify")
    assert (done.returncode, done.stdout) == (1, "")
    assert "Tampered with: line 2 was changed or added: its digest is not ours." in done.stderr


async def test_the_hourly_anchor_finds_a_tail_that_was_cut_off_with_the_head(app, bitloot, drain) -> None:
    await written(5)
    for _ in range(2):  # the second of an hour adds nothing
        await jobs.post("audit.anchor", {})
        assert await drain(only="audit.anchor") == 1
    assert "5 lines, all unchanged; 1 signed anchors match." in (await bitloot("audit", "verify")).stdout
    await forge(
        "DELETE FROM audit_line WHERE seq > 3",
        "UPDATE audit_head SET seq = 3, digest = (SELECT digest FROM audit_line WHERE seq = 3)",
    )
    done = await bitloot("audit", "verify")
    assert done.returncode == 1
    assert "line 4 is missing: a signed anchor has seen 5 lines" in done.stderr


async def test_an_earlier_export_finds_it_as_well(app, bitloot, tmp_path: Path) -> None:
    await written(3)
    file = tmp_path / "log.jsonl"
    done = await bitloot("audit", "export", str(file))
    assert (done.returncode, done.stdout) == (0, f"{file}\nPublic key: {ours()}\n")
    assert await count("audit_line", "action = 'audit.exported' AND actor = 'command line'") == 1
    assert "1 signed anchors match" in (await bitloot("audit", "verify", "--anchor", str(file))).stdout
    await forge("DELETE FROM audit_line", "UPDATE audit_head SET seq = 0, digest = decode(repeat('00', 32), 'hex')")
    assert (await bitloot("audit", "verify")).returncode == 0
    done = await bitloot("audit", "verify", "--anchor", str(file))
    assert done.returncode == 1
    assert "line 1 is missing: a signed anchor has seen 4 lines" in done.stderr


async def test_an_export_is_verified_without_database_or_secret(app, bitloot, tmp_path: Path) -> None:
    await written(3)
    file = tmp_path / "log.jsonl"
    await bitloot("audit", "export", str(file))
    key = (await bitloot("audit", "public-key")).stdout.strip()
    nowhere = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:9/nothing", "JWT_SECRET": "another secret, " * 4 + "."}
    command = ("audit", "verify", "--bundle", str(file), "--public-key", key)
    done = await bitloot(*command, env=nowhere)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("4 lines, signed ")
    file.write_bytes(file.read_bytes().replace(b"browser 2", b"browser 8"))
    done = await bitloot(*command, env=nowhere)
    assert done.returncode == 1
    assert "Not genuine: its lines are not those that were signed" in done.stderr
    assert (await bitloot("audit", "verify", "--bundle", str(file))).returncode == 2


async def test_a_tampered_log_is_not_exported(app, bitloot, tmp_path: Path) -> None:
    await written(3)
    await forge("DELETE FROM audit_line WHERE seq = 2")
    file = tmp_path / "log.jsonl"
    file.write_text("an earlier one")
    done = await bitloot("audit", "export", str(file))
    assert done.returncode == 1
    assert "line 2 is missing. Nothing was signed." in done.stderr
    assert file.read_text() == "an earlier one"


async def test_with_a_key_of_its_own_the_log_outlives_another_jwt_secret(app, bitloot) -> None:
    own = {"AUDIT_KEY": "a key of the audit log's own, long enough"}
    await bitloot("admin", "create", "a@b.test", "--password", "x" * 12, env=own)
    assert await said() == ["a@b.test"]
    changed = own | {"JWT_SECRET": "another secret, " * 4 + "."}
    assert (await bitloot("audit", "verify", env=changed)).returncode == 0
    assert (await bitloot("audit", "verify", env={"JWT_SECRET": "another secret, " * 4 + "."})).returncode == 1
    assert (await bitloot("audit", "verify", env={"AUDIT_KEY": "short"})).returncode == 1
    assert await db.fetch_value("SELECT action FROM audit_line") == "admin.hired"
