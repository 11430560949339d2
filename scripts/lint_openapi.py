"""Lint both OpenAPI documents by the recommended rules of redocly and spectral: an error fails, a warning does not.

``python scripts/lint_openapi.py`` uses the linters that are installed (by npm; ``.ci/run`` has their versions) and says
so where one is not; with ``--required`` that fails, too.
"""

import base64
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec
from litestar import Litestar

sys.path.insert(0, str(Path(__file__).parents[1]))
# Nothing is connected to, and nothing is sealed: the app is only made, to be described.
os.environ |= {
    "BITLOOT_ENV": "development", "DATABASE_URL": "postgres://nobody/nothing", "REDIS_URL": "redis://nobody",
    "JWT_SECRET": secrets.token_urlsafe(48), "MASTER_KEYS": f"k1:{base64.b64encode(secrets.token_bytes(32)).decode()}",
}  # fmt: skip

from app.main import create_app
from app.web.kernel.openapi import MERCHANTS, SHOP

RULES = 'extends: ["spectral:oas"]\n'


def commands(file: str, rules: str) -> dict[str, list[str]]:
    """The linters by name, and how each is called."""
    return {
        "redocly": ["redocly", "lint", "--extends", "recommended", "--format", "summary", file],
        "spectral": ["spectral", "lint", "--quiet", "--fail-severity", "error", "--ruleset", rules, file],
    }


def write(app: Litestar, folder: Path) -> list[Path]:
    """Both documents as files."""
    whole = app.openapi_schema.to_schema()
    written = []
    for document in (MERCHANTS, SHOP):
        written.append(folder / document.spec.removeprefix("/"))
        written[-1].write_bytes(msgspec.json.encode(document.of(whole)))
    return written


def main(*, required: bool) -> int:
    """0 where no linter finds an error."""
    missing = [name for name in commands("", "") if shutil.which(name) is None]
    for name in missing:
        print(f"{name} is not installed (see .ci/run): the OpenAPI documents are not linted by it.")
    failed = bool(missing) and required
    if len(missing) == len(commands("", "")):
        return 1 if failed else 0
    with tempfile.TemporaryDirectory() as folder:
        rules = Path(folder) / "rules.yaml"
        rules.write_text(RULES)
        for file in write(create_app(), Path(folder)):
            for name, command in commands(str(file), str(rules)).items():
                if name in missing:
                    continue
                done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603
                print(f"{name}: {file.name} {'is well' if done.returncode == 0 else 'has errors'}")
                if done.returncode:
                    print(done.stdout + done.stderr)
                    failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(required="--required" in sys.argv[1:]))
