"""HEAD: what GET would answer, without the body (RFC 9110, 9.3.2)."""

from typing import Any

from litestar import Litestar
from litestar.types import Message, Send


class HeadAware(Litestar):
    """The application. Its routes know GET only, so HEAD is asked of them as GET, before a route is looked for."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope.get("method") == "HEAD":
            scope, send = scope | {"method": "GET"}, _head_only(send)
        await super().__call__(scope, receive, send)


def _head_only(send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            await send(message)
            # The end at once: a stream's body would never come to one.
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    return sent
