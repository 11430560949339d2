"""POST to a URL that a merchant gave us, and reach nothing but the internet with it.

The name is resolved and judged by us, and the connection goes to the very address that was judged: the URL handed to
the client holds the address, TLS verifies the name. So no second look-up can answer otherwise (DNS rebinding).
"""

import asyncio
import logging
import os
import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.core.settings import settings
from app.providers.errors import Observer
from app.providers.http import trust_roots
from app.providers.merchant_addresses import Refused, Target, read_url
from app.providers.merchant_exchange import (
    CONNECT_SECONDS,
    Answer,
    Connection,
    HungUp,
    NotHttp,
    connect,
    exchange,
)
from app.providers.merchant_names import Names, Resolver, Unreachable, system_resolver

__all__ = ["MerchantHttp", "Refused", "Reply", "Unreachable", "check_url"]

TOTAL_SECONDS = 10.0  # a whole call: name, connection, TLS, answer, however slowly it drips
MAX_ADDRESSES = 3  # tried in turn
MAX_KEPT_HEADERS, MAX_HEADER_CHARS = 50, 500
KEEP_ALIVE_SECONDS = 4.0  # Node and uvicorn hang up after 5 s of silence: we go first
ALWAYS = {"accept-encoding": "identity", "user-agent": "BitLoot-Webhooks/1"}
HIDDEN_HEADERS = frozenset({"set-cookie", "authorization", "www-authenticate", "proxy-authenticate"})

log = logging.getLogger("bitloot.merchants")


@dataclass(frozen=True, slots=True)
class Reply:
    """``headers`` in lower case, capped, cookies hidden; ``body``: its first 4 kB; ``address``: who was connected.

    ``whole``: whether what follows the status line could be read to its end.
    """

    status: int
    headers: dict[str, str]
    body: bytes
    address: str
    ms: int
    whole: bool = True


Key = tuple[str, int, str | None]
"""What a kept connection is for: an address, a port, and the name that TLS verified."""


class _NotConnected(Exception):
    """Nobody was reached at an address; says why in a sentence."""


@dataclass(slots=True)
class _Call:
    """How far one call has come."""

    began: float = field(default_factory=time.perf_counter)
    host: str = "?"
    address: str = ""
    status: int | None = None
    answer: Answer = field(default_factory=Answer)
    outcome: str = "broken"

    @property
    def ms(self) -> int:
        return round((time.perf_counter() - self.began) * 1000)


def check_url(url: str, *, test: bool) -> Target:
    """Refuse (Refused) what we would never send to, when an endpoint is added. Resolves nothing: names change.

    In production the loopback is our own machine's, so there test endpoints are on the internet too; a developer's
    machine is reached by ``bitloot webhooks listen``.
    """
    return read_url(url, loopback=test and not settings().production)


class MerchantHttp:
    """POSTs to merchants' URLs. No redirects, cookies, proxies or decompression.

    Connections are kept for the next call to the same address, port and TLS name only. ``loopback``: whether a test
    endpoint may be on this machine. ``resolver``, ``sockets`` and ``trust`` stand in for the world in tests.
    """

    def __init__(
        self,
        *,
        loopback: bool,
        resolver: Resolver | None = None,
        sockets: Callable[[Any], socket.socket] | None = None,
        trust: ssl.SSLContext | None = None,
        observer: Observer | None = None,
        total_seconds: float = TOTAL_SECONDS,
    ) -> None:
        self._loopback, self._sockets, self._trust = loopback, sockets, trust
        self._observer, self._total = observer, total_seconds
        self._names = Names(resolver or system_resolver())
        self._loop: asyncio.AbstractEventLoop | None = None
        self._idle: dict[Key, list[tuple[Connection, float]]] = {}

    async def aclose(self) -> None:
        idle, self._idle = self._idle, {}
        if self._loop is asyncio.get_running_loop():
            for connection, _ in [one for waiting in idle.values() for one in waiting]:
                connection.close()

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], *, test: bool) -> Reply:
        """The answer, whatever its status. Raises Refused (never sent) or Unreachable (perhaps received)."""
        call = _Call()
        try:
            target = read_url(url, loopback=test and self._loopback)
            call.host = target.authority
            async with asyncio.timeout(self._total):
                addresses = target.addresses or await self._names.addresses(target.host)
                await self._reach(call, target, addresses, body, headers)
        except Refused:
            call.outcome = "refused"
            raise
        except TimeoutError:
            if not call.answer.status:  # with a status line, the rest is a matter of politeness
                call.outcome = "timeout"
                why = f"No answer within {self._total:g} seconds."
                raise Unreachable(why, "timeout", address=call.address, ms=call.ms) from None
        except Unreachable as error:
            call.outcome = error.kind
            error.address, error.ms = call.address, call.ms
            raise
        finally:
            call.status = call.answer.status or None
            call.outcome = "answered" if call.status else call.outcome
            self._note(call)
        answer = call.answer
        head, kept = _head(answer.headers), bytes(answer.body)
        return Reply(answer.status, head, kept, call.address, call.ms, answer.whole)

    async def _reach(
        self, call: _Call, target: Target, addresses: Sequence[str], body: bytes, headers: Mapping[str, str]
    ) -> None:
        """Try the addresses in turn. Only a connection that was never made lets the next one try."""
        never = Unreachable("No connection could be made.", "connect")
        for address in addresses[:MAX_ADDRESSES]:
            call.address = address
            try:
                await self._send(call, target, address, _request(target, body, headers))
            except ssl.SSLCertVerificationError as error:
                said = f"The certificate was not accepted: {error.verify_message}".rstrip(": .")
                raise Unreachable(f"{said}.", "tls") from None
            except ssl.SSLError:
                raise Unreachable("The TLS handshake failed.", "tls") from None
            except _NotConnected as error:
                never = Unreachable(str(error), "connect")
            except HungUp:
                raise Unreachable("The connection was closed before an answer came.", "broken") from None
            except NotHttp:
                raise Unreachable("The answer was not HTTP.", "broken") from None
            else:
                return
        raise never

    async def _send(self, call: _Call, target: Target, address: str, request: bytes) -> None:
        """One request, on a kept connection where there is one."""
        key = (address, target.port, target.host if target.scheme == "https" else None)
        while (kept := self._kept(key)) is not None:
            try:
                await self._exchange(call, key, kept, request)
            except HungUp as hung:
                if not hung.silent:
                    raise
                # They hung up on a kept connection as we wrote. Again on another: RFC 9110 9.2.2, the id makes it safe.
            else:
                return
        await self._exchange(call, key, await self._connect(key), request)

    async def _connect(self, key: Key) -> Connection:
        address, port, name = key
        tls = (self._trust or trust_roots()) if name else None
        try:
            return await connect(address, port, tls=tls, name=name, sockets=self._sockets)
        except TimeoutError:
            raise _NotConnected(f"No connection within {CONNECT_SECONDS:g} seconds.") from None
        except ssl.SSLError:
            raise
        except OSError as error:
            why = os.strerror(error.errno) if error.errno else type(error).__name__
            raise _NotConnected(f"No connection: {why}.") from None

    async def _exchange(self, call: _Call, key: Key, connection: Connection, request: bytes) -> None:
        call.answer = answer = Answer()
        try:
            await exchange(connection, request, answer)
        finally:
            if answer.reusable:
                self._keep(key, connection)
            else:
                connection.close()

    def _kept(self, key: Key) -> Connection | None:
        """A connection that waits for its next request; those of another loop are of a thread that is gone."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._idle = loop, {}
        waiting = self._idle.pop(key, [])
        while waiting:
            connection, since = waiting.pop()
            if connection.idle and loop.time() - since < KEEP_ALIVE_SECONDS:
                self._idle[key] = waiting
                return connection
            connection.close()
        return None

    def _keep(self, key: Key, connection: Connection) -> None:
        loop = asyncio.get_running_loop()
        self._idle.setdefault(key, []).append((connection, loop.time()))
        loop.call_later(KEEP_ALIVE_SECONDS, self._expire, key)

    def _expire(self, key: Key) -> None:
        oldest = asyncio.get_running_loop().time() - KEEP_ALIVE_SECONDS
        waiting = self._idle.pop(key, [])
        for connection, since in waiting:
            if since <= oldest:
                connection.close()
        if young := [one for one in waiting if one[1] > oldest]:
            self._idle[key] = young

    def _note(self, call: _Call) -> None:
        """One line a call: the host, never its path or query, where merchants keep secrets."""
        level = logging.INFO if call.outcome == "answered" else logging.WARNING
        fields = {"host": call.host, "address": call.address, "status": call.status, "ms": call.ms}
        log.log(level, "merchants.post %s", call.outcome, extra=fields | {"outcome": call.outcome})
        if self._observer is not None:
            self._observer("merchants", "post", call.outcome, time.perf_counter() - call.began)


def _request(target: Target, body: bytes, headers: Mapping[str, str]) -> bytes:
    """The request as it goes out (RFC 9112, 3)."""
    path = f"{target.path}?{target.query}" if target.query else target.path
    fields = ALWAYS | {name.lower(): value for name, value in headers.items()}
    fields |= {"host": target.authority, "content-length": str(len(body))}
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("a header holds a line break")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


def _head(headers: Sequence[tuple[str, str]]) -> dict[str, str]:
    return {
        name: "hidden" if name in HIDDEN_HEADERS else value[:MAX_HEADER_CHARS]
        for name, value in headers[:MAX_KEPT_HEADERS]
    }
