"""Tables of this room."""

from piccolo.columns import UUID, Integer, Timestamptz, Varchar
from piccolo.table import Table


class Admin(Table, tablename="admin"):
    """A person who runs the shop. Raising ``epoch`` ends all of that person's sessions."""

    id = UUID(primary_key=True, default=None)
    email = Varchar(320, unique=True)
    password_hash = Varchar(200)
    epoch = Integer(default=0)
    created_at = Timestamptz(default=None)
    last_login_at = Timestamptz(null=True, default=None)


class Link(Table, tablename="link"):
    """An emailed proof of address. Used once, by POST. Its token is derived from the id and stands nowhere.

    ``session_id``, ``browser``: who asked for it, where it is void once that one was signed out.
    """

    id = UUID(primary_key=True, default=None)
    email = Varchar(320)
    purpose = Varchar(16)
    order_id = UUID(null=True, default=None, index=True)
    created_at = Timestamptz(default=None)
    expires_at = Timestamptz(default=None)
    used_at = Timestamptz(null=True, default=None)
    session_id = UUID(null=True, default=None)
    browser = UUID(null=True, default=None)


class LoginSession(Table, tablename="login_session"):
    """One browser that a person is signed in with; the cookie names the row. ``epoch``: an admin's when it began."""

    id = UUID(primary_key=True, default=None)
    role = Varchar(16)
    email = Varchar(320)
    epoch = Integer(default=0)
    user_agent = Varchar(400, default="")
    ip = Varchar(45, default="")
    created_at = Timestamptz(default=None)
    last_seen_at = Timestamptz(default=None)
    expires_at = Timestamptz(default=None)
    revoked_at = Timestamptz(null=True, default=None)


class EndedBrowser(Table, tablename="ended_browser"):
    """A browser that signed out: the orders cookie that names it opens nothing any more, wherever a copy was kept."""

    id = UUID(primary_key=True, default=None)
    ended_at = Timestamptz(default=None)
