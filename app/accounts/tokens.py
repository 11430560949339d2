"""What a browser or client holds to show who it is: access to orders, and a session."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from app.core import tokens
from app.core.ids import parse_id

ORDERS_LIFETIME = timedelta(days=180)  # a shopper comes back for a key long after buying it
ORDERS_KEPT = 20  # newest orders in one browser's cookie; a cookie holds 4 kB
SESSION_LIFETIME = timedelta(days=30)
STAFF_LIFETIME = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Session:
    """A person who is signed in: the row ``id`` says since when, where, and until when."""

    id: UUID
    email: str
    role: str


def lifetime(role: str) -> timedelta:
    return STAFF_LIFETIME if role == "admin" else SESSION_LIFETIME


def orders_token(order_ids: Iterable[UUID], browser: UUID | None = None) -> str:
    """Access to these orders, the newest last; the oldest beyond ORDERS_KEPT fall out.

    ``browser`` names the browser that keeps it as a cookie: signing out there ends it.
    """
    kept = list(dict.fromkeys(str(i) for i in order_ids))[-ORDERS_KEPT:]
    whose = {"browser": str(browser)} if browser else {}
    return tokens.sign("order", {"orders": kept, **whose}, ORDERS_LIFETIME)


def read_orders(token: str) -> list[UUID]:
    return read_browser(token)[0]


def read_browser(token: str) -> tuple[list[UUID], UUID | None]:
    """The orders that a token opens, and the browser that it was made for, if any."""
    claims = tokens.read("order", token) or {}
    found = (parse_id(str(text)) for text in claims.get("orders", ()))
    return [order_id for order_id in found if order_id], parse_id(str(claims.get("browser", "")))


def session_token(session: Session) -> str:
    return tokens.sign("session", {"sid": str(session.id)}, lifetime(session.role))


def read_session(token: str) -> UUID | None:
    """The id of the session that a genuine token names. Whether it still stands is asked of its row."""
    claims = tokens.read("session", token)
    return parse_id(str(claims.get("sid", ""))) if claims else None
