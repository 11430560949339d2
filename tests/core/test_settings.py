"""Settings: checked in a process that takes any environment it is told, as each deployment's own does."""

import base64
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.conftest import ROOT

LOADER = """
import json, os, sys
from app.core.settings import BadSettings, load_settings
print("ready", flush=True)
for line in sys.stdin:
    os.environ.clear()
    os.environ.update(json.loads(line))
    try:
        print(load_settings().model_dump_json(), flush=True)
    except BadSettings as bad:
        print(json.dumps({"faults": str(bad).splitlines()}), flush=True)
"""
KEY = base64.b64encode(bytes(32)).decode()
BASIS = {
    "DATABASE_URL": "postgresql://u@db/x",
    "REDIS_URL": "redis://cache",
    "JWT_SECRET": "j" * 32,
    "MASTER_KEYS": f"k1:{KEY}",
    "BITLOOT_VAR": "/nowhere",
}
PRODUCTION = BASIS | {
    "BITLOOT_ENV": "production",
    "FRONTEND_URL": "https://shop.example",
    "WEBHOOK_BASE_URL": "https://shop.example",
    "NOWPAYMENTS_API_KEY": "np",
    "NOWPAYMENTS_IPN_SECRET": "ipn",
    "KINGUIN_API_KEY": "kg",
    "KINGUIN_WEBHOOK_SECRET": "kw",
    "R2_ENDPOINT": "https://r2.example",
    "R2_ACCESS_KEY_ID": "a",
    "R2_SECRET_ACCESS_KEY": "b",
    "R2_BUCKET": "c",
    "RESEND_API_KEY": "re",
    "MAIL_FROM": "Shop <keys@shop.example>",
}
NEEDED = set(PRODUCTION) - {"BITLOOT_ENV", "BITLOOT_VAR"}
Load = Callable[[dict[str, str]], dict[str, Any]]


@pytest.fixture(scope="module")
def load() -> Iterator[Load]:
    command = [sys.executable, "-c", LOADER]
    with subprocess.Popen(command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        given, answers = process.stdin, process.stdout
        assert answers.readline() == "ready\n"

        def ask(environment: dict[str, str]) -> dict[str, Any]:
            given.write(json.dumps(environment) + "\n")
            given.flush()
            return dict(json.loads(answers.readline()))

        yield ask
        given.close()


def faults(load: Load, environment: dict[str, str]) -> list[str]:
    return list(load(environment).get("faults", []))


def test_development_fills_in_the_sandbox(load: Load) -> None:
    found = load(BASIS | {"PORT": "8123", "SANDBOX_PORT": "8124"})
    assert found["nowpayments_base_url"] == "http://127.0.0.1:8124/nowpayments/v1"
    assert found["frontend_url"] == "http://127.0.0.1:8123"


def test_production_with_nothing_names_all_it_needs_at_once(load: Load) -> None:
    said = faults(load, {"BITLOOT_ENV": "production"})
    assert {line.split()[0] for line in said} == NEEDED


@pytest.mark.parametrize("name", sorted(NEEDED))
def test_production_names_the_one_thing_that_is_missing(load: Load, name: str) -> None:
    rest = {n: v for n, v in PRODUCTION.items() if n != name}
    assert name in {line.split()[0] for line in faults(load, rest)}


def test_a_complete_production_starts_with_the_providers_own_addresses(load: Load) -> None:
    found = load(PRODUCTION)
    assert "faults" not in found
    assert found["nowpayments_base_url"] == "https://api.nowpayments.io/v1"
    assert found["kinguin_base_url"] == "https://gateway.kinguin.net/esa/api"
    assert found["limit_orders"] == 10


@pytest.mark.parametrize(
    "name", ["NOWPAYMENTS_API_KEY", "NOWPAYMENTS_IPN_SECRET", "KINGUIN_API_KEY", "KINGUIN_WEBHOOK_SECRET"]
)
def test_production_refuses_a_sandbox_default(load: Load, name: str) -> None:
    assert [line.split()[0] for line in faults(load, PRODUCTION | {name: "sandbox-ipn-secret"})] == [name]


@pytest.mark.parametrize(
    "name", ["FRONTEND_URL", "WEBHOOK_BASE_URL", "NOWPAYMENTS_BASE_URL", "KINGUIN_BASE_URL", "RESEND_BASE_URL"]
)
@pytest.mark.parametrize("url", ["http://shop.example", "https://localhost/x", "https://127.0.0.1", "shop.example"])
def test_production_refuses_an_address_that_is_not_public_https(load: Load, name: str, url: str) -> None:
    assert faults(load, PRODUCTION | {name: url}) == [f"{name} must be a public https address"]


@pytest.mark.parametrize(
    "url", ["postgres://u:p@h/d", "postgresql://u@h/d", "postgresql://postgres:@/postgres?host=/x"]
)
def test_every_spelling_of_a_postgres_address_is_taken(load: Load, url: str) -> None:
    assert load(BASIS | {"DATABASE_URL": url})["database_url"] == "**********"


@pytest.mark.parametrize("url", ["redis://h", "rediss://:p@h:6380", "unix:///run/redis.sock"])
def test_every_spelling_of_a_redis_address_is_taken(load: Load, url: str) -> None:
    assert load(BASIS | {"REDIS_URL": url})["redis_url"] == "**********"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"DATABASE_URL": "mysql://hunter2@h/d"}, {"DATABASE_URL"}),
        ({"REDIS_URL": "http://hunter2"}, {"REDIS_URL"}),
        ({"JWT_SECRET": "hunter2"}, {"JWT_SECRET"}),
        ({"MASTER_KEYS": "hunter2"}, {"MASTER_KEYS"}),
        ({"MASTER_KEYS": "k1:hunter2"}, {"MASTER_KEYS"}),
        ({"MASTER_KEYS": f"k1:{KEY[:-8]}"}, {"MASTER_KEYS"}),
        ({"R2_BUCKET": "hunter2"}, {"R2_ENDPOINT,"}),
        ({"EUR_RATE": "hunter2"}, {"EUR_RATE:"}),
        ({"EUR_RATE": "0"}, {"EUR_RATE:"}),
        ({"SHOP_CURRENCY": "hunter2"}, {"SHOP_CURRENCY:"}),
        ({"PORT": "70000", "LIMIT_ORDERS": "-1"}, {"PORT:", "LIMIT_ORDERS:"}),
        ({"PORT": "hunter2", "JWT_SECRET": "short", "DATABASE_URL": ""}, {"PORT:", "JWT_SECRET", "DATABASE_URL"}),
    ],
)
def test_all_that_is_wrong_is_named_and_no_value_shown(load: Load, change: dict[str, str], named: set[str]) -> None:
    said = faults(load, BASIS | change)
    assert {line.split()[0] for line in said} == named
    assert "hunter2" not in "".join(said)
