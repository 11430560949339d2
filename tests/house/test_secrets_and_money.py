"""No float touches money, no log line touches a secret, and plaintext is opened in one place."""

import ast

from tests.house.source import SHOP, calls, modules

FLOATS = {  # where a float is a time or JavaScript's own spelling of a number, never an amount
    "app/providers/answers.py",
    "app/core/signing.py",
}
OPENED = {  # sealing, the page that shows a key, what signs to merchants, and what tells imported keys apart
    "app/core/crypto.py", "app/web/store/reveals.py", "app/webhooks/secrets.py",
    "app/suppliers/own_stock_import.py",
}  # fmt: skip
LEVELS = {"debug", "info", "warning", "error", "exception", "critical", "log"}
SECRETS = {
    "reveal", "serial", "plaintext", "plain", "_secret", "get_secret_value", "password", "hashed", "link_token",
    "orders_token", "session_token", "token", "invoice_url", "recipient", "email",
}  # fmt: skip


def named(*nodes: ast.AST) -> set[str]:
    """All names, attributes and keywords in these, strings apart."""
    parts = [part for node in nodes for part in ast.walk(node)]
    names = {part.id for part in parts if isinstance(part, ast.Name)}
    return names | {getattr(part, "attr", None) or getattr(part, "arg", None) or "" for part in parts}


def outside_the_sandbox():
    return modules("app", "actors")


def test_nothing_is_turned_into_a_float_where_money_passes() -> None:
    found = {n for n, tree in outside_the_sandbox() for c in calls(tree) if ast.unparse(c.func) == "float"}
    assert found <= FLOATS


def test_money_columns_are_exact() -> None:
    inexact = {"Real", "Float", "DoublePrecision"}
    for name, tree in modules("app"):
        if name.endswith("tables.py"):
            assert not {ast.unparse(c.func) for c in calls(tree)} & inexact, name


def test_what_the_world_says_is_parsed_strictly() -> None:
    """``json.loads`` would make floats of amounts; in rooms it reads what we wrote ourselves."""
    doors = ("app/providers/", "app/web/hooks/", "app/web/kernel/body.py")
    loose = {"json.loads", "json.load", "msgspec.json.decode", "response.json", "request.json"}
    found = {
        n for n, tree in modules("app") if n.startswith(doors) for c in calls(tree) if ast.unparse(c.func) in loose
    }
    assert found == set()


def test_no_log_line_is_given_a_secret_or_an_address() -> None:
    told = [
        f"{name}:{call.lineno} {sorted(named(*call.args, *call.keywords) & SECRETS)}"
        for name, tree in modules(*SHOP)
        for call in calls(tree)
        if isinstance(call.func, ast.Attribute | ast.Name)
        and (call.func.attr if isinstance(call.func, ast.Attribute) else call.func.id) in LEVELS
        and named(*call.args, *call.keywords) & SECRETS
    ]
    assert told == []


def test_plaintext_is_opened_in_one_place_only() -> None:
    opened = {
        name
        for name, tree in modules(*SHOP)
        for call in calls(tree)
        if isinstance(call.func, ast.Attribute) and call.func.attr == "reveal" and not call.args and not call.keywords
    }
    assert opened == OPENED


def test_no_error_is_raised_with_a_secret_in_its_words() -> None:
    raised = [
        f"{name}:{node.lineno}"
        for name, tree in outside_the_sandbox()
        for node in ast.walk(tree)
        if isinstance(node, ast.Raise) and node.exc is not None and named(node.exc) & SECRETS
    ]
    assert raised == []


def test_no_transaction_is_opened_beside_ours() -> None:
    """Work to be done after the commit hangs on our own transaction; Piccolo's would not run it."""
    beside = {
        name
        for name, tree in modules(*SHOP)
        for call in calls(tree)
        if ast.unparse(call.func).endswith((".transaction", ".atomic")) and ast.unparse(call.func) != "db.transaction"
    }
    assert beside == {"app/core/db.py"}
