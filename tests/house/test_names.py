"""Names are words of the field; those that the glossary replaced don't come back."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.conftest import ROOT
from tests.house.source import ALL, committed, modules

MODULES = {  # once a module each
    "applying", "asking", "booking", "charging", "choices", "courier", "crowd", "desk", "doors", "following", "gate",
    "healing", "heads", "opening", "outlook", "parking", "presence", "relay", "repairs", "scene", "simulated", "stage",
    "telling", "theatre", "together", "town", "trouble", "waits", "watch", "weather",
}  # fmt: skip
NAMES = {  # once a function, a class, a constant or a parameter each
    "Courier", "Crowd", "Desk", "Errand", "Exam", "Founded", "KeyGone", "KeyRefused", "Newsroom", "Outbox", "PLAYED",
    "Play", "ProviderConfused", "Scene", "Staff", "Stage", "Told", "Together", "Town", "Weather", "bell", "bury",
    "courier", "crowd", "desk", "earned", "errand", "exam", "hire", "outlook", "play", "played", "purse", "scene",
    "stage", "take_back", "theatre", "tidy", "told", "town", "weather",
}  # fmt: skip
GONE = re.compile(  # words that stand nowhere any more, in no text either
    r"(?<![a-z])(courier|crowd|desks?|errand|exam|healing|hire|lest|newsroom|outlook|parking|presence|purse|theatre|tidy|town|weather)"
    r"(?![a-z])",
    re.IGNORECASE,
)
READ = {".py", ".md", ".html", ".css", ".js", ".toml", ".yaml", ".txt", ".sh", ""}
ELSEWHERE = (  # others' words: vendored files, descriptions of games, the glossary and this rule itself, old migrations
    "static/vendor/", "tests/journeys/vendor/", "tests/house/", "docs/glossary.md", "app/migrations/", "locale/",
)  # fmt: skip
ALLOWED = {  # domains of mail, a text with an odd character, and a job's name of before 0.2.0
    ("app/accounts/addresses.py", "outlook"), ("tests/accounts/test_addresses.py", "outlook"),
    ("tests/accounts/test_addresses.py", "exam"), ("app/queue/aliases.py", "tidy"),
    ("tests/actors/test_job_names.py", "tidy"), ("app/web/api/endpoints.py", "desk"),
}  # fmt: skip


def bound(tree: ast.AST) -> Iterator[str]:
    """Names that a module gives: to functions, classes, parameters and constants."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id[:1].isupper():
            yield node.id


def test_no_module_bears_a_name_that_nobody_would_search_for() -> None:
    assert {name for name, _ in modules(*ALL) if Path(name).stem in MODULES} == set()


def test_no_function_class_constant_or_parameter_does_either() -> None:
    assert {(name, one) for name, tree in modules(*ALL) for one in bound(tree) if one in NAMES} == set()


def test_words_that_the_glossary_replaced_stand_in_no_file() -> None:
    found = set()
    for path in committed():
        name = path.relative_to(ROOT).as_posix()
        if path.suffix in READ and not name.startswith(ELSEWHERE):
            found |= {(name, word.lower()) for word in GONE.findall(path.read_text())}
    assert found - ALLOWED == set()
