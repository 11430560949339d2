"""The documentation is built strictly: a link that leads nowhere, or a page that no navigation has, is an error."""

import json
import re
import shutil
from pathlib import Path

import pytest

from scripts.build_docs import PAGES, build
from tests.conftest import ROOT


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    """A copy of the folder ``docs``."""
    return Path(shutil.copytree(PAGES, tmp_path / "docs", ignore=shutil.ignore_patterns("screenshots", "__pycache__")))


def test_the_documentation_is_built_without_a_warning_and_holds_every_page(tmp_path: Path) -> None:
    build(tmp_path / "site.json")
    site = json.loads((tmp_path / "site.json").read_text())
    sources = {page["source"] for page in site["pages"].values()}
    assert sources == {path.read_text() for path in PAGES.rglob("*.md")}
    listed = [one for part in site["sections"] for entry in part["pages"] for one in (entry, *entry["pages"])]
    assert {entry["path"] for entry in listed} | {"/docs"} == set(site["pages"])
    assert not any("style=" in page["body"] or "<script" in page["body"] for page in site["pages"].values())


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("webhooks.md", "\n[gone](gone.md)\n", "gone.md"),
        ("webhooks.md", "\n[gone](#no-such-part)\n", "no-such-part"),
        ("unlisted.md", "# Nobody lists this\n", "toctree"),
    ],
)
def test_a_broken_link_or_a_page_that_nobody_lists_fails_the_build(
    pages: Path, tmp_path: Path, name: str, text: str, said: str
) -> None:
    with (pages / name).open("a") as page:
        page.write(text)
    with pytest.raises(RuntimeError, match=said):
        build(tmp_path / "site.json", pages=pages)
    assert not (tmp_path / "site.json").exists()


def test_the_decisions_are_all_listed_on_their_page() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = (folder / "README.md").read_text()
    assert [
        path.name for path in folder.glob("*.md") if path.name != "README.md" and f"({path.name})" not in listed
    ] == []


NAMED = re.compile(r"`((?:app|actors|dev|docs|templates|tests|scripts)/[\w/.-]+)`(?:: `(\w+)`)?")


def test_contributing_names_files_that_exist_and_what_stands_in_them() -> None:
    named = NAMED.findall((ROOT / "CONTRIBUTING.md").read_text())
    assert len(named) > 40
    assert [path for path, _ in named if not (ROOT / path).exists()] == []
    assert [
        (path, name)
        for path, name in named
        if name and not re.search(rf"^(?:async def |def |class )?{name}\b", (ROOT / path).read_text(), re.M)
    ] == []
