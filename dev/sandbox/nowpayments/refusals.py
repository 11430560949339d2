"""How NOWPayments says no (fact sheet, section 4)."""

from __future__ import annotations

from collections.abc import Mapping

from dev.sandbox import jstext
from dev.sandbox.fault_middleware import FaultAnswer
from dev.sandbox.wire import Refusal


class NowRefusal(Refusal):
    """`{"status":false,"statusCode":400,"code":"...","message":"..."}`"""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(status, message)
        self.code = code

    def body(self, path: str, method: str) -> Mapping[str, object]:
        """The body, the same for every route."""
        return {"status": False, "statusCode": self.status, "code": self.code, "message": self.detail}


def bad_params(message: str) -> NowRefusal:
    """400 for a request that breaks the schema."""
    return NowRefusal(400, "INVALID_REQUEST_PARAMS", message)


def not_found(what: str) -> NowRefusal:
    """404, also for what another key owns."""
    return NowRefusal(404, "NOT_FOUND", f"{what} not found")


def unconvertible(source: str, target: str) -> NowRefusal:
    """400 for a pair there is no rate for."""
    return NowRefusal(400, "BAD_REQUEST", f"Currency {source} is not convertable to {target} now")


def face(mode: str, path: str, seconds: int) -> FaultAnswer:
    """How it looks when it fails: the 429 is the CDN's page, not JSON."""
    if mode == "rate_limit":
        page = b"<html><head><title>429 Too Many Requests</title></head><body>429 Too Many Requests</body></html>"
        return FaultAnswer(429, page, {"retry-after": str(seconds)}, "text/html")
    refusal = NowRefusal(500, "INTERNAL_ERROR", "Internal server error")
    return FaultAnswer(500, jstext.dumps(refusal.body(path, "")), {})
