"""Every row has a type: mypy sees its columns by name. What is left of the untyped kind is listed, and only shrinks."""

import ast
from collections.abc import Iterator

READS = {"fetch", "fetch_one", "write", "move"}  # what gives a Record or a row as a dict
ANY = "dict[str, Any]"


def untyped(tree: ast.Module) -> int:
    """How often a module says ``dict[str, Any]``, in annotations and in calls."""
    return sum(isinstance(node, ast.Subscript) and ast.unparse(node) == ANY for node in ast.walk(tree))


def subscripts(tree: ast.Module) -> int:
    """How many columns are read as ``row["name"]`` from rows of statements that stand in the same function."""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return sum(_read(function) for function in functions)


def _read(function: ast.AST) -> int:
    rows = set[str]()
    while True:  # a row of rows of rows: each round names what the round before has found
        found = {name for target, source in _bound(function) if _is_rows(source, rows) for name in _names(target)}
        if found <= rows:
            break
        rows |= found
    return sum(
        isinstance(node, ast.Subscript)
        and isinstance(node.slice, ast.Constant)
        and isinstance(node.slice.value, str)
        and _is_rows(node.value, rows)
        for node in ast.walk(function)
    )


def _bound(function: ast.AST) -> Iterator[tuple[ast.AST, ast.AST]]:
    for node in ast.walk(function):
        if isinstance(node, ast.Assign):
            yield from ((target, node.value) for target in node.targets)
        elif isinstance(node, ast.NamedExpr):
            yield node.target, node.value
        elif isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
            yield node.target, node.iter


def _is_rows(node: ast.AST, rows: set[str]) -> bool:
    """Whether it is a statement's answer, one of its rows, or what was bound to them."""
    if isinstance(node, ast.Await):
        return _is_rows(node.value, rows)
    if isinstance(node, ast.Subscript):
        column = isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str)
        return not column and _is_rows(node.value, rows)
    if isinstance(node, ast.Call):
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        return called in READS
    if isinstance(node, ast.BoolOp):
        return any(_is_rows(one, rows) for one in node.values)
    return isinstance(node, ast.Name) and node.id in rows


def _names(target: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(target) if isinstance(node, ast.Name)}
