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
    """A logged-in person. ``epoch`` must still be the admin's own, or the session is over."""

    email: str
    role: str
    epoch: int = 0


def orders_token(order_ids: Iterable[UUID]) -> str:
    """Access to these orders, the newest last; the oldest beyond ORDERS_KEPT fall out."""
    kept = list(dict.fromkeys(str(i) for i in order_ids))[-ORDERS_KEPT:]
    return tokens.sign("order", {"orders": kept}, ORDERS_LIFETIME)


def read_orders(token: str) -> list[UUID]:
    claims = tokens.read("order", token) or {}
    found = (parse_id(str(text)) for text in claims.get("orders", ()))
    return [order_id for order_id in found if order_id]


def session_token(session: Session) -> str:
    lifetime = STAFF_LIFETIME if session.role == "admin" else SESSION_LIFETIME
    return tokens.sign("session", {"sub": session.email, "role": session.role, "epoch": session.epoch}, lifetime)


def read_session(token: str) -> Session | None:
    claims = tokens.read("session", token)
    return Session(claims["sub"], claims["role"], claims.get("epoch", 0)) if claims else None
