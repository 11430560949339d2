"""How the rates source says no."""

from __future__ import annotations

from collections.abc import Mapping

from dev.sandbox import jstext
from dev.sandbox.fault_middleware import FaultAnswer
from dev.sandbox.wire import Refusal


class RatesRefusal(Refusal):
    """An error body: `{"message": "not found"}`."""

    def body(self, path: str, method: str) -> Mapping[str, object]:
        """The body."""
        return {"message": self.detail}


def face(mode: str, path: str, seconds: int) -> FaultAnswer:
    """How it looks when it fails."""
    status = 429 if mode == "rate_limit" else 500
    headers = {"retry-after": str(seconds)} if mode == "rate_limit" else {}
    return FaultAnswer(status, jstext.dumps({"message": "try again"}), headers)
