"""Reading server-sent events off a real connection, without TLS: its set-up costs a client 20 ms."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx


class Listener:
    """An open stream. ``retry`` is its first line; ``events`` gives whole events as they come."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = response.aiter_lines()

    async def block(self, seconds: float = 10) -> list[str]:
        """The lines up to the next empty one."""
        found: list[str] = []
        async with asyncio.timeout(seconds):
            async for line in self._lines:
                if not line and found:
                    return found
                if line:
                    found.append(line)
        raise EOFError(found)

    async def event(self, seconds: float = 10) -> dict[str, Any]:
        """The next event: ``{id, event, data}``; heartbeats are passed over."""
        while True:
            lines = await self.block(seconds)
            parts = [line.partition(": ")[::2] for line in lines if not line.startswith(":")]
            if not parts or parts[0][0] == "retry":
                continue
            found = {name: value for name, value in parts if name != "data"}
            return found | {"data": "\n".join(value for name, value in parts if name == "data")}

    async def news(self, count: int, seconds: float = 10) -> list[dict[str, Any]]:
        """The next ``count`` events of a stream of JSON."""
        return [json.loads((await self.event(seconds))["data"]) for _ in range(count)]

    async def ended(self, seconds: float) -> bool:
        """Whether the stream ends within ``seconds``, whatever it says until then."""
        try:
            async with asyncio.timeout(seconds):
                async for _ in self._lines:
                    pass
        except TimeoutError:
            return False
        except httpx.HTTPError:
            return True
        return True


@asynccontextmanager
async def listening(url: str, **headers: str) -> AsyncIterator[Listener]:
    """A stream at ``url``, opened and answered."""
    async with (
        httpx.AsyncClient(timeout=30, verify=False) as client,
        client.stream("GET", url, headers=headers) as response,
    ):
        yield Listener(response)
