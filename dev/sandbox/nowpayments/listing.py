"""The payment list and its short-lived login: the one call that wants a JWT besides the key."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TypeAlias

from dev.sandbox.nowpayments import views
from dev.sandbox.nowpayments.refusals import NowRefusal, bad_params
from dev.sandbox.records import Payment
from dev.sandbox.times import DAY, parse
from dev.sandbox.wire import Fields
from dev.sandbox.world import World

TOKEN_LIFETIME = 300  # seconds; section 1
PAGE_LIMIT = 500

_Sorting: TypeAlias = Callable[[Payment], "int | str | Decimal"]
_SORTS: dict[str, _Sorting] = {
    "created_at": lambda payment: payment.created_at,
    "updated_at": lambda payment: payment.updated_at,
    "payment_id": lambda payment: int(payment.id),
    "payment_status": lambda payment: payment.status,
    "pay_amount": lambda payment: payment.pay_amount,
    "price_amount": lambda payment: payment.terms.price_amount,
    "actually_paid": lambda payment: payment.actually_paid,
    "order_id": lambda payment: payment.terms.order_id or "",
}


def new_token(world: World) -> str:
    """A JWT (HS256) that the list takes for five minutes."""
    claims = {"id": "sandbox", "iat": int(time.time()), "exp": int(time.time()) + TOKEN_LIFETIME}
    signed = f"{_base64({'alg': 'HS256', 'typ': 'JWT'})}.{_base64(claims)}"
    return f"{signed}.{_mac(world, signed)}"


def check_token(world: World, header: str) -> None:
    """Check `Authorization: Bearer <jwt>`.

    Raises:
        NowRefusal: 401 for a missing, forged or expired token.
    """
    scheme, _, token = header.partition(" ")
    signed, _, mac = token.rpartition(".")
    if scheme != "Bearer" or not token:
        raise NowRefusal(401, "AUTH_REQUIRED", "Authorization header is empty (Bearer JWTtoken is required)")
    if not hmac.compare_digest(mac.encode(), _mac(world, signed).encode()) or _expiry(signed) <= time.time():
        raise NowRefusal(401, "INVALID_TOKEN", "Invalid or expired token")


def page_of(world: World, query: Mapping[str, str]) -> Fields:
    """The answer of `GET /payment/`.

    Raises:
        NowRefusal: 400 for bad parameters; a bad `orderBy` is a 500, as the official SDK notes.
    """
    limit, page = _whole(query, "limit", 10), _whole(query, "page", 0)
    if not 1 <= limit <= PAGE_LIMIT:
        raise bad_params(f'"limit" must be between 1 and {PAGE_LIMIT}')
    order = query.get("orderBy", "desc")
    if order not in {"asc", "desc"}:
        raise NowRefusal(500, "INTERNAL_ERROR", "Internal server error")
    sorting = _SORTS.get(query.get("sortBy", "created_at"))
    if sorting is None:
        raise bad_params('"sortBy" is not known')
    start, end = _moment(query, "dateFrom"), _moment(query, "dateTo")
    found = [
        payment
        for payment in world.storage.payments
        if (start is None or payment.created_at >= start)
        and (end is None or payment.created_at < end)
        and query.get("invoiceId") in {None, payment.invoice_id}
    ]
    found.sort(key=sorting, reverse=order == "desc")
    return {
        "data": [views.status(payment) for payment in found[page * limit : (page + 1) * limit]],
        "limit": limit,
        "page": page,
        "pagesCount": -(-len(found) // limit),
        "total": len(found),
    }


def _whole(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise bad_params(f'"{name}" must be a number')
    return int(text)


def _moment(query: Mapping[str, str], name: str) -> int | None:
    text = query.get(name)
    if not text:
        return None
    moment = parse(text)
    if moment is None:
        raise bad_params(f'"{name}" must be a date')
    # A bare date as the end means the end of that day.
    return moment + DAY if name == "dateTo" and len(text) == len("2026-01-01") else moment


def _base64(part: Mapping[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def _mac(world: World, signed: str) -> str:
    secret = f"jwt:{world.config.nowpayments_api_key}".encode()
    digest = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _expiry(signed: str) -> int:
    body = signed.partition(".")[2]
    return int(json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))["exp"])
