"""The drill: a backup is restored into a scratch shop of its own, and has to prove there that it is one."""

import asyncio
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec

from app.backup.proofs import Finding
from app.backup.restoring import restore
from app.backup.sealed import BackupKeys, BackupRefused
from app.core.database_url import parse
from app.core.settings import Settings
from app.providers.storage import LocalStore

ENDING = ".backup"
SECRETS = ("jwt_secret", "master_keys", "audit_key")  # what the proofs open and check with
KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "TZ", "PYTHONPATH")


@dataclass(frozen=True)
class Drilled:
    """What came of a drill; ``seconds`` is how long the restore itself took."""

    seconds: float
    findings: list[Finding]

    @property
    def passed(self) -> bool:
        return all(finding.holds for finding in self.findings)


def newest(folder: Path) -> Path | None:
    """The youngest backup in a folder."""
    return max(folder.glob(f"*{ENDING}"), key=lambda path: path.stat().st_mtime, default=None)


async def drill(path: Path, *, folder: Path, url: str, s: Settings) -> Drilled:
    """Restore ``path`` into the empty database ``url`` and below ``folder``, and let it prove itself there.

    Nothing of the live shop is touched, nobody outside is called. Raises BackupRefused where it can't be restored.
    """
    if parse(url).place == parse(s.database_url.get_secret_value()).place:
        raise BackupRefused("That is the live database: a drill needs a separate one.")
    began = time.monotonic()
    store = LocalStore(folder / "blobs", "links of a drill", "http://127.0.0.1")
    restored = await restore(path, url=url, store=store, keys=BackupKeys.of(s))
    seconds = time.monotonic() - began
    return Drilled(seconds, await _prove(restored.summary.rows, _environment(folder, url, s)))


def _environment(folder: Path, url: str, s: Settings) -> dict[str, str]:
    """What the proofs may know: the scratch, and what opens its rows. No provider, no live server."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    secrets = {name.upper(): getattr(s, name).get_secret_value() for name in SECRETS}
    nowhere = {"REDIS_URL": f"unix://{folder}/no-redis.sock", "BITLOOT_ENV": "development", "LOG_LEVEL": "ERROR"}
    return kept | secrets | nowhere | {"DATABASE_URL": url, "BITLOOT_VAR": str(folder)}


async def _prove(rows: dict[str, int], env: dict[str, str]) -> list[Finding]:
    command = [sys.executable, "-m", "app.backup.proofs"]
    given = msgspec.json.encode(rows)
    done = await asyncio.to_thread(subprocess.run, command, env=env, input=given, stdout=subprocess.PIPE, check=False)
    if done.returncode:
        return [Finding("proofs", False, f"they ended with {done.returncode}")]
    return msgspec.json.decode(done.stdout, type=list[Finding])
