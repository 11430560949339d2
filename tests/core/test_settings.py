"""Settings: checked in a process that takes any environment it is told, as each deployment's own does."""

import base64
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app.core import settings_checks as checks
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
KEY = "wX0p7m1rJ5J3oQ0b6aK9uT2fV8nC4dYzL1hGsEiRqM4="
SECRET = "Vd0q7Zr2Lw9Xc4Tb6Ny1Km8Hs3Gf5Jp0"
BASIS = {
    "BITLOOT_ENV": "development",
    "DATABASE_URL": "postgresql://u@db/x",
    "REDIS_URL": "redis://cache",
    "JWT_SECRET": SECRET,
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
    "KINGUIN_WEBHOOK_SECRET": "kw-8f2Lq0Zx7Rt5Vn",
    "R2_ENDPOINT": "https://r2.example",
    "R2_ACCESS_KEY_ID": "a",
    "R2_SECRET_ACCESS_KEY": "b",
    "R2_BUCKET": "sealed-keys",
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
        ({"DATABASE_URL": "postgres://u:hunter2@h/d?sslmode=hunter2"}, {"DATABASE_URL"}),
        ({"DATABASE_MAX_CONNECTIONS": "14"}, {"DATABASE_MAX_CONNECTIONS"}),
        ({"DATABASE_MAX_CONNECTIONS": "17", "WEB_PROCESSES": "2"}, {"DATABASE_MAX_CONNECTIONS"}),
        ({"REDIS_URL": "http://hunter2"}, {"REDIS_URL"}),
        ({"JWT_SECRET": "hunter2"}, {"JWT_SECRET"}),
        ({"MASTER_KEYS": "hunter2"}, {"MASTER_KEYS"}),
        ({"MASTER_KEYS": "k1:hunter2"}, {"MASTER_KEYS"}),
        ({"MASTER_KEYS": f"k1:{KEY[:-8]}"}, {"MASTER_KEYS"}),
        ({"R2_BUCKET": "hunter2"}, {"R2_ENDPOINT,"}),
        ({"LATE_SLIPPAGE_PERCENT": "hunter2"}, {"LATE_SLIPPAGE_PERCENT:"}),
        ({"RETENTION_DAYS": "0"}, {"RETENTION_DAYS:"}),
        ({"SHOP_CURRENCY": "hunter2"}, {"SHOP_CURRENCY:"}),
        ({"PORT": "70000", "LIMIT_ORDERS": "-1"}, {"PORT:", "LIMIT_ORDERS:"}),
        ({"PORT": "hunter2", "JWT_SECRET": "short", "DATABASE_URL": ""}, {"PORT:", "JWT_SECRET", "DATABASE_URL"}),
    ],
)
def test_all_that_is_wrong_is_named_and_no_value_shown(load: Load, change: dict[str, str], named: set[str]) -> None:
    said = faults(load, BASIS | change)
    assert {line.split()[0] for line in said} == named
    assert "hunter2" not in "".join(said)


def test_a_start_without_the_environments_name_is_refused(load: Load) -> None:
    for given in ({}, {"BITLOOT_ENV": ""}):
        rest = {n: v for n, v in BASIS.items() if n != "BITLOOT_ENV"} | given
        assert [line.split()[0] for line in faults(load, rest)] == ["BITLOOT_ENV"]
        nothing = {"BITLOOT_VAR": "/nowhere"} | given
        assert {line.split()[0] for line in faults(load, nothing)} >= {"BITLOOT_ENV", "DATABASE_URL", "MASTER_KEYS"}
    assert [line.split()[0] for line in faults(load, BASIS | {"BITLOOT_ENV": "Production"})] == ["BITLOOT_ENV:"]


COPIED_BADLY = (
    "{}\n",
    "{}\r\n",
    " {}",
    "{} ",
    "\t{}",
    '"{}"',
    "'{}'",
    "a\nb{}",
    "{}\u00a0",
    "\ufeff{}",
    "clé {}",
    "{}\x7f",
)


@pytest.mark.parametrize("spelling", COPIED_BADLY)
@pytest.mark.parametrize(
    "name", ["KINGUIN_API_KEY", "NOWPAYMENTS_API_KEY", "RESEND_API_KEY", "KINGUIN_WEBHOOK_SECRET", "R2_ACCESS_KEY_ID"]
)
def test_a_key_that_was_copied_with_something_around_it_is_named(load: Load, name: str, spelling: str) -> None:
    for basis in (PRODUCTION, {**PRODUCTION, "BITLOOT_ENV": "development", "FRONTEND_URL": "", "WEBHOOK_BASE_URL": ""}):
        said = faults(load, basis | {name: spelling.format("hunter2-hunter2-hunter2")})
        assert [line.split()[0] for line in said] == [name]
        assert "hunter2" not in "".join(said)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FRONTEND_URL", "https://shop.example/shop"), ("FRONTEND_URL", "https://u:hunter2@shop.example"),
        ("FRONTEND_URL", "https://shop.example?x=hunter2"), ("FRONTEND_URL", "https://shop.example\n"),
        ("WEBHOOK_BASE_URL", "https://shop.example/hooks"), ("NOWPAYMENTS_BASE_URL", "https://[hunter2/v1"),
        ("KINGUIN_BASE_URL", "https://h:port/x"), ("R2_ENDPOINT", "https://r2.example/bucket"),
        ("R2_ENDPOINT", "hunter2"),
        ("R2_BUCKET", "My Bucket"), ("R2_BUCKET", "a"), ("R2_BUCKET", "hunter2/"), ("MAIL_FROM", "hunter2"),
        ("MAIL_FROM", "Shop <hunter2>"), ("MAIL_FROM", "Shop <a@b@c.example>"), ("MAIL_FROM", "keys@localhost\n"),
        ("MAIL_FROM", "a@hunter2"), ("SHOP_NAME", "Loot\nBcc: x@y.example"), ("R2_ACCESS_KEY_ID", "a b"),
    ],
)  # fmt: skip
def test_what_is_accepted_can_work(load: Load, name: str, value: str) -> None:
    said = faults(load, PRODUCTION | {name: value})
    assert [line.split()[0] for line in said] == [name]
    assert "hunter2" not in "".join(said)


@pytest.mark.parametrize(
    "sender", ["keys@shop.example", "Shop <keys@shop.example>", '"Shop, keys" <keys@shop.example>']
)
def test_each_spelling_of_a_sender_is_taken(load: Load, sender: str) -> None:
    assert load(PRODUCTION | {"MAIL_FROM": sender})["mail_from"] == sender


def test_an_address_has_one_spelling_afterwards(load: Load) -> None:
    found = load(
        PRODUCTION | {"FRONTEND_URL": "HTTPS://Shop.Example/", "NOWPAYMENTS_BASE_URL": "https://api.nowpayments.io/v1/"}
    )
    assert (found["frontend_url"], found["nowpayments_base_url"]) == (
        "https://shop.example", "https://api.nowpayments.io/v1",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("NOWPAYMENTS_BASE_URL", "https://api-sandbox.nowpayments.io/v1"),
        ("NOWPAYMENTS_BASE_URL", "https://API-Sandbox.nowpayments.io/v1"),
        ("NOWPAYMENTS_BASE_URL", "https://api.sandbox.nowpayments.io/v1"),
        ("KINGUIN_BASE_URL", "https://gateway.sandbox.kinguin.net/esa/api"),
    ],
)
def test_production_refuses_a_providers_public_sandbox(load: Load, name: str, address: str) -> None:
    (said,) = faults(load, PRODUCTION | {name: address})
    assert said == f"{name} is the provider's sandbox, where anybody can pay with play money"


def test_a_shop_may_be_called_after_a_sandbox(load: Load) -> None:
    assert "faults" not in load(PRODUCTION | {"FRONTEND_URL": "https://sandbox-games.example"})


GUESSABLE = (
    "x" * 48,
    "abcd" * 12,
    "changeme-changeme-now-please-2026",
    "a" * 31 + "b",
    "0123456789abcdef0123456789abcdef",
)


@pytest.mark.parametrize("name", ["JWT_SECRET", "AUDIT_KEY", "BACKUP_KEY"])
@pytest.mark.parametrize("secret", GUESSABLE)
def test_production_refuses_a_secret_that_can_be_guessed(load: Load, name: str, secret: str) -> None:
    (said,) = faults(load, PRODUCTION | {name: secret})
    assert said.startswith(f"{name} is easy to guess")
    assert secret not in said


def test_production_refuses_to_make_passwords_cheap_to_guess(load: Load) -> None:
    assert load(PRODUCTION)["password_memory_kib"] == 65_536
    (said,) = faults(load, PRODUCTION | {"PASSWORD_MEMORY_KIB": "19455"})
    assert said.startswith("PASSWORD_MEMORY_KIB must be at least 19456")
    assert load(PRODUCTION | {"PASSWORD_MEMORY_KIB": "19456"})["password_memory_kib"] == 19_456


WEAK_KEYS = (
    bytes(32),
    b"\xff" * 32,
    bytes(range(32)),
    bytes(range(32, 0, -1)),
    b"this is my very secret key of 32",
    b"ab" * 16,
)


@pytest.mark.parametrize("key", WEAK_KEYS)
def test_production_refuses_a_master_key_that_was_not_drawn(load: Load, key: bytes) -> None:
    weak = f"k2:{base64.b64encode(key).decode()}"
    for keys in (weak, f"{weak},k1:{KEY}"):
        (said,) = faults(load, PRODUCTION | {"MASTER_KEYS": keys})
        assert said == "MASTER_KEYS begins with a key that is not random (k2): make one with `openssl rand -base64 32`"
    assert "faults" not in load(PRODUCTION | {"MASTER_KEYS": f"k1:{KEY},{weak}"})  # being rotated out


def test_a_thousand_drawn_secrets_are_all_taken(load: Load) -> None:
    for _ in range(1000):
        assert not checks.weak_master_key(os.urandom(32))
        assert not checks.guessable(secrets.token_hex(32))
        assert not checks.guessable(base64.b64encode(os.urandom(48)).decode())


def test_development_at_a_public_address_does_not_start_on_secrets_that_everybody_knows(load: Load) -> None:
    (said,) = faults(
        load, BASIS | {"FRONTEND_URL": "https://shop.example", "WEBHOOK_BASE_URL": "http://127.0.0.1:8000"}
    )
    assert said.startswith("FRONTEND_URL can be reached by others, but KINGUIN_API_KEY, KINGUIN_WEBHOOK_SECRET,")
    assert "faults" not in load(
        PRODUCTION | {"BITLOOT_ENV": "development", "NOWPAYMENTS_BASE_URL": "https://api-sandbox.nowpayments.io/v1"}
    )


@pytest.mark.parametrize("host", ["http://web:8000", "http://10.0.0.7:8000", "http://192.168.1.4", "http://[::1]:8000"])
def test_development_in_a_private_network_starts(load: Load, host: str) -> None:
    assert "faults" not in load(BASIS | {"WEBHOOK_BASE_URL": host})


@pytest.mark.parametrize("host", ["http://203.0.114.7", "http://shop.example:8000", "https://[2a00:1450::1]"])
def test_development_reached_from_outside_does_not(load: Load, host: str) -> None:
    assert [line.split()[0] for line in faults(load, BASIS | {"WEBHOOK_BASE_URL": host})] == ["WEBHOOK_BASE_URL"]


def test_the_sandbox_may_be_elsewhere(load: Load) -> None:
    found = load(BASIS | {"SANDBOX_URL": "http://sandbox:8010"})
    assert found["nowpayments_base_url"] == "http://sandbox:8010/nowpayments/v1"
    assert found["resend_base_url"] == "http://sandbox:8010/resend"
