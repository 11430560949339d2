"""A docstring that says what is raised names a class that there is."""

import ast
import builtins
import re

import pytest

from tests.house.source import SHOP, imported_names, modules

RAISES = re.compile(r"\bRaises ((?:[A-Z]\w+(?:, or |, and |, | or | and )?)+)")
DOCUMENTED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Module)


def named(tree: ast.AST) -> set[str]:
    """The classes that docstrings say are raised."""
    texts = (ast.get_docstring(node) or "" for node in ast.walk(tree) if isinstance(node, DOCUMENTED))
    lists = (found for text in texts for found in RAISES.findall(re.sub(r"\s+", " ", text)))
    return {name for found in lists for name in re.findall(r"[A-Z]\w+", found)}


def test_what_a_docstring_says_is_raised_is_a_class_that_there_is() -> None:
    ours = {node.name for _, tree in modules(*SHOP) for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    missing = {
        name: unknown
        for name, tree in modules(*SHOP)
        if (unknown := named(tree) - ours - set(dir(builtins)) - imported_names(tree))
    }
    assert missing == {}


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("Raises KeyGone.", {"KeyGone"}),
        ("Raises NotFound,\n    KeyLocked or KeyBroken; more.", {"NotFound", "KeyLocked", "KeyBroken"}),
        ("Raises what the provider raised.", set()),
    ],
)
def test_the_names_are_found(said: str, found: set[str]) -> None:
    assert named(ast.parse(f'def f():\n    """{said}"""')) == found
