"""An exported log verifies without us, and a tampered one does not, also by the script in the documents."""

import base64
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.audit import bundle
from app.audit import service as audit
from app.audit.bundle import NotGenuine
from app.audit.models import Line
from app.audit.service import ChainBroken
from app.core import db
from tests.audit.builders import forge, written
from tests.conftest import ROOT

Change = Callable[[list[bytes]], list[bytes]]


async def exported(count: int = 6) -> list[bytes]:
    await written(count)
    return [line async for line in audit.export()]


def ours() -> str:
    return bundle.public_text(audit.signing_key())


def signed_anew(lines: list[bytes], **change: object) -> list[bytes]:
    """The same lines under a statement by somebody else."""
    told = json.loads(json.loads(lines[-1])["statement"]) | change
    return [*lines[:-1], bundle.Statement(**told).signed(Ed25519PrivateKey.generate())]


def edited(lines: list[bytes], number: int, **change: object) -> list[bytes]:
    line = json.dumps(json.loads(lines[number]) | change, ensure_ascii=False).encode() + b"\n"
    return [*lines[:number], line, *lines[number + 1 :]]


def other_statement(lines: list[bytes], **change: object) -> list[bytes]:
    """A statement changed, its signature left."""
    parts = json.loads(lines[-1])
    parts["statement"] = json.dumps(json.loads(parts["statement"]) | change)
    return [*lines[:-1], json.dumps(parts).encode()]


CHANGES: dict[str, Change] = {
    "a line edited": lambda lines: edited(lines, 2, actor="nobody"),
    "a line's digest edited": lambda lines: edited(lines, 2, digest="00" * 32),
    "a space added": lambda lines: [lines[0].replace(b":", b": ", 1), *lines[1:]],
    "the first line removed": lambda lines: lines[1:],
    "a line removed": lambda lines: [*lines[:3], *lines[4:]],
    "the last line removed": lambda lines: [*lines[:-2], lines[-1]],
    "a line doubled": lambda lines: [*lines[:3], lines[2], *lines[3:]],
    "two lines exchanged": lambda lines: [lines[1], lines[0], *lines[2:]],
    "a line added before the statement": lambda lines: [*lines[:-1], lines[-2], lines[-1]],
    "a line added behind the statement": lambda lines: [*lines, lines[0]],
    "the statement removed": lambda lines: lines[:-1],
    "the statement about fewer lines": lambda lines: other_statement(lines, seq=5),
    "the statement at another time": lambda lines: other_statement(lines, at="2020-01-01T00:00:00+00:00"),
    "signed by somebody else": signed_anew,
    "not JSON": lambda lines: [*lines[:2], b"{\n", *lines[3:]],
    "no signature": lambda lines: [*lines[:-1], b'{"statement": "{}"}'],
    "a list": lambda lines: [*lines[:-1], b"[]"],
    "empty": lambda lines: [],
    "a line end removed": lambda lines: [lines[0].rstrip(b"\n") + b" ", *lines[1:]],
}


def own_script() -> str:
    """The script that docs/audit.md gives to whoever is to verify an export."""
    found = re.search(r"```python\n(.+?)```", (ROOT / "docs" / "audit.md").read_text(), re.DOTALL)
    assert found is not None
    return found[1]


def by_script(file: Path, key: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", own_script(), str(file), key]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False, cwd="/", env={})


async def test_an_export_verifies_with_the_public_key_alone(app) -> None:
    lines = await exported()
    assert len(lines) == 7
    statement = bundle.verify(lines, ours())
    assert statement.seq == 6
    assert statement.digest == (await db.fetch_value("SELECT digest FROM audit_head")).hex()
    assert bundle.verify(lines, ours(), chain_key=audit.chain_key()) == statement


async def test_an_export_holds_every_field_of_every_line(app) -> None:
    lines = await exported()
    stored = await db.fetch_as(Line, "SELECT * FROM audit_line ORDER BY seq")
    assert [bundle.read_line(line) for line in lines[:-1]] == stored


async def test_an_empty_log_can_be_exported_too(app) -> None:
    assert bundle.verify([line async for line in audit.export()], ours()).seq == 0


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
async def test_a_tampered_export_is_refused(app, change: Change) -> None:
    lines = change(await exported())
    with pytest.raises(NotGenuine):
        bundle.verify(lines, ours())


@pytest.mark.parametrize("key", ["", "x", "AAAA", base64.b64encode(bytes(32)).decode(), "ключ"])
async def test_another_public_key_refuses_it(app, key: str) -> None:
    lines = await exported(1)
    with pytest.raises(NotGenuine):
        bundle.verify(lines, key)


async def test_lines_that_were_false_when_they_were_signed_are_refused_by_the_chains_own_key(app) -> None:
    """Whoever has stolen the signing key alone still can't make a digest."""
    lines = edited(await exported(), 2, actor="nobody")
    lines = signed_anew(lines)
    theirs = json.loads(lines[-1])["publicKey"]
    with pytest.raises(NotGenuine):
        bundle.verify(lines, theirs, chain_key=audit.chain_key())


async def test_a_log_that_was_tampered_with_is_not_signed(app) -> None:
    await written(5)
    await forge("UPDATE audit_line SET actor = 'nobody' WHERE seq = 4")
    with pytest.raises(ChainBroken, match="line 4"):
        [line async for line in audit.export()]
    await forge("DELETE FROM audit_line WHERE seq >= 4")
    with pytest.raises(ChainBroken, match="line 4 is missing"):
        [line async for line in audit.export()]


async def test_an_anchor_is_no_bundle_and_a_bundle_can_stand_as_an_anchor(app) -> None:
    lines = await exported(3)
    with pytest.raises(NotGenuine):
        bundle.verify([await audit.anchor()], ours())
    assert (await audit.verify([bundle.read_statement(lines[-1], ours())])).anchors == 1


async def test_the_script_in_the_documents_takes_a_genuine_export_and_refuses_the_others(app, tmp_path: Path) -> None:
    genuine, file = await exported(), tmp_path / "log.jsonl"
    assert own_script().count("\n") <= 20
    file.write_bytes(b"".join(genuine))
    done = by_script(file, ours())
    assert (done.returncode, done.stdout) == (0, "6 lines, all as they were signed\n"), done.stderr
    for name in ("a line edited", "the last line removed", "two lines exchanged", "signed by somebody else", "empty"):
        file.write_bytes(b"".join(CHANGES[name](genuine)))
        assert by_script(file, ours()).returncode != 0, name
