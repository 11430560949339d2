"""A receiver of webhooks, put to the test: good deliveries it must take, and others it must refuse, in time.

What is sent is made as our own deliveries are, and by the same client, so what passes here is taken later too.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from app.contract.event import Event
from app.contract.event_guide import EVENTS
from app.contract.order import Order
from app.contract.payment import Payment
from app.core import clock
from app.core.crypto import Plaintext
from app.core.i18n import _
from app.core.ids import new_id
from app.providers.merchant_http import MerchantHttp, Reply, Unreachable
from app.webhooks import publish, secrets, signing

STALE = timedelta(minutes=10)  # Standard Webhooks allows for five
HUGE = 2 * 1024 * 1024  # bytes; ours are below 64 kB
AT_ONCE = 5  # as many as we send to one endpoint
IN_TIME = 5000  # ms; we hang up after 10 s, and a receiver under load is slower than this one


@dataclass(frozen=True, slots=True)
class CheckResult:
    name: str
    passed: bool
    said: str


@dataclass(frozen=True, slots=True)
class _Answer:
    """What came back for one delivery; ``status`` is 0 where nothing did."""

    status: int
    ms: int
    said: str

    @property
    def taken(self) -> bool:
        return 200 <= self.status < 300

    @property
    def refused(self) -> bool:
        return 400 <= self.status < 500


Headers = dict[str, str]


class ConformanceCheck:
    """One receiver's. ``simple``: it checks X-Webhook-Signature alone, which can't tell a stale delivery."""

    def __init__(
        self, http: MerchantHttp, url: str, secret: Plaintext, *, simple: bool = False, in_time: int = IN_TIME
    ) -> None:
        self._http, self._url, self._secret, self._simple = http, url, secret, simple
        self._in_time = in_time
        self._slowest = 0
        self._first = _event("order.paid", sequence=1)

    async def verdicts(self) -> AsyncIterator[CheckResult]:
        """One after the other. Where the first delivery reaches nobody, nothing more is tried. Raises Refused."""
        first = await self._takes("a good delivery", [self._first])
        yield first
        if not self._slowest:
            return
        yield await self._takes(
            _("the same delivery again"), [self._first], _("answer 2xx to an id you have handled before")
        )
        yield await self._takes(_("events out of order"), _out_of_order(), "answer 2xx; compare sequence")
        yield await self._takes(_("an event type it does not know"), [_event("order.from_the_future", sequence=1)])
        yield await self._together()
        yield await self._overlap()
        if not self._simple:
            yield await self._refuses("a stale timestamp", lambda body: self._signed(body, clock.now() - STALE))
            yield await self._refuses(
                _("a timestamp of the future"), lambda body: self._signed(body, clock.now() + STALE)
            )
        yield await self._refuses(_("a body changed on the way"), lambda body: self._signed(body + b" "))
        yield await self._refuses(
            _("a signature by another secret"), lambda body: self._signed(body, by=[secrets.fresh()])
        )
        yield await self._refuses(_("a delivery without signatures"), _unsigned)
        yield await self._huge()
        yield CheckResult(
            _("answers in time"), self._slowest <= self._in_time, _("the slowest took %(ms)s ms", ms=self._slowest)
        )

    async def _takes(self, what: str, events: list[Event], advice: str = "answer 2xx") -> CheckResult:
        answer = _Answer(0, 0, "")
        for event in events:
            body = publish.encoded(event)
            answer = await self._send(body, self._signed(body, ident=str(event.id)))
            if not answer.taken:
                return CheckResult(f"takes {what}", False, f"{answer.said}; {advice}")
        return CheckResult(f"takes {what}", True, answer.said)

    async def _together(self) -> CheckResult:
        events = [_event("order.paid", sequence=1) for _number in range(AT_ONCE)]
        verdicts = await asyncio.gather(*(self._takes(_("several deliveries at once"), [event]) for event in events))
        return next((verdict for verdict in verdicts if not verdict.passed), verdicts[-1])

    async def _refuses(self, what: str, headers: Callable[[bytes], Headers]) -> CheckResult:
        body = publish.encoded(_event("order.paid", sequence=1))
        answer = await self._send(body, headers(body))
        advice = "" if answer.refused else _("; answer 401, and do nothing")
        return CheckResult(f"refuses {what}", answer.refused, answer.said + advice)

    async def _overlap(self) -> CheckResult:
        """A rotation: signed by a new secret, and by the one this receiver still has."""
        body = publish.encoded(_event("payment.pending", sequence=1))
        answer = await self._send(body, self._signed(body, by=[secrets.fresh(), self._secret]))
        advice = "" if answer.taken else _("; try each signature of the list, and X-Webhook-Signature-Previous")
        return CheckResult("takes a delivery in a rotation's overlap", answer.taken, answer.said + advice)

    async def _huge(self) -> CheckResult:
        """Far more than we ever send, by nobody: it may also hang up, but has to go on working."""
        body = b'{"id":"' + b"x" * HUGE + b'"}'
        answer = await self._send(body, self._signed(body, by=[secrets.fresh()]))
        after = await self._takes("one", [_event("order.paid", sequence=1)])
        cut = answer.status == 0 and answer.ms < self._in_time
        if (answer.refused or cut) and after.passed:
            return CheckResult(_("refuses a huge body and goes on"), True, answer.said)
        said = answer.said if after.passed else f"{answer.said}, then a good delivery: {after.said}"
        return CheckResult(
            _("refuses a huge body and goes on"),
            False,
            _("%(said)s; refuse what is larger than 1 MB, unread", said=said),
        )

    def _signed(
        self, body: bytes, at: datetime | None = None, *, by: list[Plaintext] | None = None, ident: str = ""
    ) -> Headers:
        return signing.headers(ident or str(new_id()), at or clock.now(), body, by or [self._secret])

    async def _send(self, body: bytes, headers: Headers) -> _Answer:
        try:
            reply = await self._http.post(self._url, body, {"content-type": "application/json"} | headers, test=True)
        except Unreachable as away:
            if away.kind not in {"connect", "unresolved", "tls"}:
                self._slowest = max(self._slowest, away.ms, 1)
            return _Answer(0, away.ms, away.why.rstrip("."))
        self._slowest = max(self._slowest, reply.ms, 1)
        return _Answer(reply.status, reply.ms, _said(reply))


def _said(reply: Reply) -> str:
    more = _(", a redirect, which is never followed") if 300 <= reply.status < 400 else ""
    return f"{reply.status} in {reply.ms} ms{more}"


def _event(kind: str, *, sequence: int, object_id: UUID | None = None) -> Event:
    """An example of an order's or payment's event under an id of its own, so that no receiver knows it already."""
    example, about = EVENTS.get(kind, EVENTS["order.paid"]).example, object_id or new_id()
    assert isinstance(example.data, Order | Payment)
    # Text that others spell differently: whoever checks the signature of JSON written anew is found out.
    data = msgspec.structs.replace(example.data, id=about, metadata={"note": "Grüße/€ \U0001f511"})
    return msgspec.structs.replace(example, id=new_id(), type=kind, sequence=sequence, object_id=about, data=data)


def _out_of_order() -> list[Event]:
    about = new_id()
    return [
        _event("payment.success", sequence=3, object_id=about),
        _event("payment.confirming", sequence=2, object_id=about),
    ]


def _unsigned(_body: bytes) -> Headers:
    return {"webhook-id": str(new_id())}
