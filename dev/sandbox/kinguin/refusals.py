"""How Kinguin says no (fact sheet, section 6): clients branch on `kind`."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from dev.sandbox import jstext
from dev.sandbox.fault_middleware import FaultAnswer
from dev.sandbox.times import now_ms, seconds_offset
from dev.sandbox.wire import Refusal

_TITLES = {400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 409: "Conflict", 422: "Unprocessable Entity"}


class KinguinRefusal(Refusal):
    """An error body with its kind; `member` and `value` name what was wrong in a payload."""

    def __init__(self, kind: str, status: int, detail: str, member: str | None = None, value: object = None) -> None:
        super().__init__(status, detail)
        self.kind, self.member, self.value = kind, member, value

    def body(self, path: str, method: str) -> Mapping[str, object]:
        """The body; `path` leaves out `/esa`, as the genuine one does."""
        found: dict[str, object] = {
            "kind": self.kind,
            "status": self.status,
            "type": _TITLES.get(self.status, "Internal Server Error"),
            "detail": self.detail,
        }
        if self.kind == "Authorization":
            return found
        found |= {
            "path": path.removeprefix("/kinguin/esa"),
            "method": method,
            "trace": secrets.token_hex(5),
            "timestamp": seconds_offset(now_ms()),
        }
        if self.member is not None:
            found |= {"propertyPath": self.member, "invalidValue": self.value}
        return found


def violation(member: str, detail: str, value: object = None) -> KinguinRefusal:
    """400: the payload is invalid."""
    return KinguinRefusal("ConstraintViolation", 400, f'Invalid "{member}" property. {detail}', member, value)


def unavailable(name: str) -> KinguinRefusal:
    """No offer at or under our price, or too few keys."""
    return KinguinRefusal("ProductUnavailable", 400, f"Product {name} is not available in requested price or quantity.")


def order_not_found() -> KinguinRefusal:
    """404 for an unknown order."""
    return KinguinRefusal("OrderNotFound", 404, "Order not found.")


def order_failed() -> KinguinRefusal:
    """The opaque one: an order may or may not exist."""
    return KinguinRefusal("OrderFailed", 422, "There was a problem with placing order.")


def unexpected() -> KinguinRefusal:
    """500, after which an order may exist."""
    return KinguinRefusal("Error", 500, "An unexpected error occurred.")


def face(mode: str, path: str, seconds: int) -> FaultAnswer:
    """How it looks when it fails."""
    refusal = unexpected()
    if mode == "rate_limit":
        refusal = KinguinRefusal("Http", 429, "Too many requests.")
    headers = {"retry-after": str(seconds)} if mode == "rate_limit" else {}
    return FaultAnswer(refusal.status, jstext.dumps(refusal.body(path, "")), headers)
