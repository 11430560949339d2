"""The application in a process that ends by SIGKILL as the first byte of a POST's answer would leave."""

import os
import signal
from typing import Any

from app.main import create_app

_inner = create_app()


async def app(scope: Any, receive: Any, send: Any) -> None:
    async def last_words(message: Any) -> None:
        if message["type"] == "http.response.start" and scope["method"] == "POST":
            os.kill(os.getpid(), signal.SIGKILL)
        await send(message)

    await _inner(scope, receive, last_words if scope["type"] == "http" else send)
