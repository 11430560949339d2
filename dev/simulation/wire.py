"""The line to a provider, as httpx sees it: calls take their time, get lost on the way there or back, or are refused.

What the clients make of an answer is their own code; only the network and what is behind it are simulated.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol
from urllib.parse import parse_qsl

import httpx
import msgspec

from dev.simulation.faults import Faults
from dev.simulation.processes import Processes
from dev.simulation.scheduler import Scheduler

THERE, BACK = (0.02, 0.6), (0.01, 0.3)  # seconds
NO_ANSWER = 10.0  # seconds until the client gives up reading
SETTLES_LATE = (2.0, 14.0)  # seconds after being asked that a slow effect comes: under the supplier's search lag
PAUSE = "3"  # seconds of a 429

_encoder = msgspec.json.Encoder(decimal_format="number", order="sorted")
encode: Callable[[object], bytes] = _encoder.encode
Answer = tuple[int, object]


class Backend(Protocol):
    """A provider behind the line: what it is asked it does at once, and answers with a status and a body."""

    name: str

    def answer(self, method: str, path: str, query: Mapping[str, str], body: Any, headers: httpx.Headers) -> Answer:
        """Do what is asked."""

    def broken(self) -> Answer:
        """Its face when it fails with a 500."""


class Line(httpx.AsyncBaseTransport):
    """The transport of one provider's client."""

    def __init__(self, backend: Backend, scheduler: Scheduler, faults: Faults, processes: Processes) -> None:
        self._backend, self._scheduler, self._faults, self._processes = backend, scheduler, faults, processes

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        faults, chance = self._faults, self._faults.chance
        await self._scheduler.pause(chance.uniform(*THERE))
        self._processes.die_here("waiting")
        if faults.lasts(f"{self._backend.name} down", self._scheduler.seconds) or faults.strikes("call never left"):
            raise httpx.ConnectError("simulated")
        if faults.strikes("call answered 429"):
            return _page(429, b"<html>slow down</html>", **{"retry-after": PAUSE})
        if faults.strikes("call answered 500"):
            return _response(self._backend.broken())
        if faults.strikes("call without answer"):
            await self._hang()
        if faults.strikes("call's effect late"):
            await self._settle_late(request)
        response = _response(self._ask(request))
        await self._return()
        if faults.strikes("call answered garbage"):
            return _page(200, b"<html>welcome</html>")
        return response

    async def _return(self) -> None:
        """The way back, which the answer may not survive."""
        if self._faults.strikes("call's answer lost"):
            await self._hang()
        await self._scheduler.pause(self._faults.chance.uniform(*BACK))
        self._processes.die_here("waiting")
        await self._processes.freeze_here("process frozen")

    async def _settle_late(self, request: httpx.Request) -> None:
        """The request arrives after its caller may have given up."""
        delay = self._faults.chance.uniform(*SETTLES_LATE)
        self._scheduler.after(delay, lambda: self._ask(request) and None)
        await self._hang()

    async def _hang(self) -> None:
        await self._scheduler.pause(NO_ANSWER)
        self._processes.die_here("waiting")
        raise httpx.ReadTimeout("simulated")

    def _ask(self, request: httpx.Request) -> Answer:
        body = msgspec.json.decode(request.content) if request.content else None
        query = dict(parse_qsl(request.url.query.decode()))
        path, method = request.url.path, request.method
        status, said = self._backend.answer(method, path, query, body, request.headers)
        self._scheduler.say(f"{self._backend.name} {method} {path} {status}")
        after = self._faults.strikes("call answered 500 after its effect")
        return self._backend.broken() if after else (status, said)


def _response(answer: Answer) -> httpx.Response:
    status, said = answer
    return _page(status, encode(said), **{"content-type": "application/json"})


def _page(status: int, body: bytes, **headers: str) -> httpx.Response:
    return httpx.Response(status, stream=httpx.ByteStream(body), headers=headers)
