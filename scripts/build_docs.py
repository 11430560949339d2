"""Builds the documentation (`make docs`): Sphinx reads `docs` and writes what the app serves at `/docs`.

Nothing is done where no page is newer than the last build. Every warning of Sphinx, such as a link that leads
nowhere, is an error. Run it with a Python that has the packages of `requirements-docs.txt`.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parents[1]
PAGES = HERE / "docs"
SITE = HERE / "app/docs/site.json"


def is_fresh(site: Path = SITE) -> bool:
    """Whether no page, nor how they are built, changed after the last build."""
    if not site.exists():
        return False
    read = [Path(__file__), PAGES, *(path for path in PAGES.rglob("*") if "screenshots" not in path.parts)]
    return max(path.stat().st_mtime_ns for path in read) <= site.stat().st_mtime_ns


def build(site: Path = SITE, *, pages: Path = PAGES, strict: bool = True) -> None:
    """Write the site of `pages` to the file `site`, whole or not at all.

    Raises RuntimeError, with what Sphinx printed, where it failed; with `strict` each warning is a failure.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable,
            "-B",
            "-m",
            "sphinx",
            "-q",
            "-E",
            "--no-color",
            "-b",
            "site",
            "-d",
            f"{folder}/trees",
        ]
        command += [*(["-W"] if strict else []), str(pages), f"{folder}/out"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
        if done.returncode:
            raise RuntimeError(f"The documentation could not be built:\n{done.stderr}")
        site.parent.mkdir(parents=True, exist_ok=True)
        part = site.with_suffix(f".{os.getpid()}")
        part.write_bytes(Path(folder, "out/site.json").read_bytes())
        part.replace(site)


if __name__ == "__main__" and not is_fresh():
    try:
        build()
    except RuntimeError as failed:
        sys.exit(str(failed))
