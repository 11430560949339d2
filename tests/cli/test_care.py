"""``bitloot doctor`` and ``bitloot migrate``, and what a command says when the settings or the database are bad."""

import asyncio

from pydantic import SecretStr

from app.cli import doctor
from app.core import db
from app.core.settings import settings
from tests.conftest import free_port

AWAY = "postgresql://nobody@127.0.0.1:{port}/nothing"


def states(done) -> dict[str, str]:
    """What the doctor says of each part."""
    return dict(line.split(maxsplit=1) for line in done.stdout.splitlines())


async def test_a_healthy_house_gets_a_line_for_each_part(app, bitloot) -> None:
    done = await bitloot("doctor")
    assert done.returncode == 0, done.stdout
    assert states(done).keys() >= {"database", "nowpayments", "kinguin", "mail", "storage"}
    assert set(states(done).values()) == {"ok"}


async def test_a_sick_provider_is_named_and_the_others_are_looked_at(app, box, bitloot) -> None:
    await box.fault("kinguin", "error500")
    done = await bitloot("doctor")
    assert done.returncode == 1
    assert "ProviderDown" in states(done).pop("kinguin")
    assert [name for name, words in states(done).items() if words != "ok"] == ["kinguin"]


def test_the_doctor_warns_that_bounces_are_not_read_without_the_webhooks_secret() -> None:
    assert doctor.warnings(settings()) == []
    [said] = doctor.warnings(settings().model_copy(update={"resend_webhook_secret": SecretStr("")}))
    assert said.startswith("RESEND_WEBHOOK_SECRET is not set: bounces and complaints are not read")


async def test_a_database_that_is_away_is_named_and_the_rest_is_looked_at(bitloot, box) -> None:
    done = await bitloot("doctor", env={"DATABASE_URL": AWAY.format(port=free_port())})
    assert done.returncode == 1
    assert [name for name, words in states(done).items() if words != "ok"] == ["database"]


async def test_commands_say_that_the_database_is_away(bitloot) -> None:
    env = {"DATABASE_URL": AWAY.format(port=free_port())}
    tried = await asyncio.gather(bitloot("jobs", "list", env=env), bitloot("migrate", env=env))
    for done in tried:
        assert done.returncode == 1
        assert "database" in (done.stdout + done.stderr).lower()


async def test_migrating_again_changes_nothing(app, bitloot) -> None:
    before = await db.fetch("SELECT * FROM migration ORDER BY id")
    for done in await asyncio.gather(bitloot("migrate"), bitloot("migrate")):
        assert done.returncode == 0
    assert await db.fetch("SELECT * FROM migration ORDER BY id") == before


async def test_all_faults_are_named_at_once_without_their_values(bitloot) -> None:
    bad = {"BITLOOT_ENV": "production", "JWT_SECRET": "tiny-value", "FRONTEND_URL": "http://127.0.0.1:8000"}
    bad |= {"PORT": "0", "LOG_LEVEL": "LOUD", "RETENTION_DAYS": "-4", "RESEND_API_KEY": "sandbox-resend-key"}
    done = await bitloot("doctor", env=bad | {"MASTER_KEYS": None, "DATABASE_URL": "mysql://u:pass-word@h/d"})
    assert (done.returncode, done.stdout) == (1, "")
    for name in (
        "PORT", "LOG_LEVEL", "RETENTION_DAYS", "MASTER_KEYS", "JWT_SECRET", "FRONTEND_URL", "NOWPAYMENTS_API_KEY",
        "NOWPAYMENTS_IPN_SECRET", "KINGUIN_API_KEY", "KINGUIN_WEBHOOK_SECRET", "R2_ENDPOINT", "MAIL_FROM",
        "DATABASE_URL must begin with", "RESEND_API_KEY is a sandbox default",
    ):  # fmt: skip
        assert name in done.stderr, name
    for value in ("tiny-value", "LOUD", "pass-word", "-4"):
        assert value not in done.stderr


async def test_every_command_refuses_bad_settings_in_words(bitloot) -> None:
    env = {"JWT_SECRET": "a secret that is short", "REDIS_URL": "http://nowhere", "MASTER_KEYS": "a:c2hvcnQ="}
    commands = (["jobs", "list"], ["admin", "create", "a@b.de", "--password", "x" * 12], ["migrate"], ["seed"])
    for done in await asyncio.gather(*(bitloot(*words, env=env) for words in commands)):
        assert done.returncode == 1, done.args
        assert "JWT_SECRET must have at least 32 characters" in done.stderr
        assert "REDIS_URL must begin with" in done.stderr
        assert "MASTER_KEYS can't be used" in done.stderr
        assert "a secret that is short" not in done.stderr
        assert "c2hvcnQ=" not in done.stderr


async def test_help_names_the_commands(bitloot) -> None:
    done = await bitloot("--help")
    assert done.returncode == 0
    for name in ("up", "doctor", "admin", "jobs", "catalog", "migrate"):
        assert f"\n  {name} " in done.stdout, name
