"""The wire that every provider over HTTP shares. How a call can fail stands atop ``errors``."""

import asyncio
import ssl
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, ClassVar, TypeVar
from urllib.parse import urlencode

import httpx
import msgspec

from app.core.signing import MalformedJson, parse_strict
from app.providers.answers import MAX_ANSWER_BYTES, Answer, error_members, read_answer, retry_after, trace
from app.providers.errors import (
    ApiKeyRejected,
    Fault,
    Observer,
    ProviderDown,
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
    report,
)
from app.providers.shapes import WrongShape
from app.providers.transport import AiohttpTransport

__all__ = [
    "ApiKeyRejected",
    "Fault",
    "HttpProvider",
    "Observer",
    "ProviderDown",
    "ProviderError",
    "ProviderProtocolError",
    "ProviderRefused",
]

CONNECT_SECONDS = 3.0  # a provider behind its CDN connects in well under 0.5 s
READ_SECONDS = 10.0  # between two pieces of an answer; placing an order may take several seconds
POOL_SECONDS = 5.0  # for a free connection
TOTAL_SECONDS = 20.0  # a whole call, however slowly it drips; a job's lease must be longer
MAX_ANSWER_DEPTH = 64
MAX_CONNECTIONS = 32  # per provider and process
KEEP_ALIVE_SECONDS = 60.0
MAX_DETAIL_CHARS = 300

SAFE_METHODS = frozenset({"GET", "HEAD"})
NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)

T = TypeVar("T")

_json = msgspec.json.Encoder(decimal_format="number")
_timeouts = httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS, pool=POOL_SECONDS).as_dict()


class HttpProvider:
    """One provider's wire. Subclasses name the calls; ``ask`` makes them.

    It speaks to httpx's transport seam itself: redirects, cookies and proxies out of the environment can't
    happen there, and a call costs a third less than through AsyncClient. ``transport`` replaces the network
    and stays its giver's to close. Otherwise connections open on first use, on the loop that uses them.
    """

    provider: ClassVar[str]
    code_member: ClassVar[str] = "code"
    detail_member: ClassVar[str] = "message"

    def __init__(
        self,
        base_url: str,
        headers: Mapping[str, str],
        *,
        secret: str,
        transport: httpx.AsyncBaseTransport | None = None,
        observer: Observer | None = None,
        total_seconds: float = TOTAL_SECONDS,
    ) -> None:
        if not base_url.startswith(("https://", "http://")):
            raise ValueError(f"{self.provider} needs an http(s) base URL")
        self._base = base_url.rstrip("/")
        # Resend refuses calls without a user agent (resend.md section 1); identity keeps the size bound true.
        always = {"user-agent": "BitLoot/1", "accept": "application/json", "accept-encoding": "identity"}
        self._headers = always | dict(headers)
        self._secret, self._observer, self._total = secret, observer, total_seconds
        self._given = transport
        self._own: tuple[asyncio.AbstractEventLoop, AiohttpTransport] | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} at {self._base}>"

    async def aclose(self) -> None:
        own, self._own = self._own, None
        if own is not None and own[0] is asyncio.get_running_loop():
            await own[1].aclose()

    async def ask(
        self,
        call: str,
        method: str,
        path: str,
        read: Callable[[Any], T],
        *,
        query: Mapping[str, str | int] | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> T:
        """Make one call and ``read`` its JSON; ``read`` raises WrongShape if it is not what the sheet says.

        ``body`` goes out as JSON, Decimals as number texts. Raises ProviderDown, ProviderRefused or
        ProviderProtocolError.
        """
        began, outcome, answer = time.perf_counter(), "broken", None
        try:
            answer = await self._send(call, self._request(method, path, query, body, headers))
            result = self._judge(call, method, answer, read)
            outcome = "ok"
        except ProviderError as error:
            outcome = error.outcome
            raise
        finally:
            status, ray = (answer.status, trace(answer)) if answer else (None, None)
            seconds = time.perf_counter() - began
            report(self._observer, self.provider, call, outcome, seconds, status=status, trace=ray)
        return result

    def explain(self, fault: Fault) -> ProviderError | None:
        """The provider's own name for a fault, or None to let its status decide."""
        return None

    def parse(self, call: str, body: bytes) -> Any:
        """The value of an answer's JSON. Raises MalformedJson."""
        return parse_strict(body, max_depth=MAX_ANSWER_DEPTH, max_bytes=MAX_ANSWER_BYTES)

    def _request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | int] | None,
        body: object,
        headers: Mapping[str, str] | None,
    ) -> httpx.Request:
        sent = {**self._headers, **(headers or {})}
        content = None
        if body is not None:
            content = _json.encode(body)
            sent["content-type"] = "application/json"
        url = f"{self._base}{path}?{urlencode(query)}" if query else f"{self._base}{path}"
        return httpx.Request(method, url, headers=sent, content=content, extensions={"timeout": _timeouts})

    async def _send(self, call: str, request: httpx.Request) -> Answer:
        unsafe = request.method not in SAFE_METHODS
        try:
            async with asyncio.timeout(self._total):
                response = await self._transport().handle_async_request(request)
                try:
                    return await read_answer(response)
                finally:
                    await response.aclose()
        except (httpx.TransportError, TimeoutError) as error:
            happened = unsafe and not isinstance(error, NEVER_LEFT)
            # From None: the chain would lead to objects that hold our headers.
            raise ProviderDown(
                self.provider, call, f"no answer ({type(error).__name__})", may_have_happened=happened
            ) from None

    def _transport(self) -> httpx.AsyncBaseTransport:
        if self._given is not None:
            return self._given
        loop = asyncio.get_running_loop()
        if self._own is None or self._own[0] is not loop:
            trust = trust_roots() if self._base.startswith("https://") else None
            transport = AiohttpTransport(trust=trust, connections=MAX_CONNECTIONS, keep_alive=KEEP_ALIVE_SECONDS)
            self._own = (loop, transport)
        return self._own[1]

    def _judge(self, call: str, method: str, answer: Answer, read: Callable[[Any], T]) -> T:
        if not 200 <= answer.status < 300:
            raise self._named(self._fault(call, method, answer))
        try:
            return read(self.parse(call, answer.body))
        except (MalformedJson, WrongShape) as wrong:
            happened = method not in SAFE_METHODS
            raise ProviderProtocolError(
                self.provider, call, str(wrong), status=answer.status, may_have_happened=happened
            ) from None

    def _fault(self, call: str, method: str, answer: Answer) -> Fault:
        data = error_members(answer.body)
        code, said = data.get(self.code_member), data.get(self.detail_member)
        return Fault(
            provider=self.provider,
            call=call,
            status=answer.status,
            code=code if isinstance(code, str) else None,
            detail=self._clean(said) if isinstance(said, str) else "no reason given",
            data=data,
            unsafe=method not in SAFE_METHODS,
            retry_after=retry_after(answer.headers),
        )

    def _clean(self, said: str) -> str:
        if self._secret:
            said = said.replace(self._secret, "***")
        return " ".join(said.split())[:MAX_DETAIL_CHARS]

    def _named(self, fault: Fault) -> ProviderError:
        named = self.explain(fault) if fault.data else None
        if named is not None:
            return named
        # No JSON object: a CDN or proxy spoke, not the provider, so its 4xx says nothing about our request.
        if not fault.data or fault.status < 400 or fault.status >= 500 or fault.status in {408, 425, 429}:
            return fault.down()
        return fault.refused(ApiKeyRejected) if fault.status == 401 else fault.refused()


@cache
def trust_roots() -> ssl.SSLContext:
    """One set of root certificates for all clients: loading them costs 20 ms and some megabytes."""
    return httpx.create_ssl_context(trust_env=False)
