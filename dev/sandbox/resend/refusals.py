"""How Resend says no (fact sheet, section 5): clients branch on `name`."""

from __future__ import annotations

from collections.abc import Mapping

from dev.sandbox import jstext
from dev.sandbox.fault_middleware import FaultAnswer
from dev.sandbox.wire import Refusal

_SLOW_DOWN = (
    "Too many requests. You can only make {} requests per second. See rate limit response headers for more information."
)


class ResendRefusal(Refusal):
    """`{"statusCode":422,"message":"...","name":"missing_required_field"}`"""

    def __init__(self, status: int, name: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, message, headers)
        self.name = name

    def body(self, path: str, method: str) -> Mapping[str, object]:
        """The body, the same for every route."""
        return {"statusCode": self.status, "message": self.detail, "name": self.name}


def invalid(message: str) -> ResendRefusal:
    """422 validation_error."""
    return ResendRefusal(422, "validation_error", message)


def missing(field: str) -> ResendRefusal:
    """422 for a field that must be there."""
    return ResendRefusal(422, "missing_required_field", f"Missing `{field}` field.")


def too_many(rate: int, seconds: int) -> ResendRefusal:
    """429 with all four headers; `rate` is calls per second."""
    headers = {
        "ratelimit-limit": str(rate),
        "ratelimit-remaining": "0",
        "ratelimit-reset": str(seconds),
        "retry-after": str(seconds),
    }
    return ResendRefusal(429, "rate_limit_exceeded", _SLOW_DOWN.format(rate), headers)


def face(mode: str, path: str, seconds: int) -> FaultAnswer:
    """How it looks when it fails."""
    refusal = ResendRefusal(
        500, "internal_server_error", "Internal server error. We are unable to process your request."
    )
    if mode == "rate_limit":
        refusal = too_many(2, seconds)
    return FaultAnswer(refusal.status, jstext.dumps(refusal.body(path, "")), refusal.headers)
