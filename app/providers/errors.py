"""How a call to a provider can fail, and the one line that is written about each call.

ProviderError               .provider .call .status .code .detail .may_have_happened .retry_after
├── ProviderDown            network, time-out, 429, 5xx, a page instead of JSON: later it may work
├── ProviderRefused         a 4xx that waiting does not heal
│   └── ApiKeyRejected          our own credentials or account: no order is at fault, alarm
└── ProviderProtocolError        2xx, but not what the sheet says: maybe done, look before repeating
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from app.core import call_recorder

log = logging.getLogger("bitloot.providers")

Observer = Callable[[str, str, str, float], None]
"""Called once a call with provider, call, outcome (ok, down, refused, confused, broken) and seconds."""


class ProviderError(Exception):
    """A call that did not end well. ``detail`` may hold the provider's words, never our secrets.

    ``status`` is the HTTP status, if an answer came; ``code`` the provider's own word (``code``, ``kind``,
    ``name``); ``retry_after`` seconds, where the provider said how long to wait. ``may_have_happened``: the
    effect may be there although the call failed, so look before repeating it.
    """

    outcome: ClassVar[str] = "broken"
    permanent: ClassVar[bool] = False  # no waiting heals it
    unavailable: ClassVar[bool] = False  # nobody's call would have fared better
    trips_at_once: ClassVar[bool] = False  # one such failure is proof enough that the provider can't be worked with
    safe_text: ClassVar[bool] = False  # an answer that we can't read may hold anything

    def __init__(
        self,
        provider: str,
        call: str,
        detail: str,
        *,
        status: int | None = None,
        code: str | None = None,
        may_have_happened: bool = False,
        retry_after: float | None = None,
    ) -> None:
        self.provider, self.call, self.detail = provider, call, detail
        self.status, self.code = status, code
        self.may_have_happened, self.retry_after = may_have_happened, retry_after
        answer = " ".join(str(part) for part in (status, code) if part is not None)
        super().__init__(f"{provider}.{call}: {answer + ': ' if answer else ''}{detail}")


class ProviderDown(ProviderError):
    outcome = "down"
    unavailable = True
    safe_text = True


class ProviderRefused(ProviderError):
    outcome = "refused"
    permanent = True
    safe_text = True


class ApiKeyRejected(ProviderRefused):
    unavailable = True
    trips_at_once = True


class ProviderProtocolError(ProviderError):
    outcome = "confused"
    unavailable = True


@dataclass(frozen=True, slots=True)
class Fault:
    """An answer of 3xx, 4xx or 5xx, waiting to be named. ``data`` is empty where the body is no JSON object.

    ``unsafe``: the call was meant to change something. ``retry_after`` in seconds, if the provider named it.
    """

    provider: str
    call: str
    status: int
    code: str | None
    detail: str
    data: Mapping[str, Any]
    unsafe: bool
    retry_after: float | None

    def refused(
        self, kind: type[ProviderRefused] = ProviderRefused, *, may_have_happened: bool = False
    ) -> ProviderRefused:
        error = kind(self.provider, self.call, self.detail, status=self.status, code=self.code)
        error.may_have_happened = may_have_happened
        return error

    def down(self, kind: type[ProviderDown] = ProviderDown, *, retry_after: float | None = None) -> ProviderDown:
        """``retry_after`` stands in where the provider named no time."""
        error = kind(self.provider, self.call, self.detail, status=self.status, code=self.code)
        error.may_have_happened = self.unsafe and (self.status >= 500 or self.status == 408)
        error.retry_after = retry_after if self.retry_after is None else self.retry_after
        return error


def report(
    observer: Observer | None,
    provider: str,
    call: str,
    outcome: str,
    seconds: float,
    *,
    status: int | None = None,
    trace: str | None = None,
) -> None:
    """The log line of one call, and its observation. ``trace`` is what the provider's support asks for."""
    call_recorder.record(provider, outcome)
    level = logging.INFO if outcome == "ok" else logging.WARNING
    if log.isEnabledFor(level):
        fields = {"provider": provider, "call": call, "outcome": outcome, "status": status, "trace": trace}
        log.log(level, "%s.%s %s", provider, call, outcome, extra=fields | {"ms": round(seconds * 1000, 1)})
    if observer is not None:
        observer(provider, call, outcome, seconds)
