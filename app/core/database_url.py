"""One parser for database URLs as hosts hand them out: libpq's, with what other drivers and poolers have added to them.

What our driver lacks is dropped and named, so that a URL can be pasted as it is.
"""

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

SCHEME = re.compile(r"(postgres|postgresql)(\+[a-z0-9_]+)?://", re.IGNORECASE)
# First as RFC 3986 has it; then with a password pasted as it is, whose @ / ? # nobody has percent-encoded.
SHAPES = (
    re.compile(r"(?:(?P<who>[^@/?#]*)@)?(?P<where>[^@/?#]*)(?:/(?P<name>[^@?#]*))?(?:\?(?P<query>[^@#]*))?"),
    re.compile(r"(?P<who>.*)@(?P<where>[^@/?#]*)(?:/(?P<name>[^@?#]*))?(?:\?(?P<query>[^@#]*))?"),
)
HOST = re.compile(r"(?P<host>\[[^\]]*\]|[^:\[\]]*)(?::(?P<port>\d*))?")
DEFAULT_PORT = 5432
MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
MODE_SPELLINGS = {"true": "require", "1": "require", "on": "require", "no-verify": "require", "false": "disable",
                  "0": "disable", "off": "disable", "verify_ca": "verify-ca", "verify_full": "verify-full"}  # fmt: skip
SESSIONS = ("any", "primary", "standby", "read-write", "read-only", "prefer-standby")
PASSED_ON = ("application_name", "options", "search_path")  # Postgres' own, named in the first message of a connection
FILES = ("sslrootcert", "sslcert", "sslkey", "sslpassword")
SPELLINGS = {"dbname": "database", "username": "user", "ssl": "sslmode", "fallback_application_name": ""}
OF_NO_USE = {("client_encoding", "utf8"), ("schema", "public")}  # they say what is so anyway


class BadDatabaseUrl(ValueError):
    """The text says what is wrong and holds nothing of the URL."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a database is and how to get in. ``dropped`` names the parameters that were not understood."""

    hosts: tuple[str, ...]
    ports: tuple[int, ...]
    user: str | None
    password: str | None = field(repr=False)
    database: str | None
    mode: str | None = None
    files: Mapping[str, str] = field(default_factory=dict, repr=False)
    session: str | None = None
    server_settings: Mapping[str, str] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()

    @property
    def place(self) -> tuple[tuple[str, ...], tuple[int, ...], str | None]:
        """What two URLs of the same database have in common."""
        return self.hosts, self.ports, self.database or self.user

    def options(self, *, server_settings: bool = True) -> dict[str, Any]:
        """Arguments for ``asyncpg.connect``; ``server_settings``: for poolers that refuse them, False leaves them out.

        Raises BadDatabaseUrl where a certificate's file can't be used.
        """
        found: dict[str, Any] = {"user": self.user, "password": self.password, "database": self.database}
        if self.hosts:
            found |= {"host": list(self.hosts), "port": list(self.ports)}
        if self.mode is not None:
            found["ssl"] = _context(self.mode, self.files) if self.mode in MODES[3:] else self.mode
        if self.session is not None:
            found["target_session_attrs"] = self.session
        if self.server_settings and server_settings:
            found["server_settings"] = dict(self.server_settings)
        return {name: value for name, value in found.items() if value is not None}


def parse(url: str) -> Address:
    """Read a URL. Raises BadDatabaseUrl."""
    text = url.strip().strip("'\"")
    scheme = SCHEME.match(text)
    if scheme is None:
        raise BadDatabaseUrl("must begin with postgres:// or postgresql://")
    shape = next((found for one in SHAPES if (found := one.fullmatch(text, scheme.end()))), None)
    if shape is None:
        raise BadDatabaseUrl("can't be read: write it as postgresql://user:password@host:port/database")
    given, dropped = _parameters(shape["query"] or "")
    user, _, password = (shape["who"] or "").partition(":")
    hosts, ports = _places(given.pop("host", "") or shape["where"], given.pop("port", None))
    mode, session = _mode(given.pop("sslmode", "")), given.pop("target_session_attrs", None)
    return Address(
        hosts,
        ports,
        given.pop("user", None) or unquote(user) or None,
        given.pop("password", None) or unquote(password) or None,
        given.pop("database", None) or unquote(shape["name"] or "") or None,
        mode,
        {name: given.pop(name) for name in FILES if name in given},
        session if session in SESSIONS else None,
        {name: given.pop(name) for name in PASSED_ON if name in given},
        tuple(sorted({*dropped, *given})),
    )


def _parameters(query: str) -> tuple[dict[str, str], list[str]]:
    """Those we know, under our names, and the names of those we don't. Of one given twice the last counts."""
    known = {"host", "port", "user", "password", "database", "sslmode", "target_session_attrs", *FILES, *PASSED_ON}
    found, dropped = dict[str, str](), list[str]()
    for spelled, value in parse_qsl(query, keep_blank_values=True):
        name = SPELLINGS.get(spelled.lower(), spelled.lower())
        if name in known and value:
            if name == "target_session_attrs" and value not in SESSIONS:
                dropped.append(spelled)
            found[name] = value
        elif name and value and (name, value.lower()) not in OF_NO_USE:
            dropped.append(spelled)
    return found, dropped


def _places(where: str, port: str | None) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Hosts and their ports; a socket's folder is a host too."""
    hosts, ports = list[str](), list[int]()
    shared = (port or "").split(",")
    for number, one in enumerate(where.split(",") if where else []):
        found = HOST.fullmatch(one) if not one.startswith("/") else None
        host = unquote(found["host"]).strip("[]") if found else unquote(one)
        if not one.startswith("/") and found is None:
            raise BadDatabaseUrl("has a host that can't be read")
        text = (found["port"] if found else None) or shared[min(number, len(shared) - 1)] or str(DEFAULT_PORT)
        if not text.isdigit() or not 0 < int(text) < 65536:
            raise BadDatabaseUrl("has a port that is not a number from 1 to 65535")
        hosts.append(host or "localhost")
        ports.append(int(text))
    return tuple(hosts), tuple(ports)


def _mode(given: str) -> str | None:
    if not given:
        return None
    mode = MODE_SPELLINGS.get(given.lower(), given.lower())
    if mode not in MODES:
        raise BadDatabaseUrl(f"has an sslmode that is not one of {', '.join(MODES)}")
    return mode


def _context(mode: str, files: Mapping[str, str]) -> ssl.SSLContext:
    """As libpq has it, but that the system's authorities stand in where no file is named."""
    root = files.get("sslrootcert")
    root = None if root == "system" else root
    try:
        context = ssl.create_default_context(cafile=root)
        if "sslcert" in files:
            context.load_cert_chain(files["sslcert"], files.get("sslkey"), files.get("sslpassword"))
    except OSError as error:
        raise BadDatabaseUrl(f"names a certificate that can't be used ({type(error).__name__})") from None
    context.check_hostname = mode == "verify-full"
    context.verify_mode = ssl.CERT_REQUIRED if mode != "require" or root else ssl.CERT_NONE
    return context
