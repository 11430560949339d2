"""The tests themselves: none asserts how fast this machine is, today."""

import ast
from collections.abc import Iterator

from tests.house.source import modules

CLOCKS = {"monotonic", "perf_counter", "process_time", "time"}  # of ``time``, and a loop's own


def _reads_a_clock(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and not node.args
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in CLOCKS
    ) or (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CLOCKS)


def _measures(node: ast.AST) -> bool:
    """Whether it takes one reading of a clock from another: seconds that something took."""
    return any(
        isinstance(part, ast.BinOp) and isinstance(part.op, ast.Sub) and _reads_a_clock(part.left)
        for part in ast.walk(node)
    )


def asserted(tree: ast.Module) -> Iterator[int]:
    """The lines that assert something about seconds that were measured."""
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        took = {
            target.id
            for node in ast.walk(function)
            if isinstance(node, ast.Assign) and _measures(node.value)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(function):
            if isinstance(node, ast.Assert):
                names = {part.id for part in ast.walk(node.test) if isinstance(part, ast.Name)}
                if _measures(node.test) or names & took:
                    yield node.lineno


def test_no_test_asserts_how_long_something_took() -> None:
    assert [f"{name}:{line}" for name, tree in modules("tests") for line in asserted(tree)] == []


def test_such_an_assertion_would_be_found() -> None:
    plain = "def test():\n    began = time.monotonic()\n    assert time.monotonic() - began < 5\n"
    named = "async def test():\n    took = loop().time() - began\n    assert took < 5\n"
    limit = "def test():\n    while not done():\n        assert time.monotonic() < deadline\n"
    assert [list(asserted(ast.parse(code))) for code in (plain, named, limit)] == [[3], [3], []]
