"""The rooms: arrows point down, also in the database; imports stand on top; no room is a cupboard."""

import ast
import importlib
import inspect
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from piccolo.table import Table

from app.core import db
from app.core.settings import Settings
from tests.conftest import ROOT
from tests.house.source import ALL, SHOP, imported, modules

_LAYERS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]["layers"]
FLOORS = [[name.strip().removeprefix("app.") for name in layer.split("|")] for layer in _LAYERS]
"""The floors from the top down, as pyproject.toml has them: the one place where they are written."""
ROOMS = sorted(path.parent.name for path in (ROOT / "app").glob("*/tables.py"))
IN_SQL = re.compile(r"\b(?:FROM|JOIN|INTO|UPDATE)\s+(?:ONLY\s+)?([a-z_]+)")
# Each with its reason beside it. None is added.
LOOKS_UPWARD = {
    "app/ledger/queries.py": {"payment"},
    "app/orders/queries.py": {"payment", "money_use"},
    "app/payments/queries.py": {"refund"},
}
CUPBOARDS = {"utils", "util", "helpers", "helper", "manager", "base", "common", "misc"}
LONGEST_FILE = 400  # lines
SPEAKERS = ("app/providers/", "dev/sandbox/")  # who talks to the world; dev/up.py asks whether our own processes answer


def floor(room: str) -> int:
    return next(number for number, rooms in enumerate(FLOORS) if room in rooms)


def test_imports_only_run_down_the_floors() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr


def test_no_import_stands_inside_a_function() -> None:
    functions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    inside = [
        f"{name}:{node.lineno}"
        for name, tree in modules(*SHOP)
        for function in ast.walk(tree)
        if isinstance(function, functions)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert inside == []


def test_only_four_modules_load_others_late() -> None:
    """The object store's library costs 30 MB, a deployment has no embedded servers installed, and a command needs no
    other command."""
    late = {name for name, tree in modules(*SHOP) if "importlib" in imported(tree)}
    assert late == {"app/providers/kit.py", "app/cli/main.py", "app/cli/start.py", "app/cli/backups.py"}


def test_only_providers_and_the_sandbox_speak_http_to_others() -> None:
    libraries = {"httpx", "requests", "urllib.request", "urllib3", "aiohttp", "http.client"}
    speak = {name for name, tree in modules(*SHOP) if imported(tree) & libraries}
    assert {name for name in speak if not name.startswith(SPEAKERS)} == {"dev/up.py"}


def test_no_file_is_too_long_to_be_read() -> None:
    long = {name for name, _ in modules(*ALL) if len((ROOT / name).read_text().splitlines()) > LONGEST_FILE}
    assert long == set()


def test_no_module_is_a_cupboard() -> None:
    assert {name for name, _ in modules(*ALL) if Path(name).stem in CUPBOARDS} == set()


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_has_a_door_plate(room: str) -> None:
    said = importlib.import_module(f"app.{room}").__doc__
    assert said
    assert len(said) > 40


def test_every_room_has_its_floor() -> None:
    assert {*ROOMS, "core"} <= {room for rooms in FLOORS for room in rooms}


def room_of_tables() -> dict[str, str]:
    return {
        table._meta.tablename: room
        for room in ROOMS
        for _, table in inspect.getmembers(importlib.import_module(f"app.{room}.tables"), inspect.isclass)
        if issubclass(table, Table) and table.__module__ == f"app.{room}.tables"
    }


def upward_tables(source: str, room: str, room_of: dict[str, str]) -> set[str]:
    """The tables of higher rooms, and of other rooms on the same floor, that the SQL strings of a module name."""
    strings = (node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant))
    named = {table for text in strings if isinstance(text, str) for table in IN_SQL.findall(text)}
    return {
        table for table in named & room_of.keys() if room_of[table] != room and floor(room_of[table]) <= floor(room)
    }


def test_sql_names_tables_of_its_own_room_and_of_rooms_below() -> None:
    room_of, floors = room_of_tables(), {room for rooms in FLOORS for room in rooms}
    upward = {
        path.relative_to(ROOT).as_posix(): found
        for path in sorted((ROOT / "app").rglob("*.py"))
        for room in [path.relative_to(ROOT).parts[1]]
        if room in floors and (found := upward_tables(path.read_text(), room, room_of))
    }
    assert upward == LOOKS_UPWARD


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('"SELECT 1 FROM payment p"', {"payment"}),
        ('f"SELECT 1 FROM customer_order o JOIN refund r ON {1}"', {"refund"}),
        ('"UPDATE payment SET a = 1"', {"payment"}),
        ('"INSERT INTO sealed_key VALUES (1)"', {"sealed_key"}),
        ('"SELECT 1 FROM order_item, product"', set()),
    ],
)
def test_a_look_upwards_in_sql_is_found(source: str, found: set[str]) -> None:
    assert upward_tables(source, "orders", room_of_tables()) == found


async def test_foreign_keys_point_down_or_stay_in_their_room(app) -> None:
    room_of = room_of_tables()
    keys = await db.fetch(
        """SELECT conrelid::regclass::text AS child, confrelid::regclass::text AS parent
           FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace"""
    )
    assert len(keys) > 5
    upward = [
        f"{key['child']} -> {key['parent']}"
        for key in keys
        if room_of[key["child"]] != room_of[key["parent"]]
        and floor(room_of[key["child"]]) >= floor(room_of[key["parent"]])
    ]
    assert upward == []


def test_every_setting_is_explained_in_the_example() -> None:
    example = (ROOT / ".env.example").read_text()
    lines = [line.lstrip("# ") for line in example.splitlines()]
    named = {line.partition("=")[0].strip() for line in lines if "=" in line}
    assert {name.upper() for name in Settings.model_fields} <= named


def test_an_orders_row_is_locked_in_one_place() -> None:
    locked = re.compile(r"(FROM|JOIN) customer_order\b.*\bFOR (NO KEY )?UPDATE", re.DOTALL)
    strings = (ast.Constant, ast.JoinedStr)
    found = {
        name
        for name, tree in modules(*ALL)
        for node in ast.walk(tree)
        if isinstance(node, strings) and locked.search(ast.unparse(node))
    }
    assert found == {"app/orders/changing.py"}
