"""POST to a URL that a merchant gave us, and reach nothing but the internet with it.

The name is resolved and judged by us, and the connection goes to the very address that was judged: the URL handed to
the client holds the address, TLS verifies the name. So no second look-up can answer otherwise (DNS rebinding).
"""

import asyncio
import logging
import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import aiohttp
from yarl import URL

from app.core.settings import settings
from app.providers.errors import Observer
from app.providers.http import trust_roots
from app.providers.merchant_addresses import Refused, Target, read_url
from app.providers.merchant_names import Names, Resolver, Unreachable, system_resolver

__all__ = ["MerchantHttp", "Refused", "Reply", "Unreachable", "check_url"]

TOTAL_SECONDS = 10.0  # a whole call: name, connection, TLS, answer, however slowly it drips
CONNECT_SECONDS = 3.0  # for one address with its TLS handshake, so that a second address gets its chance
MAX_ADDRESSES = 3  # tried in turn
MAX_READ_BYTES = 64 * 1024
KEPT_BYTES = 4 * 1024
MAX_KEPT_HEADERS, MAX_HEADER_CHARS = 50, 500
KEEP_ALIVE_SECONDS = 4.0  # Node and uvicorn hang up after 5 s of silence: we go first
ALWAYS = {"accept-encoding": "identity", "user-agent": "BitLoot-Webhooks/1"}
HIDDEN_HEADERS = frozenset({"set-cookie", "authorization", "www-authenticate", "proxy-authenticate"})

log = logging.getLogger("bitloot.merchants")


@dataclass(frozen=True, slots=True)
class Reply:
    """``headers`` in lower case, capped, cookies hidden; ``body``: its first 4 kB; ``address``: who was connected."""

    status: int
    headers: dict[str, str]
    body: bytes
    address: str
    ms: int


@dataclass(slots=True)
class _Call:
    """How far one call has come."""

    began: float = field(default_factory=time.perf_counter)
    host: str = "?"
    address: str = ""
    status: int | None = None
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
        self._own: tuple[asyncio.AbstractEventLoop, aiohttp.ClientSession] | None = None

    async def aclose(self) -> None:
        own, self._own = self._own, None
        if own is not None and own[0] is asyncio.get_running_loop():
            await own[1].close()

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], *, test: bool) -> Reply:
        """The answer, whatever its status. Raises Refused (never sent) or Unreachable (perhaps received)."""
        call = _Call()
        try:
            target = read_url(url, loopback=test and self._loopback)
            call.host = target.authority
            async with asyncio.timeout(self._total):
                addresses = target.addresses or await self._names.addresses(target.host)
                reply = await self._reach(call, target, addresses, body, headers)
            call.status, call.outcome = reply.status, "answered"
        except Refused:
            call.outcome = "refused"
            raise
        except TimeoutError:
            call.outcome = "timeout"
            why = f"No whole answer within {self._total:g} seconds."
            raise Unreachable(why, "timeout", address=call.address, ms=call.ms) from None
        except Unreachable as error:
            call.outcome = error.kind
            error.address, error.ms = call.address, call.ms
            raise
        finally:
            self._note(call)
        return reply

    async def _reach(
        self, call: _Call, target: Target, addresses: Sequence[str], body: bytes, headers: Mapping[str, str]
    ) -> Reply:
        """Try the addresses in turn. Only a connection that was never made lets the next one try."""
        never = Unreachable("Nobody could be connected.", "connect")
        for address in addresses[:MAX_ADDRESSES]:
            call.address = address
            try:
                return await self._send(call, target, address, body, headers)
            except aiohttp.ClientConnectorCertificateError as error:
                raise Unreachable(_certificate(error), "tls") from None
            except aiohttp.ClientSSLError:
                raise Unreachable("The TLS handshake failed.", "tls") from None
            except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
                never = Unreachable(_connection(error), "connect")
            except (aiohttp.ClientError, OSError, ValueError) as error:
                raise Unreachable(_broken(error), "broken") from None
        raise never

    async def _send(self, call: _Call, target: Target, address: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        trace = SimpleNamespace(reused=False)
        try:
            return await self._exchange(call, target, address, body, headers, trace)
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
            if not trace.reused:
                raise
            # They hung up on a kept connection as we wrote. Again on another: RFC 9110 9.2.2, the id makes it safe.
            return await self._exchange(call, target, address, body, headers, trace)

    async def _exchange(
        self,
        call: _Call,
        target: Target,
        address: str,
        body: bytes,
        headers: Mapping[str, str],
        trace: SimpleNamespace,
    ) -> Reply:
        where = {"scheme": target.scheme, "host": address, "path": target.path, "query_string": target.query}
        response = await self._session().post(
            URL.build(**where, port=target.port, encoded=True),
            data=body,
            headers=ALWAYS | {name.lower(): value for name, value in headers.items()} | {"host": target.authority},
            server_hostname=target.host if target.scheme == "https" else None,
            allow_redirects=False,
            trace_request_ctx=trace,
        )
        async with response:
            kept = await _beginning(response)
        return Reply(response.status, _head(response.raw_headers), kept, address, call.ms)

    def _session(self) -> aiohttp.ClientSession:
        loop = asyncio.get_running_loop()
        if self._own is None or self._own[0] is not loop:
            reuse = aiohttp.TraceConfig()
            reuse.on_connection_reuseconn.append(_reused)
            # No limit here: a pool with one would make endpoints wait for each other. Whoever calls us has one.
            connector = aiohttp.TCPConnector(
                limit=0,
                keepalive_timeout=KEEP_ALIVE_SECONDS,
                ssl=self._trust or trust_roots(),
                socket_factory=self._sockets,
            )
            session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
                auto_decompress=False,
                trust_env=False,
                trace_configs=[reuse],
            )
            self._own = (loop, session)
        return self._own[1]

    def _note(self, call: _Call) -> None:
        """One line a call: the host, never its path or query, where merchants keep secrets."""
        level = logging.INFO if call.outcome == "answered" else logging.WARNING
        fields = {"host": call.host, "address": call.address, "status": call.status, "ms": call.ms}
        log.log(level, "merchants.post %s", call.outcome, extra=fields | {"outcome": call.outcome})
        if self._observer is not None:
            self._observer("merchants", "post", call.outcome, time.perf_counter() - call.began)


async def _reused(_session: aiohttp.ClientSession, context: SimpleNamespace, _params: Any) -> None:
    context.trace_request_ctx.reused = True


async def _beginning(response: aiohttp.ClientResponse) -> bytes:
    """The first 4 kB of the body, which is read to its end to keep the connection, but no further than 64 kB."""
    kept, size = bytearray(), 0
    async for chunk in response.content.iter_any():
        kept += chunk[: KEPT_BYTES - len(kept)]
        size += len(chunk)
        if size > MAX_READ_BYTES:
            response.close()
            break
    return bytes(kept)


def _head(raw: Sequence[tuple[bytes, bytes]]) -> dict[str, str]:
    head = {}
    for name, value in raw[:MAX_KEPT_HEADERS]:
        lower = name.decode("latin-1").lower()
        head[lower] = "hidden" if lower in HIDDEN_HEADERS else value.decode("latin-1")[:MAX_HEADER_CHARS]
    return head


def _certificate(error: aiohttp.ClientConnectorCertificateError) -> str:
    said = getattr(error.certificate_error, "verify_message", "")
    return f"The certificate was not accepted: {said}".rstrip(": .") + "."


def _connection(error: aiohttp.ClientError | TimeoutError) -> str:
    if isinstance(error, aiohttp.ClientConnectorError):
        said = error.os_error.strerror or type(error.os_error).__name__
        return f"No connection: {said}."
    return f"No connection within {CONNECT_SECONDS:g} seconds."


def _broken(error: Exception) -> str:
    if isinstance(error, aiohttp.ServerDisconnectedError | ConnectionError):
        return "The connection was closed before an answer came."
    if isinstance(error, aiohttp.ClientPayloadError):
        return "The answer broke off."
    return "What came back was not HTTP."
