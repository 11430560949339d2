"""A merchant's host name, resolved and judged: all of its addresses are public, or the name is refused."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from app.core import clock
from app.providers.merchant_addresses import check_address

NAME_SECONDS = 30  # a judged answer of the DNS stands so long
MAX_NAMES = 2000
RESOLVER_THREADS = 16  # names that hang hold these, never the threads the rest of the process uses

Resolver = Callable[[str], Awaitable[Sequence[str]]]
"""All addresses of a name; OSError where it has none."""


class Unreachable(Exception):
    """No whole answer came. ``kind``: unresolved, connect, tls, timeout, broken; ``why`` is a sentence."""

    def __init__(self, why: str, kind: str, *, address: str = "", ms: int = 0) -> None:
        self.why, self.kind, self.address, self.ms = why, kind, address, ms
        super().__init__(why)


class Names:
    """Judged addresses by name. Whoever asks for a name that is being asked for waits for the same answer."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._known: dict[str, tuple[datetime, tuple[str, ...]]] = {}
        self._asked: dict[str, asyncio.Task[tuple[str, ...]]] = {}

    async def addresses(self, name: str) -> tuple[str, ...]:
        until, known = self._known.get(name, (None, ()))
        if until is not None and clock.now() < until:
            return known
        task = self._asked.get(name)
        if task is None or task.get_loop() is not asyncio.get_running_loop():
            task = self._asked[name] = asyncio.create_task(self._ask(name))
            task.add_done_callback(lambda done: self._answered(name, done))
        # Shielded: one caller's patience ending must not end the look-up for the others.
        return await asyncio.shield(task)

    async def _ask(self, name: str) -> tuple[str, ...]:
        try:
            found = await self._resolver(name)
        except (OSError, UnicodeError):
            found = ()
        if not found:
            raise Unreachable("The host name has no address.", "unresolved")
        # One bad address condemns the name: which one is used would be chance, or the attacker's choice.
        judged = dict.fromkeys(check_address(address) for address in found)
        if len(self._known) >= MAX_NAMES:
            self._known.clear()
        # IPv4 first: many hosts of ours have no IPv6, and it is refused at once only where it is known to be missing.
        addresses = tuple(sorted(judged, key=lambda address: ":" in address))
        self._known[name] = (clock.now() + timedelta(seconds=NAME_SECONDS), addresses)
        return addresses

    def _answered(self, name: str, task: asyncio.Task[tuple[str, ...]]) -> None:
        if self._asked.get(name) is task:
            del self._asked[name]
        if not task.cancelled():
            task.exception()  # seen, though every caller may be gone


def system_resolver() -> Resolver:
    return _Dns().addresses


class _Dns:
    """The system's resolver, on threads of its own."""

    def __init__(self) -> None:
        self._threads: ThreadPoolExecutor | None = None

    async def addresses(self, name: str) -> Sequence[str]:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(RESOLVER_THREADS, thread_name_prefix="dns")
        return await asyncio.get_running_loop().run_in_executor(self._threads, _look_up, name)


def _look_up(name: str) -> list[str]:
    # The last dot keeps the search list of resolv.conf out: shop.com must not become shop.com.our-network.
    found = socket.getaddrinfo(f"{name}.", None, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]
