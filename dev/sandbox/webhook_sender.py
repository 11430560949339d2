"""Carries notices to the shop: one at a time per lane, again after a failure, and badly where a fault says so.

Every notice is written down before it is sent, so one that a killed process left behind goes out after restart.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass, field

import httpx

from dev.sandbox.loopback import is_loopback_url
from dev.sandbox.records import Attempt, Notice
from dev.sandbox.storage import Storage
from dev.sandbox.switches import Switches, seconds_of
from dev.sandbox.timers import Timers
from dev.sandbox.times import now_ms

PATIENCE = {"nowpayments": 3.0, "kinguin": 10.0, "resend": 15.0}  # seconds each waits for the shop's answer
CALLS_AT_ONCE = 16  # httpx looks at every open connection on every call, so more of them cost more

_log = logging.getLogger("sandbox")


@dataclass(slots=True)
class _Lane:
    queue: deque[Notice] = field(default_factory=deque)
    held: list[Notice] = field(default_factory=list)  # kept back by reorder_webhooks
    runner: asyncio.Task[None] | None = None


class WebhookSender:
    """Sends notices over HTTP. A `transport` in place of the network lets tests mount the shop itself."""

    def __init__(
        self,
        storage: Storage,
        switches: Switches,
        timers: Timers,
        transport: httpx.AsyncBaseTransport | None = None,
        peers: Collection[str] = (),
    ) -> None:
        self._books, self._switches, self._alarms = storage, switches, timers
        self._transport, self._peers = transport, peers
        self._client: httpx.AsyncClient | None = None
        self._lanes: dict[str, _Lane] = {}
        self._settled: dict[str, asyncio.Event] = {}
        self._free = asyncio.Semaphore(CALLS_AT_ONCE)

    def send(self, notice: Notice) -> Notice:
        """Write a notice down and queue it; faults decide here whether it is dropped, doubled or held back."""
        self._books.notices.put(notice)
        if not is_loopback_url(notice.url, self._peers):
            return self._settle(notice, "refused")
        if not self._switches:
            self._queue(notice)
            return notice
        if self._switches.fires(notice.provider, ("drop_webhooks",), notice.url):
            return self._settle(notice, "dropped")
        if self._switches.fires(notice.provider, ("double_webhooks",), notice.url):
            self._queue(notice)
        if late := self._switches.fires(notice.provider, ("reorder_webhooks",), notice.url):
            self._lane(notice).held.append(notice)
            self._alarms.after(float(seconds_of(late, 2)), lambda: self._release(notice.lane))
            return notice
        self._queue(notice)
        return notice

    def again(self, notice: Notice) -> Notice:
        """Send a notice once more, byte for byte, whatever became of it; no fault touches it."""
        if is_loopback_url(notice.url, self._peers):
            self._queue(notice)
        return notice

    async def settled(self, notices: Iterable[Notice], seconds: float) -> None:
        """Wait until each notice is delivered, dropped or given up, but no longer than `seconds`."""
        waits = [self._settled.setdefault(notice.id, asyncio.Event()) for notice in notices if _open(notice)]
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                for event in waits:
                    await event.wait()

    def resume(self) -> None:
        """Queue again what was under way when the process ended."""
        for notice in list(self._books.notices):
            if _open(notice):
                self._queue(notice)

    def forget(self) -> None:
        """Drop everything queued and stop what is under way."""
        for lane in self._lanes.values():
            if lane.runner:
                lane.runner.cancel()
        self._lanes.clear()
        for event in self._settled.values():
            event.set()
        self._settled.clear()

    async def close(self) -> None:
        """Stop, and close the connections."""
        self.forget()
        if self._client:
            await self._client.aclose()

    def _lane(self, notice: Notice) -> _Lane:
        return self._lanes.setdefault(notice.lane, _Lane())

    def _queue(self, notice: Notice) -> None:
        lane = self._lane(notice)
        lane.queue.append(notice)
        if lane.runner is None:
            lane.runner = asyncio.get_running_loop().create_task(self._run(notice.lane, lane))

    def _release(self, key: str) -> None:
        lane = self._lanes.get(key)
        while lane and lane.held:
            self._queue(lane.held.pop(0))

    async def _run(self, key: str, lane: _Lane) -> None:
        while lane.queue:
            notice = lane.queue.popleft()
            try:
                await self._deliver(notice)
            except Exception:
                _log.exception("notice %s could not be carried", notice.id)
            lane.queue.extend(lane.held)
            lane.held.clear()
        lane.runner = None
        if not lane.held and self._lanes.get(key) is lane:
            del self._lanes[key]

    async def _deliver(self, notice: Notice) -> None:
        attempt = await self._call(notice)
        notice.attempts.append(attempt)
        if attempt.error is None:
            self._settle(notice, "delivered")
        elif notice.state == "delivered":
            self._books.notices.put(notice)  # the second half of a doubled notice is not tried again
        elif len(notice.attempts) >= notice.tries:
            self._settle(notice, "failed")
        else:
            self._books.notices.put(notice)
            self._alarms.after(self._pause(notice), lambda: self._queue(notice))

    async def _call(self, notice: Notice) -> Attempt:
        async with self._free:
            return await self._post(notice)

    async def _post(self, notice: Notice) -> Attempt:
        started = now_ms()
        try:
            response = await self._http().post(
                notice.url,
                content=notice.body.encode("utf-8"),
                headers=notice.headers,
                timeout=PATIENCE[notice.provider],
            )
        except httpx.HTTPError as error:
            return Attempt(at=started, status=None, error=type(error).__name__)
        return Attempt(at=started, status=response.status_code, error=_complaint(notice, response))

    def _http(self) -> httpx.AsyncClient:
        if self._client is None:
            limits = httpx.Limits(max_connections=CALLS_AT_ONCE, max_keepalive_connections=CALLS_AT_ONCE)
            # No proxy from the environment may carry a notice off this machine, nor a redirect of the shop's.
            self._client = httpx.AsyncClient(
                transport=self._transport, limits=limits, trust_env=False, follow_redirects=False
            )
        return self._client

    def _pause(self, notice: Notice) -> float:
        settings = self._books.settings
        by_ipn = notice.provider == "nowpayments"
        return float(settings.ipn_retry_interval if by_ipn else settings.webhook_retry_interval)

    def _settle(self, notice: Notice, state: str) -> Notice:
        notice.state = state
        self._books.notices.put(notice)
        if event := self._settled.pop(notice.id, None):
            event.set()
        return notice


def _open(notice: Notice) -> bool:
    return notice.state == "queued"


def _complaint(notice: Notice, response: httpx.Response) -> str | None:
    if not response.is_success:
        return f"answered {response.status_code}"
    if notice.empty_answer and response.content:
        return "answered with a body"
    return None
