"""What people read is in a catalog, in whole sentences, and a template is short enough to read."""

from pathlib import Path

import pytest

from scripts import texts
from tests.conftest import ROOT
from tests.house.loose_texts import in_python, in_template

LONGEST_LINE = 140
MOST_LINES = 90  # of 95 in 100 templates
DRAWN = {"bitl", "ot"}  # the wordmark of a letter, around its coloured letter
CODE = ("templates/sandbox/", "templates/merchant/snippets/")  # for developers: the sandbox's panel, pieces of code
COVERED = ("app/web", "app/mail")
# Not in a catalog yet. These lists only get shorter: a new text is written with ``_`` from the start.
EXEMPT_FOLDERS = ("app/web/admin/", "app/web/api/", "app/web/hooks/", "app/web/manual/", "app/web/operations/")
EXEMPT = {
    "app/mail/notices.py",
    "app/mail/queries.py",
    "app/mail/reasons.py",
    "app/mail/service.py",
    "app/web/embed/orders.py",
    "app/web/kernel/body.py",
    "app/web/kernel/browsers.py",
    "app/web/kernel/openapi.py",
    "app/web/kernel/reference.py",
    "app/web/kernel/viewer.py",
    "app/web/merchant/guide.py",
    "app/web/store/discovery.py",
    "app/web/store/json_schemas.py",
    "app/web/store/product_data.py",
}


def templates() -> list[Path]:
    files = sorted(path for path in (ROOT / "templates").rglob("*.*") if path.suffix in {".html", ".txt"})
    return [path for path in files if not path.relative_to(ROOT).as_posix().startswith(CODE)]


def test_no_template_shows_a_text_that_no_catalog_has() -> None:
    loose = {path.relative_to(ROOT).as_posix(): sorted(set(in_template(path)) - DRAWN) for path in templates()}
    assert {name: found for name, found in loose.items() if found} == {}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("<p>Sold out</p>", ["Sold out"]),
        ('<p title="Sold out">{{ _("Sold out") }}</p>', ["title=Sold out"]),
        ('{{ button("Buy it now") }}', ["Buy it now"]),
        ('<p>{{ _("Sold out") }} {% trans n=1 %}Only {{ n }} left{% endtrans %}</p>', []),
        ('{% if state == "Sold out" %}<b class="word">12 × </b>{% endif %}', []),
    ],
)
def test_a_loose_text_in_a_template_is_found(tmp_path: Path, source: str, found: list[str]) -> None:
    (tmp_path / "one.html").write_text(source)
    assert in_template(tmp_path / "one.html") == found


def test_lines_of_templates_are_readable() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in templates()
        for number, line in enumerate(path.read_text().split("\n"), 1)
        if len(line) > LONGEST_LINE
    ]
    assert long == []


def test_templates_are_short() -> None:
    counts = sorted(len(path.read_text().splitlines()) for path in templates())
    assert counts[len(counts) * 95 // 100] <= MOST_LINES, counts[-15:]


def test_python_shows_people_no_text_that_no_catalog_has() -> None:
    problems = texts.problem_classes()
    names = [path for folder in COVERED for path in sorted((ROOT / folder).rglob("*.py"))]
    loose = {path.relative_to(ROOT).as_posix(): in_python(path, problems) for path in names}
    loose = {name: found for name, found in loose.items() if found and not name.startswith(EXEMPT_FOLDERS)}
    assert {name: found for name, found in loose.items() if name not in EXEMPT} == {}
    assert EXEMPT - set(loose) == set(), "these have none any more: take them off the list"


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('WORDS = {"paid": "Paid in full"}', ["Paid in full"]),
        ('WORDS = {"paid": N_("Paid in full")}', []),
        ('def say(n):\n    """Say how many there are."""\n    return f"There are {n} left"', ["There are {} left"]),
        ('raise Missing("It is not there")', []),
        ('raise Missing(f"It is not in {place} there")', ["It is not in {} there"]),
    ],
)
def test_a_loose_text_in_python_is_found(tmp_path: Path, source: str, found: list[str]) -> None:
    (tmp_path / "one.py").write_text(source)
    assert in_python(tmp_path / "one.py", {"Missing"}) == found


def test_the_catalog_is_up_to_date() -> None:
    assert texts.TEMPLATE.read_text() == texts.written(texts.catalog()), "run `make texts`"
