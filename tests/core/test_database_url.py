"""Database URLs as hosts hand them out: each is taken as it is, what the driver lacks is dropped and named."""

import ssl

import pytest

from app.core.database_url import BadDatabaseUrl, parse

GIVEN = [  # (host's habit, URL, host, port, user, password, database, sslmode, dropped)
    ("Heroku", "postgres://u5:p8c@ec2-1.compute.amazonaws.com:5432/d3",
     "ec2-1.compute.amazonaws.com", 5432, "u5", "p8c", "d3", None, ()),
    ("Neon", "postgresql://own:pw@ep-x-1.eu.aws.neon.tech/main?sslmode=require&channel_binding=require",
     "ep-x-1.eu.aws.neon.tech", 5432, "own", "pw", "main", "require", ("channel_binding",)),
    ("Neon, old clients", "postgres://own:pw@pg.neon.tech/main?options=endpoint%3Dep-x-1&sslmode=require",
     "pg.neon.tech", 5432, "own", "pw", "main", "require", ()),
    ("Supabase", "postgresql://postgres.ref:p%40ss%2Fw%3Ard@aws-0-eu.pooler.supabase.com:6543/postgres?pgbouncer=true"
     "&connection_limit=1", "aws-0-eu.pooler.supabase.com", 6543, "postgres.ref", "p@ss/w:rd", "postgres", None,
     ("connection_limit", "pgbouncer")),
    ("DigitalOcean", "postgresql://doadmin:AVNS_x@db-1.b.db.ondigitalocean.com:25061/pool-1?sslmode=require",
     "db-1.b.db.ondigitalocean.com", 25061, "doadmin", "AVNS_x", "pool-1", "require", ()),
    ("Render", "postgresql://u:p@dpg-abc-a/shop", "dpg-abc-a", 5432, "u", "p", "shop", None, ()),
    ("RDS, password as it is", "postgres://admin:a#b?c/d@e:f@x.rds.amazonaws.com:5432/shop?sslmode=require",
     "x.rds.amazonaws.com", 5432, "admin", "a#b?c/d@e:f", "shop", "require", ()),
    ("Prisma", "postgresql://u:p@h/d?schema=public&pool_timeout=20&connect_timeout=10&statement_cache_size=0",
     "h", 5432, "u", "p", "d", None, ("connect_timeout", "pool_timeout", "statement_cache_size")),
    ("Prisma, another schema", "postgresql://u:p@h/d?schema=shop", "h", 5432, "u", "p", "d", None, ("schema",)),
    ("SQLAlchemy", "postgresql+asyncpg://u:p@h:1234/d?ssl=require", "h", 1234, "u", "p", "d", "require", ()),
    ("SQLAlchemy, psycopg", "postgresql+psycopg2://u:p@h/d?sslmode=prefer", "h", 5432, "u", "p", "d", "prefer", ()),
    ("node", "postgres://u:p@h/d?ssl=true", "h", 5432, "u", "p", "d", "require", ()),
    ("node, Heroku", "postgres://u:p@h/d?sslmode=no-verify", "h", 5432, "u", "p", "d", "require", ()),
    ("libpq 17", "postgres://u:p@h/d?sslnegotiation=direct&gssencmode=disable&keepalives=1&load_balance_hosts=random",
     "h", 5432, "u", "p", "d", None, ("gssencmode", "keepalives", "load_balance_hosts", "sslnegotiation")),
    ("capitals", "POSTGRES://u:p@h/d?SSLMODE=Require", "h", 5432, "u", "p", "d", "require", ()),
    ("quoted and with a line's end", "'postgres://u:p@h/d'\n", "h", 5432, "u", "p", "d", None, ()),
    ("IPv6", "postgres://u:p@[2001:db8::7]:5433/d", "2001:db8::7", 5433, "u", "p", "d", None, ()),
    ("a socket", "postgresql:///d?host=/var/run/postgresql&port=5433&user=u",
     "/var/run/postgresql", 5433, "u", None, "d", None, ()),
    ("a socket, percent-encoded", "postgresql://u@%2Fvar%2Frun%2Fpostgresql/d",
     "/var/run/postgresql", 5432, "u", None, "d", None, ()),
    ("all in parameters", "postgresql://?host=h&port=7&user=u&password=p%26q&dbname=d",
     "h", 7, "u", "p&q", "d", None, ()),
    ("no user's name", "postgres://h/d", "h", 5432, None, None, "d", None, ()),
    ("a percent that encodes nothing", "postgres://u:50%off@h/d", "h", 5432, "u", "50%off", "d", None, ()),
    ("a word for a session that there is not", "postgres://u:p@h/d?target_session_attrs=master",
     "h", 5432, "u", "p", "d", None, ("target_session_attrs",)),
]  # fmt: skip


@pytest.mark.parametrize("given", GIVEN, ids=[one[0] for one in GIVEN])
def test_a_url_is_taken_as_the_host_writes_it(given) -> None:
    _, url, host, port, user, password, database, mode, dropped = given
    found = parse(url)
    assert (found.hosts, found.ports) == ((host,), (port,))
    assert (found.user, found.password, found.database, found.mode) == (user, password, database, mode)
    assert found.dropped == dropped


def test_several_hosts_keep_their_ports_and_the_session_that_is_wanted() -> None:
    found = parse("postgresql://u:p@one:5433,two/d?target_session_attrs=read-write&application_name=shop")
    assert (found.hosts, found.ports) == (("one", "two"), (5433, 5432))
    assert found.options()["target_session_attrs"] == "read-write"
    assert found.options()["server_settings"] == {"application_name": "shop"}
    assert "server_settings" not in found.options(server_settings=False)


def test_require_encrypts_and_only_verify_looks_at_the_certificate() -> None:
    require = parse("postgres://u:p@h/d?sslmode=require").options()["ssl"]
    assert (require.verify_mode, require.check_hostname) == (ssl.CERT_NONE, False)
    full = parse("postgres://u:p@h/d?sslmode=verify-full&sslrootcert=system").options()["ssl"]
    assert (full.verify_mode, full.check_hostname) == (ssl.CERT_REQUIRED, True)
    authority = parse("postgres://u:p@h/d?sslmode=verify-ca").options()["ssl"]
    assert (authority.verify_mode, authority.check_hostname) == (ssl.CERT_REQUIRED, False)
    assert parse("postgres://u:p@h/d?sslmode=disable").options()["ssl"] == "disable"


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("mysql://u:secret@h/d", "must begin with postgres:// or postgresql://"),
        ("h:5432/d", "must begin with"),
        ("postgres://u:secret@h:port/d", "can't be read"),
        ("postgres://u:secret@h:70000/d", "port"),
        ("postgres://u:secret@h/d?sslmode=sometimes", "sslmode"),
        ("postgres://u:secret@h/d?sslmode=verify-full&sslrootcert=/nowhere.pem", "certificate"),
    ],
)
def test_what_can_not_be_used_is_refused_with_a_reason_that_holds_no_secret(url: str, why: str) -> None:
    with pytest.raises(BadDatabaseUrl, match=why) as refused:
        parse(url).options()
    assert "secret" not in str(refused.value)


def test_the_password_is_in_no_repr() -> None:
    assert "hunter2" not in repr(parse("postgres://u:hunter2@h/d?sslpassword=hunter2"))


def test_two_spellings_of_one_database_are_one_place() -> None:
    one, other = parse("postgres://u:p@h/d?sslmode=require"), parse("postgresql://v:q@h:5432/d")
    assert one.place == other.place != parse("postgres://u:p@h/e").place
