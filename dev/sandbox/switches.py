"""The fault switches: which provider misbehaves how, how often, and on which paths."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from decimal import Decimal

from dev.sandbox.records import Fault
from dev.sandbox.storage import Storage

PROVIDERS = ("nowpayments", "kinguin", "resend", "rates")
STORE = "store"  # the object store that may stand behind the sandbox
STRUCK = (*PROVIDERS, STORE)  # who faults and holds can strike

MODES = {
    "latency": "answers late, by 2 s",
    "error500": "answers 500 and does nothing",
    "error500_after_effect": "does it, then answers 500",
    "timeout_after_effect": "does it, then holds the line for 30 s and hangs up",
    "rate_limit": "answers 429 with Retry-After, 1 s",
    "html_garbage": "answers 200 with a page of HTML and does nothing",
    "drop_webhooks": "never sends the notice",
    "double_webhooks": "sends the notice twice",
    "reorder_webhooks": "sends the notice after the next one about the same thing, or after 2 s",
}
OWN_MODES = {
    "kinguin": {
        "search_lag": "a new order can't be found by search for 2 s",
        "order_failed": "refuses the order with an opaque 422",
        "empty_listing": "lists no product, but promises all",
        "short_listing": "leaves a row out of each page of the listing",
    },
    "resend": {
        "quota": "refuses with daily_quota_exceeded",
        "concurrent": "refuses with concurrent_idempotent_requests",
    },
}


def modes_of(provider: str) -> dict[str, str]:
    """The modes a provider knows, each with what it does."""
    return MODES | OWN_MODES.get(provider, {})


class Switches:
    """All switched-on faults; they survive a restart."""

    def __init__(self, storage: Storage) -> None:
        self._books = storage

    def __bool__(self) -> bool:
        return len(self._books.faults) > 0

    def set(self, fault: Fault) -> Fault:
        """Switch a fault on; the same provider, mode and path replaces what was set before."""
        for known in list(self._books.faults):
            if (known.provider, known.mode, known.path) == (fault.provider, fault.mode, fault.path):
                self._books.faults.drop(known.id)
        return self._books.faults.put(fault)

    def fires(self, provider: str, modes: Collection[str], path: str | None = None) -> Fault | None:
        """The first fault of these modes that strikes now, counted as fired; it goes off when used up."""
        for fault in list(self._books.faults):
            if fault.provider != provider or fault.mode not in modes:
                continue
            if fault.path and fault.path not in (path or ""):
                continue
            if fault.rate < 1 and secrets.randbelow(10**6) >= fault.rate * 10**6:
                continue
            return self._count(fault)
        return None

    def _count(self, fault: Fault) -> Fault:
        fault.fired += 1
        if fault.left is not None:
            fault.left -= 1
        if fault.left is not None and fault.left <= 0:
            self._books.faults.drop(fault.id)
        else:
            self._books.faults.put(fault)
        return fault


def seconds_of(fault: Fault, default: int) -> Decimal:
    """How long a fault lasts, in seconds."""
    return Decimal(default) if fault.seconds is None else fault.seconds
