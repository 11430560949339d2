"""The faults that strike a call on its way in or its answer on the way out.

One middleware stands before each provider's routes. It is plain ASGI, because an answer that never comes can't be said
in a framework's words.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

import httpx
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from dev.sandbox.records import Fault
from dev.sandbox.switches import Switches, seconds_of

BEFORE = ("latency", "error500", "rate_limit", "html_garbage")
AFTER = ("timeout_after_effect", "error500_after_effect")
GARBAGE = b"<!doctype html><html><head><title>Just a moment...</title></head><body>cf-ray: 0</body></html>"


@dataclass(frozen=True, slots=True)
class FaultAnswer:
    """An answer given in place of the provider's own."""

    status: int
    body: bytes
    headers: Mapping[str, str]
    media_type: str = "application/json"


Face = Callable[[str, str, int], FaultAnswer]  # (mode, path, seconds) -> how this provider looks when it fails


def fault_middleware(provider: str, switches: Switches, face: Face) -> Callable[[ASGIApp], ASGIApp]:
    """Middleware that lets this provider's switched-on faults strike; costs nothing while none is on."""

    def wrap(app: ASGIApp) -> ASGIApp:
        async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != ScopeType.HTTP or not switches:
                await app(scope, receive, send)
                return
            path = str(scope["path"])
            before = switches.fires(provider, BEFORE, path)
            if before and before.mode != "latency":
                await strike(before, face, path, send)
                return
            if before:
                await asyncio.sleep(float(seconds_of(before, 2)))
            after = switches.fires(provider, AFTER, path)
            if not after:
                await app(scope, receive, send)
                return
            # A state of its own, else Litestar takes the swallowed answer for one that has begun.
            await app(cast(Scope, {**scope, "state": {}}), receive, _into_the_void)
            if after.mode == "error500_after_effect":
                await strike(after, face, path, send)
            else:
                await hang_up(receive, float(seconds_of(after, 30)))

        return guarded

    return wrap


async def _into_the_void(message: Message) -> None:
    """Take an answer that nobody gets."""


async def strike(fault: Fault, face: Face, path: str, send: Send) -> None:
    if fault.mode == "html_garbage":
        made = FaultAnswer(200, GARBAGE, {}, "text/html; charset=utf-8")
    else:
        made = face(fault.mode, path, int(seconds_of(fault, 1)))
    headers = {"content-type": made.media_type, "content-length": str(len(made.body)), **made.headers}
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": made.status, "headers": raw})
    await send({"type": "http.response.body", "body": made.body, "more_body": False})


async def hang_up(receive: Receive, seconds: float) -> None:
    """Hold the line until the caller gives up or the time is over, then close it without a byte."""
    try:
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        pass
    # uvicorn's receive is bound to the cycle that owns the socket; mounted as a transport there is no socket.
    transport = getattr(getattr(receive, "__self__", None), "transport", None)
    if transport is None:
        raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
    transport.abort()
    await asyncio.sleep(0)  # lets uvicorn see the closed socket, else it would try to write a 500
