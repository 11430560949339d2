"""Names are words of the field; those that the glossary replaced don't come back."""

import ast
from pathlib import Path

from tests.house.source import ALL, modules

MODULES = {  # once a module each
    "applying", "asking", "booking", "charging", "choices", "courier", "crowd", "desk", "following", "gate",
    "healing", "heads", "opening", "outlook", "presence", "relay", "repairs", "scene", "simulated", "stage",
    "telling", "theatre", "together", "town", "trouble", "waits", "watch", "weather",
}  # fmt: skip
NAMES = {  # once a function or a class each
    "Courier", "Crowd", "Desk", "Errand", "Exam", "Founded", "KeyGone", "KeyRefused", "Newsroom", "Outbox",
    "Play", "ProviderConfused", "Scene", "Staff", "Told", "Together", "Town", "Weather", "brought", "bury",
    "earned", "hire", "take_back", "tidy",
}  # fmt: skip


def test_no_module_bears_a_name_that_nobody_would_search_for() -> None:
    assert {name for name, _ in modules(*ALL) if Path(name).stem in MODULES} == set()


def test_no_function_or_class_does_either() -> None:
    kinds = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    found = {
        (name, node.name)
        for name, tree in modules(*ALL)
        for node in ast.walk(tree)
        if isinstance(node, kinds) and node.name in NAMES
    }
    assert found == set()
