"""Everybody who may not see an order, and the order's doors that all of them try."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

import jwt

from app.accounts import sessions
from app.accounts.tokens import Session, orders_token, session_token
from app.core import clock, tokens
from app.core.ids import new_id
from app.core.settings import settings
from tests.web.builders import Bought, session_of

YEAR = timedelta(days=366)


@dataclass(frozen=True)
class Door:
    """A request about an order; ``{id}``, ``{item}`` and ``{job}`` are filled in."""

    method: str
    path: str
    body: str = ""


PAGES = [
    Door("GET", "/orders/{id}"),
    Door("GET", "/orders/{id}/status"),
    Door("GET", "/orders/{id}/success"),
    Door("GET", "/orders/{id}/audit"),
    Door("GET", "/orders/{id}/events"),
    Door("GET", "/fulfillment/{id}/status"),
    Door("GET", "/fulfillment/{id}/download-link?itemId={item}"),
    Door("GET", "/fulfillment/{id}/audit"),
]
ACTS = [
    Door("POST", "/orders/{id}/cancellations"),
    Door("POST", "/fulfillment/{id}/reveal", '{"itemId": "{item}"}'),
    Door("POST", "/orders/{id}/choices", '{"choice": "refund"}'),
    Door("POST", "/payments/create", '{"orderId": "{id}"}'),
]
JOB = Door("GET", "/payments/jobs/{job}/status")
DOORS = [*PAGES, *ACTS]


def _forged(claims: dict, secret: str, algorithm: str = "HS256") -> str:
    now = int(clock.now().timestamp())
    return jwt.encode({"iat": now, "exp": now + 3600, **claims}, secret, algorithm)


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def cookie(name: str, token: str) -> dict[str, str]:
    return {"cookie": f"bitloot_{name}={token}"}


def tokens_that_open_nothing(order: Bought, other: Bought) -> dict[str, str]:
    """Tokens that name the order, or look as if, and must not open it."""
    claims = {"typ": "order", "orders": [order.id]}
    secret = settings().jwt_secret.get_secret_value()
    head, body, mac = order.token.split(".")
    with clock.travelled(-YEAR):
        expired = orders_token([UUID(order.id)])
    return {
        "of another order": other.token,
        "unsigned": _forged(claims, "", "none"),
        "signed with another secret": _forged(claims, "x" * 48),
        "expired": expired,
        "without an end": jwt.encode(claims, secret, "HS256"),
        "of another kind": tokens.sign("session", {"orders": [order.id], "sub": "a@b.de", "role": "customer"}, YEAR),
        "of no kind": _forged({"orders": [order.id]}, secret),
        "a mailed link's": tokens.link_token(UUID(order.id)),
        "with its signature cut off": f"{head}.{body}.",
        "with a bent signature": f"{head}.{body}.{'A' if mac[0] != 'A' else 'B'}{mac[1:]}",
        "with another algorithm": _forged(claims, secret, "HS512"),
        "empty": "",
        "no token at all": "not a token",
        "just dots": "..",
    }


async def intruders(order: Bought, other: Bought) -> dict[str, dict[str, str]]:
    """The headers of each kind of caller that may not see the order."""
    found = {"nobody": {}}
    for name, token in tokens_that_open_nothing(order, other).items():
        found[f"bearer {name}"] = bearer(token)
        found[f"cookie {name}"] = cookie("orders", token)
    signed_out = await sessions.begin(order.email, "customer")
    await sessions.end(signed_out)
    held = {
        "another customer": await session_of("somebody@else.test"),
        "an address that begins alike": await session_of(order.email + "x"),
        "an admin who does not exist": await session_of(order.email, "admin"),
        "a session that was signed out": session_token(signed_out),
        "a session without a row": session_token(Session(new_id(), order.email, "customer")),
        "a session that names no row": tokens.sign("session", {"sub": order.email, "role": "customer"}, YEAR),
    }
    for name, token in held.items():
        found[f"bearer of {name}"] = bearer(token)
        found[f"cookie of {name}"] = cookie("session", token)
    with clock.travelled(-YEAR):
        old = await session_of(order.email)
    found["an ended session"] = cookie("session", old)
    found["an order's token as a session"] = cookie("session", order.token)
    found["a session as an order's token"] = cookie("orders", await session_of(order.email))
    found["basic"] = {"authorization": f"Basic {order.token}"}
    # Who names a Bearer token is judged by it alone.
    found["a bad bearer beside a good cookie"] = bearer(other.token) | cookie("orders", order.token)
    return found


def fill(text: str, order: Bought, order_id: str | None = None) -> str:
    named = {"{id}": order_id or order.id, "{item}": order.item_id, "{job}": order.job_id}
    for name, value in named.items():
        text = text.replace(name, value)
    return text


UNKNOWN = str(uuid4())
MALFORMED = [
    "0",
    "not-an-id",
    "%20",
    "%00",
    "null",
    "undefined",
    "*",
    "%27%20OR%20true--",
    "-1",
    "x" * 2000,
    "%F0%9F%8E%AE",
]
