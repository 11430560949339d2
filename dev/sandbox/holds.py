"""Holds: requests made to wait just before their effect, or after it with the answer withheld, until they are let go.

So a test can have many calls of a shop under way at one moment, at exactly that point, and then let something happen.
Holds are in memory only; a restart forgets them, and their callers see a broken connection.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import cast

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from dev.sandbox.fault_middleware import Face, hang_up, strike
from dev.sandbox.records import Fault

PHASES = {"before": "waits and has done nothing", "after": "has done it, and the answer waits"}
ENDINGS = {"answer": "goes on", "error500": "answers 500", "hang_up": "closes the line"}
LONGEST = 60.0  # seconds a request waits at the most

About = Callable[[str], str]  # path -> what this provider knows a request there is about


@dataclass(slots=True)
class Hold:
    """Requests of one kind that wait. `path` is a pattern with `*`; `match` a text in query, body or subject.

    `late`: a request whose caller has gone meanwhile still has its effect when it is let go, like one that was on
    its way; otherwise it never arrived. `waiting` counts, by what they say, who waits just now; `caught` counts all.
    """

    provider: str
    phase: str
    path: str = "*"
    method: str | None = None
    match: str | None = None
    seconds: float = LONGEST
    late: bool = False
    id: str = field(default_factory=lambda: secrets.token_hex(4))
    armed: bool = True
    then: str = "answer"
    waiting: Counter[str] = field(default_factory=Counter)
    caught: int = 0
    let_go: asyncio.Event = field(default_factory=asyncio.Event)

    def fits(self, provider: str, method: str, path: str, said: str) -> bool:
        """Whether a request is one of these."""
        if not self.armed or self.provider != provider or self.method not in {None, method}:
            return False
        return fnmatchcase(path, self.path) and (self.match is None or self.match in said)

    @property
    def held(self) -> int:
        """Requests that wait just now."""
        return self.waiting.total()

    @property
    def different(self) -> int:
        """How many of them ask for different things."""
        return len(+self.waiting)

    async def wait(self, call: str, receive: Receive) -> bool:
        """Until let go, or the time is over; True if the caller has gone meanwhile."""
        self.waiting[call] += 1
        self.caught += 1
        going = asyncio.ensure_future(self.let_go.wait())
        leaving = asyncio.ensure_future(_gone(receive))
        try:
            await asyncio.wait({going, leaving}, timeout=self.seconds, return_when=asyncio.FIRST_COMPLETED)
            if leaving.done() and self.late:
                await asyncio.wait({going}, timeout=self.seconds)
            return leaving.done()
        finally:
            self.waiting[call] -= 1
            going.cancel()
            leaving.cancel()


class Holds:
    """All holds that catch requests or have some waiting."""

    def __init__(self) -> None:
        self._holds: dict[str, Hold] = {}

    def __bool__(self) -> bool:
        return bool(self._holds)

    def all(self) -> list[Hold]:
        """Every hold, the oldest first."""
        return list(self._holds.values())

    def arm(self, hold: Hold) -> Hold:
        """Catch such requests from now on."""
        self._holds[hold.id] = hold
        return hold

    def disarm(self) -> None:
        """Catch no more; who waits goes on waiting."""
        for hold in self._holds.values():
            hold.armed = False

    def release(self, then: str, only: str | None = None) -> None:
        """Let go who waits in every hold, or in `only` that one, and forget the hold."""
        for hold in self.all():
            if only in {None, hold.id}:
                hold.then, hold.armed = then, False
                hold.let_go.set()
                del self._holds[hold.id]

    def find(self, phase: str, provider: str, method: str, path: str, said: str) -> Hold | None:
        """The first hold that catches a request at this point."""
        return next(
            (h for h in self._holds.values() if h.phase == phase and h.fits(provider, method, path, said)), None
        )


def holding(provider: str, holds: Holds, face: Face, about: About = lambda _: "") -> Callable[[ASGIApp], ASGIApp]:
    """Middleware that makes this provider's requests wait where a hold says so; costs nothing while there is none."""

    def wrap(app: ASGIApp) -> ASGIApp:
        async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != ScopeType.HTTP or not holds:
                await app(scope, receive, send)
                return
            body, again = await read_body(receive)
            method, path = str(scope["method"]), str(scope["path"])
            said = "\n".join([scope["query_string"].decode("latin-1"), body.decode("utf-8", "replace"), about(path)])
            before = holds.find("before", provider, method, path, said)
            if before:
                gone = await before.wait(path + said, receive)
                if (gone and not before.late) or await _ended(before, face, path, receive, send):
                    return
            after = holds.find("after", provider, method, path, said)
            if not after:
                await app(scope, again, send)
                return
            answer: list[Message] = []
            # A state of its own, else Litestar takes the withheld answer for one that has begun.
            await app(cast(Scope, {**scope, "state": {}}), again, _keep(answer))
            if await after.wait(path + said, receive) or await _ended(after, face, path, receive, send):
                return
            for message in answer:
                await send(message)

        return guarded

    return wrap


async def _ended(hold: Hold, face: Face, path: str, receive: Receive, send: Send) -> bool:
    """Whether a request that was let go ends here, in a way other than its own answer."""
    if hold.then == "error500":
        await strike(Fault(id=hold.id, provider=hold.provider, mode="error500"), face, path, send)
    elif hold.then == "hang_up":
        await hang_up(receive, 0)
    return hold.then != "answer"


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def read_body(receive: Receive) -> tuple[bytes, Receive]:
    """The whole body, and a way to receive it again."""
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        body += cast(dict[str, bytes], message).get("body", b"")
        more = bool(message.get("more_body"))
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return cast(Message, await receive())
        given = True
        return cast(Message, {"type": "http.request", "body": body, "more_body": False})

    return body, cast(Receive, again)


def _keep(answer: list[Message]) -> Send:
    async def send(message: Message) -> None:
        answer.append(message)

    return send
