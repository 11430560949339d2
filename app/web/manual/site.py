"""The guides as `make docs` built them: their pages and their navigation, read from one file."""

from functools import lru_cache
from pathlib import Path

import msgspec

from app.core.files import shipped


class Entry(msgspec.Struct, frozen=True):
    """A page in the navigation, with those below it."""

    title: str
    path: str
    pages: tuple["Entry", ...] = ()


class Section(msgspec.Struct, frozen=True):
    title: str
    pages: tuple[Entry, ...]


class Guide(msgspec.Struct, frozen=True):
    """A page. ``body``: HTML without the title; ``parts``: ids and titles of its sections; ``source``: its Markdown."""

    title: str
    body: str
    parts: tuple[tuple[str, str], ...]
    source: str


class Site(msgspec.Struct, frozen=True):
    """``pages`` by their path, such as ``/docs/webhooks``. Without a build both are empty."""

    sections: tuple[Section, ...] = ()
    pages: dict[str, Guide] = {}


def site() -> Site:
    """The last build; empty where there is none."""
    file = shipped("docs/site.json")
    try:
        return _read(file, file.stat().st_mtime_ns)
    except FileNotFoundError:
        return Site()


@lru_cache(maxsize=1)
def _read(file: Path, _changed: int) -> Site:
    return msgspec.json.decode(file.read_bytes(), type=Site)
