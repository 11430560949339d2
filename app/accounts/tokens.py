"""What a browser or client holds to show who it is: access to orders, and a session."""

from collections.abc import Iterable, Mapping
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


def orders_token(
    order_ids: Iterable[UUID], browser: UUID | None = None, *, epochs: Mapping[UUID, int] | None = None
) -> str:
    """Access to these orders, the newest last; the oldest beyond ORDERS_KEPT fall out.

    ``browser`` names the browser that keeps it as a cookie: signing out there ends it. ``epochs``: the access epochs
    of those orders that are past their first.
    """
    newest = list(dict.fromkeys(order_ids))[-ORDERS_KEPT:]
    epochs = epochs or {}
    kept = [f"{i}.{epochs[i]}" if epochs.get(i) else str(i) for i in newest]
    whose = {"browser": str(browser)} if browser else {}
    return tokens.sign("order", {"orders": kept, **whose}, ORDERS_LIFETIME)


def read_orders(token: str) -> list[UUID]:
    return list(read_browser(token)[0])


def read_browser(token: str) -> tuple[dict[UUID, int], UUID | None]:
    """The orders that a token opens, each with its access epoch then, and the browser it was made for, if any."""
    claims = tokens.read("order", token) or {}
    found = {}
    for text in claims.get("orders", ()):
        named, _, epoch = str(text).partition(".")
        if order_id := parse_id(named):
            found[order_id] = int(epoch or 0)
    return found, parse_id(str(claims.get("browser", "")))


def session_token(session: Session) -> str:
    return tokens.sign("session", {"sid": str(session.id)}, lifetime(session.role))


def read_session(token: str) -> UUID | None:
    """The id of the session that a genuine token names. Whether it still stands is asked of its row."""
    claims = tokens.read("session", token)
    return parse_id(str(claims.get("sid", ""))) if claims else None
