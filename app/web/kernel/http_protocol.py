"""Uvicorn's HTTP protocol with limits on what a connection may cost before the application sees it.

The Procfile's ``--http app.web.kernel.http_protocol:BoundedHttp`` switches it on. The limits hold without a router in
front.
"""

import asyncio
from collections import Counter
from enum import StrEnum
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.core import metrics
from app.core.client_address import limit_key
from app.core.settings import settings

HEAD_BYTES = 64 * 1024  # of a request line with its header lines; trailers count with them
HEAD_LINES = 100
HEAD_SECONDS = 10.0  # from a head's first byte to its end
MESSAGE_SECONDS = 60.0  # from the first read of an unfinished body to its end: 64 kB take a moment, even by phone
MOST_PIPELINED = 16  # requests of one connection that wait for the answer before them
LINGER_SECONDS = 2.0  # that a refused connection stays open, so that the answer isn't lost in a reset
LINGER_BYTES = 1024 * 1024  # that are read and thrown away meanwhile

ANSWERS = {
    408: b"408 Request Timeout",
    429: b"429 Too Many Requests",
    431: b"431 Request Header Fields Too Large",
}
_open: Counter[str] = Counter()  # connections of this process, by address (of IPv6 by /64)


class Phase(StrEnum):
    """How far the message that is being read has come."""

    IDLE = "idle"
    HEAD = "head"
    BODY = "body"


class _HeadTooLarge(Exception):
    """Ends the parser's work on this connection; never leaves this module."""


class BoundedHttp(HttpToolsProtocol):
    """Refuses heads beyond HEAD_BYTES or HEAD_LINES with 431 and cuts what is sent too slowly.

    One address may hold ``LIMIT_CONNECTIONS`` connections, unless a proxy stands in front: all come from its address.
    """

    head_seconds = HEAD_SECONDS
    message_seconds = MESSAGE_SECONDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._phase = Phase.IDLE
        self._head_bytes = self._head_lines = 0
        self._unparsed = 0  # bytes since the last progress: an endless line reaches no callback of the parser
        self._progress = False  # of the message, during the present read
        self._deadline: asyncio.TimerHandle | None = None
        self._late_in: Phase | None = None  # the phase that the deadline is for
        self._refused = False
        self._thrown_away = 0
        self._counted = ""

    # A connection begins and ends.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)
        most = settings().limit_connections
        if self.client is None or not most or settings().proxy_hops:
            return
        self._counted = limit_key(self.client[0])
        _open[self._counted] += 1
        if _open[self._counted] > most:
            self._refuse(429)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._counted:
            _open[self._counted] -= 1
            if not _open[self._counted]:
                del _open[self._counted]
        self._set_deadline(None)
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    # Bytes come in.

    def data_received(self, data: bytes) -> None:
        if self._refused:
            self._throw_away(data)
            return
        self._progress = False
        super().data_received(data)
        if self._refused or self.transport.is_closing():
            return
        self._unparsed = 0 if self._progress else self._unparsed + len(data)
        if self._unparsed > HEAD_BYTES:
            self._refuse(431)
        elif self._phase is Phase.IDLE and self._progress:
            self._set_deadline(None)
        else:
            # Empty lines before a head are skipped by the parser: they count as its beginning.
            self._set_deadline(Phase.BODY if self._phase is Phase.BODY else Phase.HEAD)

    def on_message_begin(self) -> None:
        self._phase = Phase.HEAD
        self._head_bytes = self._head_lines = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._count(len(url), lines=0)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value) + len(b": \r\n"), lines=1)
        super().on_header(name, value)

    def _count(self, size: int, *, lines: int) -> None:
        self._head_bytes += size
        self._head_lines += lines
        if self._head_bytes > HEAD_BYTES or self._head_lines > HEAD_LINES:
            raise _HeadTooLarge

    def on_headers_complete(self) -> None:
        if len(self.pipeline) >= MOST_PIPELINED:
            raise _HeadTooLarge
        self._phase = Phase.BODY
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._progress = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._phase, self._progress = Phase.IDLE, True
        super().on_message_complete()

    # Deadlines.

    def _set_deadline(self, phase: Phase | None) -> None:
        """Let the deadline of ``phase`` run; one that runs for it already is not put off."""
        if phase is self._late_in:
            return
        if self._deadline is not None:
            self._deadline.cancel()
        self._late_in, self._deadline = phase, None
        if phase is not None:
            seconds = self.head_seconds if phase is Phase.HEAD else self.message_seconds
            self._deadline = self.loop.call_later(seconds, self._too_late)

    def _too_late(self) -> None:
        self._late_in = self._deadline = None
        if self._phase is Phase.IDLE and self._answering:
            return  # a stray empty line after a request whose answer is still on its way
        if not self.transport.is_closing():
            self._refuse(408)

    @property
    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    # Refusals.

    def send_400_response(self, msg: str) -> None:
        """What uvicorn calls when the parser gave up; ours answers 431 if it was told to."""
        if self._head_bytes > HEAD_BYTES or self._head_lines > HEAD_LINES or len(self.pipeline) >= MOST_PIPELINED:
            self._refuse(431)
        elif self._answering:
            self.transport.close()  # an answer in the middle of another would be read as its part
        else:
            super().send_400_response(msg)

    def _refuse(self, status: int) -> None:
        """Answer, stop listening, and hang up a moment later."""
        self._refused = True
        self._set_deadline(None)
        self._unset_keepalive_if_required()
        metrics.CONNECTIONS_REFUSED.labels(str(status)).inc()
        if self._answering or not self.transport.can_write_eof():
            self.transport.abort()
            return
        text = ANSWERS[status]
        head = b"HTTP/1.1 %b\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\nconnection: close"
        self.transport.write((head + b"\r\n\r\n%b") % (text, len(text), text))
        self.transport.write_eof()
        self.loop.call_later(LINGER_SECONDS, self.transport.abort)

    def _throw_away(self, data: bytes) -> None:
        self._thrown_away += len(data)
        if self._thrown_away > LINGER_BYTES:
            self.transport.abort()
