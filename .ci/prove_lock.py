"""Proves that the lock alone decides what is installed, whatever the registries offer and whichever pip is there.

A fresh clone is set up by the README's way, and a deployment by a host's (`pip install -r requirements.txt`), both with
the pip that this Python ships, and with an index in front that also offers newer releases of every locked package. What
is installed afterwards must be what the locks say. The wheel is then installed and run from another folder.

Run it with the project's own Python: ``.venv/bin/python .ci/prove_lock.py``.
"""

import base64
import functools
import hashlib
import http.server
import os
import re
import subprocess
import sys
import tempfile
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
OURS = "bitloot"


def locked(name: str) -> dict[str, str]:
    """``{package: version}`` of a lock file, without what is for other machines."""
    text = (ROOT / name).read_text().replace("\\\n", " ")
    lines = (re.sub(r"\s--hash=\S+", "", line).strip() for line in text.splitlines())
    wanted = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {
        canonicalize_name(r.name): str(r.specifier).removeprefix("==")
        for r in wanted
        if r.marker is None or r.marker.evaluate()
    }


def make_wheel(folder: Path, name: str, version: str) -> None:
    """A release of ``name`` that is installable and holds nothing."""
    stem = f"{name.replace('-', '_')}-{version}"
    files = {
        f"{stem}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{stem}.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: ci\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(
        f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b'=').decode()},{len(text)}\n"
        for path, text in files.items()
    )
    with zipfile.ZipFile(folder / f"{stem}-py3-none-any.whl", "w") as wheel:
        for path, text in {**files, f"{stem}.dist-info/RECORD": f"{record}{stem}.dist-info/RECORD,,\n"}.items():
            wheel.writestr(path, text)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def newer_releases(folder: Path, packages: dict[str, str]) -> Iterator[str]:
    """An index on loopback with two newer releases of each package: of the same major version, and far beyond."""
    for name, version in packages.items():
        place = folder / "simple" / name
        place.mkdir(parents=True)
        for newer in (f"{version.split('.')[0]}.9999.0", "9999.0"):
            make_wheel(place, name, newer)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/simple/"
    finally:
        server.shutdown()


def run(*command: str, cwd: Path, env: dict[str, str]) -> str:
    print("+", *command, flush=True)
    done = subprocess.run(  # noqa: S603 - fixed commands
        command, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{done.stdout}\nFAILED with {done.returncode}: {' '.join(command)}")
    return done.stdout


def check(python: Path, wanted: dict[str, str], *, env: dict[str, str], but: set[str]) -> None:
    """The packages of a venv are those of the lock, to the version."""
    lines = run(str(python), "-m", "pip", "list", "--format=freeze", cwd=python.parent, env=env).splitlines()
    pairs = (line.split("==") for line in lines if "==" in line)
    found = {canonicalize_name(name): version for name, version in pairs}
    differ = {
        n: (wanted.get(n), found.get(n)) for n in (wanted.keys() | found.keys()) - but if wanted.get(n) != found.get(n)
    }
    if differ:
        sys.exit(f"Not what the lock says (package: locked, installed): {differ}")
    print(f"  {len(found)} packages, each as locked", flush=True)


def main() -> None:
    installer, dev, live = locked("requirements-pip.txt"), locked("requirements-dev.txt"), locked("requirements.txt")
    with tempfile.TemporaryDirectory() as name:
        here = Path(name)
        clone, host = here / "clone", here / "host"
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_EXTRA", "PYTHON", "VIRTUAL_ENV"))}
        path = os.pathsep.join(p for p in kept["PATH"].split(os.pathsep) if Path(p) != Path(sys.executable).parent)
        with newer_releases(here / "index", installer | dev | live) as url:
            env = kept | {"PATH": path, "PIP_EXTRA_INDEX_URL": url, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
            run("git", "clone", "-q", str(ROOT), str(clone), cwd=here, env=env)
            run("python3", "-m", "venv", str(host), cwd=here, env=env)
            python = host / "bin" / "python"
            # Without the lock the index's newer release would be taken: so the proof can fail.
            would = run(str(python), "-m", "pip", "install", "--dry-run", "--no-deps", "pydantic", cwd=here, env=env)
            if "pydantic-9999.0" not in would:
                sys.exit(f"The index in front was not asked:\n{would}")
            run("make", "setup", cwd=clone, env=env)
            check(clone / ".venv/bin/python", dev | installer, env=env, but={OURS})
            run(
                str(python),
                "-m",
                "pip",
                "install",
                "-q",
                "--require-hashes",
                "-r",
                str(ROOT / "requirements.txt"),
                cwd=here,
                env=env,
            )
            check(python, live, env=env, but={OURS, "pip", "setuptools"})
            built = (str(clone / ".venv/bin/python"), "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation")
            run(*built, "-w", str(here), str(clone), cwd=here, env=env)
            run(
                str(python), "-m", "pip", "install", "-q", "--no-deps", str(next(here.glob("*.whl"))), cwd=here, env=env
            )
            print(run(str(host / "bin" / "bitloot"), "--help", cwd=here, env=env))
    print("The lock alone decides what is installed.")


if __name__ == "__main__":
    main()
