"""Names are words of the field; those that the glossary replaced don't come back."""

import ast
from pathlib import Path

from tests.house.source import ALL, modules

MODULES = {  # once a module each
    "applying", "asking", "booking", "charging", "choices", "courier", "desk", "following", "healing", "heads",
    "opening", "outlook", "presence", "relay", "repairs", "scene", "simulated", "telling", "together", "trouble",
    "waits", "watch",
}  # fmt: skip
NAMES = {  # once a function or a class each
    "Courier", "Desk", "Errand", "Exam", "KeyGone", "KeyRefused", "Newsroom", "Outbox", "ProviderConfused", "Scene",
    "Told", "Together", "brought", "bury", "earned", "hire", "take_back", "tidy",
}  # fmt: skip
STAND_INS = "dev/sandbox/"  # has names of its own, still


def test_no_module_bears_a_name_that_nobody_would_search_for() -> None:
    assert {name for name, _ in modules(*ALL) if Path(name).stem in MODULES and not name.startswith(STAND_INS)} == set()


def test_no_function_or_class_does_either() -> None:
    kinds = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    found = {
        (name, node.name)
        for name, tree in modules(*ALL)
        for node in ast.walk(tree)
        if isinstance(node, kinds) and node.name in NAMES and not name.startswith(STAND_INS)
    }
    assert found == set()
