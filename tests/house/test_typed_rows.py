"""Every row has a type: mypy sees its columns by name. What is left of the untyped kind is listed, and only shrinks."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.house.source import modules

READS = {"fetch", "fetch_one", "fetchrow", "write", "move"}  # what gives a Record or a row as a dict
BUILT = {"select", "returning"}  # Piccolo's, which give dicts
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
        return called in READS or _is_built(node)
    if isinstance(node, ast.BoolOp):
        return any(_is_rows(one, rows) for one in node.values)
    return isinstance(node, ast.Name) and node.id in rows


def _is_built(call: ast.Call) -> bool:
    """Whether a chain of calls, as ``Table.select(…).where(…)``, has a part that gives rows."""
    while isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Call):
        if call.func.attr in BUILT:
            return True
        call = call.func.value
    return isinstance(call.func, ast.Attribute) and call.func.attr in BUILT


def gives_rows(tree: ast.Module) -> bool:
    """Whether a function's answer is annotated as a row that mypy can't see into."""
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    answers = (ast.unparse(function.returns) for function in functions if function.returns is not None)
    return any("Mapping[str, Any]" in answer or "Record" in re.split(r"\W", answer) for answer in answers)


def _names(target: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(target) if isinstance(node, ast.Name)}


JSON = "a JSON document, read member by member as it says"
LIBRARY = "keyword arguments of a library"
SCHEMA = "a JSON Schema or an OpenAPI document, as msgspec and the framework make it"

UNTYPED = {  # file → how often it says dict[str, Any], and why no Struct says it better. Numbers only go down.
    "actors/job.py": (1, LIBRARY),
    "app/core/database_url.py": (2, LIBRARY),
    "app/core/redis.py": (2, LIBRARY),
    "app/providers/transport.py": (1, LIBRARY),
    "app/core/tokens.py": (2, JSON),
    "app/history/models.py": (1, JSON),
    "app/queue/models.py": (2, JSON),
    "app/contract/event_guide.py": (1, JSON),
    "app/contract/json_schema.py": (1, SCHEMA),
    "app/web/api/bodies.py": (1, SCHEMA),
    "app/web/api/description.py": (1, SCHEMA),
    "app/web/kernel/openapi.py": (1, SCHEMA),
    "app/web/kernel/reference.py": (1, SCHEMA),
}
MOST_UNTYPED = 17  # all of the above: whoever takes some away lowers it, and nobody raises it
GIVES_ROWS = {"app/core/db.py"}  # whose functions return rows as mappings, for queries to read


def test_no_module_says_more_often_than_it_may_that_a_row_is_a_dict_of_anything() -> None:
    found = {name: untyped(tree) for name, tree in modules("app", "actors")}
    assert {name: n for name, n in found.items() if n} == {name: n for name, (n, _) in UNTYPED.items()}
    assert sum(found.values()) <= MOST_UNTYPED


def test_no_column_is_read_by_a_string_outside_queries() -> None:
    found = {name: subscripts(tree) for name, tree in modules("app", "actors") if not name.endswith("queries.py")}
    assert {name: n for name, n in found.items() if n} == {}


def test_no_function_hands_on_rows_as_mappings() -> None:
    found = {name for name, tree in modules("app", "actors") if gives_rows(tree)}
    assert found <= GIVES_ROWS


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("row = await db.fetch_one(sql)\n    return row['id']", 1),
        ("return [row['id'] for row in await db.fetch(sql)]", 1),
        ("rows = await db.fetch(sql)\n    for row in rows:\n        print(row['id'], row['name'])", 2),
        ("(row,) = await db.write(one)\n    return row['id']", 1),
        ("return (await db.fetch(sql))[0]['id']", 1),
        ("order = await db.fetch_one_as(Order, sql)\n    return order.id", 0),
        ("rows = await Table.select(Table.id).where(Table.id == 1)\n    return rows[0]['id']", 1),
        ("row = await connection.fetchrow(sql)\n    return row['id']", 1),
        ("claims = tokens.read(kind, token)\n    return claims['key']", 0),
    ],
)
def test_columns_read_by_strings_are_found(text: str, columns: int) -> None:
    assert subscripts(ast.parse(f"async def f():\n    {text}\n")) == columns


def test_dicts_of_anything_are_found_wherever_they_stand() -> None:
    assert untyped(ast.parse("def f(a: list[dict[str, Any]]) -> dict[str, Any] | None: ...")) == 2


@pytest.mark.parametrize(
    ("answer", "is_row"),
    [
        ("list[Mapping[str, Any]]", True),
        ("asyncpg.Record | None", True),
        ("Recorder", False),
        ("Mapping[str, Decimal]", False),
    ],
)
def test_functions_that_give_rows_are_found(answer: str, is_row: bool) -> None:
    assert gives_rows(ast.parse(f"async def f() -> {answer}: ...")) == is_row
