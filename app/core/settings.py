"""Settings: read from the environment, typed, checked once at start. All that is wrong is named at once."""

import base64
import contextlib
import ipaddress
import os
import re
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.core import database_url, pools, totp
from app.core import settings_checks as checks
from app.core.crypto import BadMasterKeys, MasterKeys

_INTERVALS = re.compile(r"true|false|[1-9]\d{0,4}(,[1-9]\d{0,4}){0,8}")
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
LEAST_PASSWORD_MEMORY = 19_456  # KiB for argon2id: OWASP's Password Storage Cheat Sheet
PRODUCTION_NEEDS = (
    "database_url",
    "redis_url",
    "frontend_url",
    "webhook_base_url",
    "jwt_secret",
    "master_keys",
    "nowpayments_api_key",
    "nowpayments_ipn_secret",
    "kinguin_api_key",
    "kinguin_webhook_secret",
    "r2_endpoint",
    "r2_access_key_id",
    "r2_secret_access_key",
    "r2_bucket",
    "resend_api_key",
    "mail_from",
)
PRODUCTION_URLS = {
    "nowpayments_base_url": "https://api.nowpayments.io/v1",
    "kinguin_base_url": "https://gateway.kinguin.net/esa/api",
    "resend_base_url": "https://api.resend.com",
    "rates_base_url": "https://api.frankfurter.dev/v1",
}
PAYOUT_DEFAULTS: dict[str, object] = {
    "nowpayments_email": "shop@bitloot.localhost",
    "nowpayments_password": "sandbox-payout-password",
    "nowpayments_totp_secret": "ONQW4ZDCN54C25DPORYA",
}


class BadSettings(Exception):
    """The environment can't be used; the text lists every fault, a line each, and no value."""


class Settings(BaseSettings):
    """One deployment. ``.env.example`` says what each variable means."""

    model_config = SettingsConfigDict(extra="ignore", hide_input_in_errors=True, env_ignore_empty=True)

    bitloot_env: Literal["development", "production"] = "development"
    bitloot_var: Path = Path("var")
    database_url: SecretStr = SecretStr("")
    database_max_connections: int = Field(0, ge=0, le=10_000)
    web_processes: int = Field(1, ge=1, le=100)
    worker_processes: int = Field(1, ge=1, le=100)
    redis_url: SecretStr = SecretStr("")
    port: int = Field(8000, ge=1, le=65535)
    sandbox_port: int = Field(8010, ge=1, le=65535)
    sandbox_url: str = ""
    frontend_url: str = ""
    webhook_base_url: str = ""
    proxy_hops: int = Field(0, ge=0, le=5)
    metrics_token: SecretStr = SecretStr("")
    proxy_header: Literal["x-forwarded-for", "forwarded"] = "x-forwarded-for"

    jwt_secret: SecretStr = SecretStr("")
    master_keys: SecretStr = SecretStr("")

    nowpayments_api_key: SecretStr = SecretStr("")
    nowpayments_ipn_secret: SecretStr = SecretStr("")
    nowpayments_base_url: str = ""
    kinguin_api_key: SecretStr = SecretStr("")
    kinguin_base_url: str = ""
    kinguin_webhook_secret: SecretStr = SecretStr("")
    kinguin_signature_secret: SecretStr = SecretStr("")
    r2_endpoint: str = ""
    r2_access_key_id: SecretStr = SecretStr("")
    r2_secret_access_key: SecretStr = SecretStr("")
    r2_bucket: str = ""
    resend_api_key: SecretStr = SecretStr("")
    resend_base_url: str = ""
    resend_webhook_secret: SecretStr = SecretStr("")
    mail_from: str = ""
    rates_base_url: str = ""

    shop_name: str = "BitLoot"
    shop_currency: Literal["USD", "EUR"] = "USD"
    audit_key: SecretStr = SecretStr("")
    backup_key: SecretStr = SecretStr("")
    nowpayments_email: str = ""
    nowpayments_password: SecretStr = SecretStr("")
    nowpayments_totp_secret: SecretStr = SecretStr("")
    underpaid_tolerance_amount: Decimal = Field(Decimal("0.50"), ge=0, le=100)
    late_slippage_percent: Decimal = Field(Decimal(3), ge=0, le=50)
    underpaid_tolerance_percent: Decimal = Field(Decimal(1), ge=0, le=10)
    retention_days: int = Field(365, ge=1)
    limit_orders: int = Field(0, ge=0)
    limit_payments: int = Field(0, ge=0)
    limit_reveals: int = Field(0, ge=0)
    limit_logins: int = Field(0, ge=0)
    limit_lookups: int = Field(0, ge=0)
    limit_api: int = Field(0, ge=0)
    limit_writes: int = Field(0, ge=0)
    limit_connections: int = Field(0, ge=0)
    limit_mailbox: int = Field(0, ge=0)
    password_memory_kib: int = Field(65_536, ge=32, le=1_048_576)
    test_mode: bool = False
    test_payment_success: bool = True
    test_processing_delay: int = Field(1000, ge=0, le=600_000)
    webhook_retry_intervals_test: str = "true"
    webhook_concurrency: int = Field(5, ge=1, le=50)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @property
    def production(self) -> bool:
        return self.bitloot_env == "production"

    @property
    def connections_needed(self) -> int:
        """The fewest database connections with which all processes work."""
        return pools.needed(pools.processes(self.web_processes, self.worker_processes))

    def pools(self, room: int | None) -> dict[pools.Role, int]:
        """Connections for one process of each kind; ``room``: what the database allows, None where nobody knows."""
        running = pools.processes(self.web_processes, self.worker_processes)
        limits = [limit for limit in (self.database_max_connections, room) if limit]
        return pools.shares(min(limits, default=pools.wanted(running)), running)

    @property
    def pays_out(self) -> bool:
        """Whether refunds go out through the provider's API; else they are recorded by hand."""
        return bool(self.nowpayments_email)

    @property
    def uses_r2(self) -> bool:
        return bool(self.r2_endpoint)

    @model_validator(mode="after")
    def _complete(self) -> "Settings":
        faults = _production_faults(self) if self.production else []
        named = {fault.split()[0] for fault in faults}
        faults += [fault for fault in _form_faults(self) if fault.split()[0] not in named]
        _fill(self, _production_defaults(self) if self.production else _development_defaults(self))
        faults += _general_faults(self)
        faults += [] if self.production else _exposed(self)
        if faults:
            raise BadSettings("\n".join(faults))
        for name in _ADDRESSES:
            if text := getattr(self, name.lower()):
                setattr(self, name.lower(), checks.plain_address(text))
        return self


def _fill(settings: Settings, defaults: dict[str, object]) -> None:
    for name, value in defaults.items():
        if not _text(getattr(settings, name)):
            setattr(settings, name, SecretStr(str(value)) if name in _SECRETS else value)


def _text(value: object) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return str(value) if value else ""


SANDBOX_MAIL_SECRET = "whsec_c2FuZGJveC1yZXNlbmQtd2ViaG9vay1zZWNyZXQ="  # noqa: S105 - our sandbox signs mail events with it


def _development_defaults(s: Settings) -> dict[str, object]:
    sandbox, shop = s.sandbox_url or f"http://127.0.0.1:{s.sandbox_port}", f"http://127.0.0.1:{s.port}"
    # Only for our own sandbox: another provider's address would refuse them.
    payouts = {} if s.nowpayments_base_url else PAYOUT_DEFAULTS
    return payouts | {
        "frontend_url": shop,
        "webhook_base_url": shop,
        "nowpayments_api_key": "sandbox-nowpayments-key",
        "nowpayments_ipn_secret": "sandbox-ipn-secret",
        "nowpayments_base_url": f"{sandbox}/nowpayments/v1",
        "kinguin_api_key": "sandbox-kinguin-key",
        "kinguin_webhook_secret": "sandbox-kinguin-webhook-secret",
        "kinguin_base_url": f"{sandbox}/kinguin/esa/api",
        "resend_api_key": "sandbox-resend-key",
        "resend_webhook_secret": SANDBOX_MAIL_SECRET,
        "resend_base_url": f"{sandbox}/resend",
        "rates_base_url": f"{sandbox}/rates/v1",
        "mail_from": "BitLoot <keys@bitloot.localhost>",
        "limit_orders": 6000,
        "limit_payments": 6000,
        "limit_reveals": 6000,
        "limit_logins": 600,
        "limit_lookups": 600,
        "limit_api": 60_000,
        "limit_writes": 6000,
        "limit_connections": 1000,
        "limit_mailbox": 1000,
    }


def _production_defaults(_s: Settings) -> dict[str, object]:
    return PRODUCTION_URLS | {
        "limit_orders": 10,
        "limit_payments": 10,
        "limit_reveals": 20,
        "limit_logins": 5,
        "limit_lookups": 5,
        "limit_api": 600,
        "limit_writes": 120,
        "limit_connections": 200,
        "limit_mailbox": 20,
    }


def _form_faults(s: Settings) -> list[str]:
    """What is wrong with texts as they were given, whatever the environment."""
    given = {name.upper(): text for name in _TEXTS if (text := _text(getattr(s, name)))}
    faults = checks.malformed(given)
    # An environment of tests puts its store behind a path of the sandbox, so that it can fail there.
    origins = tuple(name for name in _ORIGINS if s.production or name != "R2_ENDPOINT")
    faults += checks.bad_addresses({n: given[n] for n in _ADDRESSES if n in given}, origins=origins)
    if "bitloot_env" not in s.model_fields_set:
        faults.append(
            "BITLOOT_ENV is missing: set production for a shop that others can reach, development for your own machine"
            " (`bitloot up` sets it)"
        )
    if s.mail_from == s.mail_from.strip() and s.mail_from and (fault := checks.bad_sender(s.mail_from)):
        faults.append(fault)
    if s.r2_bucket and (fault := checks.bad_bucket(s.r2_bucket)):
        faults.append(fault)
    if s.port == s.sandbox_port and not s.production:
        faults.append("SANDBOX_PORT must differ from PORT")
    return faults


def _exposed(s: Settings) -> list[str]:
    """Development with secrets that everybody knows, at an address that others can reach."""
    public = [n for n in ("frontend_url", "webhook_base_url") if _is_public(getattr(s, n))]
    known = [n.upper() for n in sorted(_SECRETS) if _text(getattr(s, n)).startswith("sandbox-")]
    if not public or not known:
        return []
    return [
        f"{n.upper()} can be reached by others, but {', '.join(known)} are the sandbox's, which everybody knows:"
        " set your own, or BITLOOT_ENV=production"
        for n in public
    ]


def _is_public(address: str) -> bool:
    host = checks.split(address).hostname or ""
    with contextlib.suppress(ValueError):
        return not ipaddress.ip_address(host).is_private
    # A name without a dot is one of a private network, such as a service of a compose file.
    return "." in host and not host.endswith((".localhost", ".test", ".internal", ".local"))


def _production_faults(s: Settings) -> list[str]:
    faults = [f"{n.upper()} is missing" for n in PRODUCTION_NEEDS if not _text(getattr(s, n))]
    sandboxed = [n for n in _SECRETS if _text(getattr(s, n)).startswith("sandbox-")]
    faults += [f"{n.upper()} is a sandbox default: production needs the provider's own" for n in sandboxed]
    for name in ("frontend_url", "webhook_base_url", *PRODUCTION_URLS):
        text = getattr(s, name)
        url = checks.split(text)
        if text and (url.scheme != "https" or not url.hostname or url.hostname in LOOPBACK):
            faults.append(f"{name.upper()} must be a public https address")
        elif name in PRODUCTION_URLS and checks.is_provider_sandbox(text):
            faults.append(f"{name.upper()} is the provider's sandbox, where anybody can pay with play money")
    for name in ("jwt_secret", "audit_key", "backup_key"):
        if len(_text(getattr(s, name))) >= 32 and checks.guessable(_text(getattr(s, name))):
            faults.append(f"{name.upper()} is easy to guess: {checks.NEW_SECRET}")
    if 0 < len(_text(s.kinguin_webhook_secret)) < checks.SHORTEST_WEBHOOK_SECRET:
        faults.append(f"KINGUIN_WEBHOOK_SECRET must have at least {checks.SHORTEST_WEBHOOK_SECRET} characters")
    if s.password_memory_kib < LEAST_PASSWORD_MEMORY:
        faults.append(
            f"PASSWORD_MEMORY_KIB must be at least {LEAST_PASSWORD_MEMORY}: less makes passwords easy to guess"
        )
    faults += _weak_master_key(_text(s.master_keys))
    return faults


def _weak_master_key(text: str) -> list[str]:
    """Only the first key is judged: it wraps. One behind it is being rotated out and opens what it once wrapped."""
    ident, _, encoded = text.split(",")[0].strip().partition(":")
    with contextlib.suppress(ValueError):
        if checks.weak_master_key(base64.b64decode(encoded, validate=True)):
            return [
                f"MASTER_KEYS begins with a key that is not random ({ident}): make one with `openssl rand -base64 32`"
            ]
    return []


def _general_faults(s: Settings) -> list[str]:
    faults = []
    if not _text(s.database_url):
        faults.append("DATABASE_URL is missing (`bitloot up` starts a database of its own)")
    else:
        try:
            database_url.parse(_text(s.database_url)).options()
        except database_url.BadDatabaseUrl as bad:
            faults.append(f"DATABASE_URL {bad}")
    if 0 < s.database_max_connections < s.connections_needed:
        faults.append(
            f"DATABASE_MAX_CONNECTIONS is {s.database_max_connections}: with WEB_PROCESSES={s.web_processes} and "
            f"WORKER_PROCESSES={s.worker_processes} at least {s.connections_needed} are needed"
        )
    if not _text(s.redis_url):
        faults.append("REDIS_URL is missing (`bitloot up` starts a Redis of its own)")
    elif checks.split(_text(s.redis_url)).scheme not in {"redis", "rediss", "unix"}:
        faults.append("REDIS_URL must begin with redis://, rediss:// or unix://")
    if 0 < len(_text(s.jwt_secret)) < 32 or not _text(s.jwt_secret):
        faults.append("JWT_SECRET must have at least 32 characters")
    if 0 < len(_text(s.backup_key)) < 32:
        faults.append("BACKUP_KEY must have at least 32 characters, or be left out")
    if 0 < len(_text(s.audit_key)) < 32:
        faults.append("AUDIT_KEY must have at least 32 characters, or be empty")
    if 0 < len(_text(s.metrics_token)) < 16:
        faults.append("METRICS_TOKEN must have at least 16 characters, or be empty")
    if not _text(s.master_keys):
        faults.append("MASTER_KEYS is missing: id:base64 pairs, see .env.example")
    else:
        try:
            MasterKeys.parse(_text(s.master_keys))
        except BadMasterKeys as bad:
            faults.append(f"MASTER_KEYS can't be used: {bad}")
    if not _INTERVALS.fullmatch(s.webhook_retry_intervals_test):
        faults.append(
            'WEBHOOK_RETRY_INTERVALS_TEST must be "true" (5,10,15,20), "false" (as live), or 1 to 9 whole seconds'
        )
    if bool(s.nowpayments_email) != bool(_text(s.nowpayments_password)):
        faults.append("NOWPAYMENTS_EMAIL and NOWPAYMENTS_PASSWORD go together")
    try:
        totp.code(_text(s.nowpayments_totp_secret), 0)
    except ValueError:
        faults.append("NOWPAYMENTS_TOTP_SECRET is not base32")
    r2 = [s.r2_endpoint, _text(s.r2_access_key_id), _text(s.r2_secret_access_key), s.r2_bucket]
    if any(r2) and not all(r2):
        faults.append("R2_ENDPOINT, R2_ACCESS_KEY_ID, R2_SECRET_ACCESS_KEY and R2_BUCKET go together")
    return faults


_TEXTS = [name for name, field in Settings.model_fields.items() if field.annotation in {str, SecretStr}]
_ORIGINS = ("FRONTEND_URL", "WEBHOOK_BASE_URL", "R2_ENDPOINT")
_ADDRESSES = (*_ORIGINS, *(name.upper() for name in Settings.model_fields if name.endswith("_base_url")))
_SECRETS = {name for name, field in Settings.model_fields.items() if field.annotation is SecretStr}


def load_settings() -> Settings:
    """Settings from the environment; in development also from ``$BITLOOT_VAR/stack.env``, which ``bitloot up`` writes.

    Raises BadSettings naming every fault at once, never a value.
    """
    var = Path(os.environ.get("BITLOOT_VAR", "var"))
    stack = var / "stack.env" if os.environ.get("BITLOOT_ENV") != "production" else None
    try:
        return Settings(_env_file=stack)  # type: ignore[call-arg]
    except ValidationError as error:
        wrong = {str(e["loc"][0]): e["msg"] for e in error.errors(include_input=False) if e["loc"]}
    faults = [f"{name.upper()}: {message}" for name, message in wrong.items()]
    try:
        # The rest is checked with those fields at their defaults, so that one start names everything.
        Settings(_env_file=stack, **{name: Settings.model_fields[name].default for name in wrong})  # type: ignore[call-arg]
    except BadSettings as more:
        faults.append(str(more))
    raise BadSettings("\n".join(faults))


@lru_cache(maxsize=1)
def settings() -> Settings:
    """This process's settings, loaded once."""
    return load_settings()
