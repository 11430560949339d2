"""Every row has a type: mypy sees its columns by name. What is left of the untyped kind is listed, and only shrinks."""

import ast
from collections.abc import Iterator

import pytest

from tests.house.source import modules

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


JSON = "a JSON document, read member by member as it says"
LIBRARY = "keyword arguments of a library"
TYPED_FORM = "what was typed into a form, beside the values that stand there already"
STATEMENT = "columns of one statement, read in the function where it stands"
CONTRACT = "until app/contract's Structs are all that answers and events are made of"
SUPPLIERS = "until the rows of fulfillment and catalog are Structs, too"
WEBHOOKS = "until the rows of endpoints and deliveries are Structs, too"

UNTYPED = {  # file → how often it may say dict[str, Any], and why. Numbers only go down.
    "actors/job.py": (1, LIBRARY),
    "app/core/database_url.py": (2, LIBRARY),
    "app/core/redis.py": (2, LIBRARY),
    "app/providers/transport.py": (1, LIBRARY),
    "app/catalog/listing.py": (2, SUPPLIERS),
    "app/catalog/products.py": (4, SUPPLIERS),
    "app/catalog/queries.py": (3, SUPPLIERS),
    "app/catalog/service.py": (1, SUPPLIERS),
    "app/fulfillment/buy.py": (7, SUPPLIERS),
    "app/fulfillment/manual_actions.py": (3, SUPPLIERS),
    "app/fulfillment/queries.py": (8, SUPPLIERS),
    "app/fulfillment/replace.py": (2, SUPPLIERS),
    "app/fulfillment/returns.py": (5, SUPPLIERS),
    "app/fulfillment/track.py": (8, SUPPLIERS),
    "app/web/admin/retry_preview.py": (2, SUPPLIERS),
    "app/web/admin/write_offs.py": (3, SUPPLIERS),
    "app/web/store/order_view.py": (1, SUPPLIERS),
    "app/core/tokens.py": (2, JSON),
    "app/history/models.py": (1, JSON),
    "app/queue/models.py": (2, JSON),
    "app/web/api/bodies.py": (1, JSON),
    "app/web/kernel/reference.py": (1, JSON),
    "app/contract/event_guide.py": (1, CONTRACT),
    "app/contract/json_schema.py": (1, CONTRACT),
    "app/web/kernel/openapi.py": (1, CONTRACT),
    "app/web/api/deliveries.py": (1, CONTRACT),
    "app/web/api/description.py": (1, CONTRACT),
    "app/web/api/query_parameters.py": (2, CONTRACT),
    "app/web/merchant/orders.py": (2, CONTRACT),
    "app/web/merchant/payments.py": (1, CONTRACT),
    "app/web/merchant/refunds.py": (1, CONTRACT),
    "app/webhooks/events.py": (1, CONTRACT),
    "app/web/merchant/deliveries.py": (6, WEBHOOKS),
    "app/web/merchant/endpoints.py": (8, WEBHOOKS),
    "app/webhooks/conformance.py": (4, WEBHOOKS),
    "app/webhooks/deliver.py": (5, WEBHOOKS),
    "app/webhooks/queries.py": (8, WEBHOOKS),
    "app/webhooks/service.py": (6, WEBHOOKS),
}
SUBSCRIPTS = {  # the same of columns that are read as row["name"] outside `queries`
    "app/accounts/logins.py": (2, STATEMENT),
    "app/accounts/service.py": (1, STATEMENT),
    "app/accounts/sessions.py": (3, STATEMENT),
    "app/audit/service.py": (2, STATEMENT),
    "app/backup/proofs.py": (9, STATEMENT),
    "app/backup/restoring.py": (2, STATEMENT),
    "app/backup/schema.py": (9, STATEMENT),
    "app/backup/taking.py": (2, STATEMENT),
    "app/forms/service.py": (4, STATEMENT),
    "app/inbox/service.py": (1, STATEMENT),
    "app/keys/key_rotation.py": (3, STATEMENT),
    "app/keys/reveal.py": (1, STATEMENT),
    "app/merchants/api_keys.py": (1, STATEMENT),
    "app/merchants/idempotency.py": (2, STATEMENT),
    "app/merchants/members.py": (2, STATEMENT),
    "app/orders/letters.py": (5, STATEMENT),
    "app/orders/placing.py": (2, STATEMENT),
    "app/orders/promised_times.py": (2, STATEMENT),
    "app/payments/create.py": (2, STATEMENT),
    "app/payments/reconcile.py": (1, STATEMENT),
    "app/queue/breakers.py": (1, STATEMENT),
    "app/queue/service.py": (3, STATEMENT),
    "app/catalog/codes.py": (11, SUPPLIERS),
    "app/catalog/credits.py": (3, SUPPLIERS),
    "app/catalog/listing.py": (6, SUPPLIERS),
    "app/catalog/products.py": (8, SUPPLIERS),
    "app/catalog/reprice.py": (4, SUPPLIERS),
    "app/catalog/service.py": (3, SUPPLIERS),
    "app/fulfillment/customer_letters.py": (3, SUPPLIERS),
    "app/fulfillment/stuck_orders.py": (6, SUPPLIERS),
    "app/fulfillment/withdrawal.py": (9, SUPPLIERS),
    "app/webhooks/deliver.py": (1, WEBHOOKS),
    "app/webhooks/publish.py": (7, WEBHOOKS),
}
MOST_UNTYPED, MOST_SUBSCRIPTS = 115, 136  # all of the above: whoever takes some away lowers it


def test_no_module_says_more_often_than_it_may_that_a_row_is_a_dict_of_anything() -> None:
    found = {name: untyped(tree) for name, tree in modules("app", "actors")}
    assert {name: n for name, n in found.items() if n > UNTYPED.get(name, (0, ""))[0]} == {}


def test_no_column_is_read_by_a_string_outside_queries_but_where_it_may() -> None:
    found = {name: subscripts(tree) for name, tree in modules("app", "actors") if not name.endswith("queries.py")}
    assert {name: n for name, n in found.items() if n > SUBSCRIPTS.get(name, (0, ""))[0]} == {}


def test_what_may_be_untyped_only_shrinks() -> None:
    assert sum(n for n, _ in UNTYPED.values()) <= MOST_UNTYPED
    assert sum(n for n, _ in SUBSCRIPTS.values()) <= MOST_SUBSCRIPTS


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("row = await db.fetch_one(sql)\n    return row['id']", 1),
        ("return [row['id'] for row in await db.fetch(sql)]", 1),
        ("rows = await db.fetch(sql)\n    for row in rows:\n        print(row['id'], row['name'])", 2),
        ("(row,) = await db.write(one)\n    return row['id']", 1),
        ("return (await db.fetch(sql))[0]['id']", 1),
        ("order = await db.fetch_one_as(Order, sql)\n    return order.id", 0),
        ("claims = tokens.read(kind, token)\n    return claims['key']", 0),
    ],
)
def test_columns_read_by_strings_are_found(text: str, columns: int) -> None:
    assert subscripts(ast.parse(f"async def f():\n    {text}\n")) == columns


def test_dicts_of_anything_are_found_wherever_they_stand() -> None:
    assert untyped(ast.parse("def f(a: list[dict[str, Any]]) -> dict[str, Any] | None: ...")) == 2
