"""The doors that providers knock at: the house's own handlers, and a post that is lost, doubled, late or replayed."""

from collections.abc import MutableMapping
from typing import Any

from litestar import Litestar, Response

from app.core.errors import Problem
from app.web.hooks import kinguin, nowpayments
from simulation.faults import Weather
from simulation.processes import Process, Processes
from simulation.scheduler import Scheduler

QUICK, LATE = (0.05, 2.0), (5.0, 1200.0)  # seconds on the way
AGAIN = 60.0  # seconds until a notice without a 2xx is sent again
TRIES = 3
REMEMBERED = 200  # notices an eavesdropper replays from


class Doors:
    """Takes notices from providers and posts them to the application, as requests in the web process."""

    def __init__(self, scheduler: Scheduler, weather: Weather, processes: Processes) -> None:
        self._scheduler, self._weather, self._processes = scheduler, weather, processes
        self._old: list[tuple[str, dict[str, str], bytes]] = []
        self._app = Litestar(
            route_handlers=[nowpayments.create, kinguin.create],
            exception_handlers={Problem: _refused},
            openapi_config=None,
        )

    def tell(self, path: str, headers: dict[str, str], body: bytes) -> None:
        """A provider sends a notice."""
        weather, now = self._weather, self._scheduler.seconds
        if weather.lasts("every notice lost", now) or weather.strikes("notice lost"):
            return
        for _ in range(2 if weather.strikes("notice doubled") else 1):
            delay = weather.chance.uniform(*(LATE if weather.strikes("notice late") else QUICK))
            self._send(path, headers, body, delay, TRIES)
        self._old = [*self._old[-REMEMBERED:], (path, headers, body)]
        if weather.strikes("notice replayed"):
            self._send(*weather.chance.choice(self._old), weather.chance.uniform(*LATE), 1)

    def _send(self, path: str, headers: dict[str, str], body: bytes, delay: float, tries: int) -> None:
        self._scheduler.after(delay, lambda: self._knock(path, headers, body, tries))

    def _knock(self, path: str, headers: dict[str, str], body: bytes, tries: int) -> None:
        web = self._processes.web
        if web is None:
            if tries > 1:
                self._send(path, headers, body, AGAIN, tries - 1)
            return
        self._scheduler.start("notice", self._post(path, headers, body, tries, web), process=web)

    async def _post(self, path: str, headers: dict[str, str], body: bytes, tries: int, web: Process) -> None:
        """One request; what has no good answer is sent again, also when the process dies under it."""
        status = 0
        try:
            self._processes.die_here("waiting")
            status = await self._request(path, headers, body)
            self._processes.die_here("after its commit")
        finally:
            self._scheduler.say(f"notice {path} {status}")
            if not 200 <= status < 300 and status != 401 and tries > 1:
                self._send(path, headers, body, AGAIN, tries - 1)

    async def _request(self, path: str, headers: dict[str, str], body: bytes) -> int:
        answered: list[int] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                answered.append(message["status"])

        scope: Any = {
            "type": "http", "http_version": "1.1", "method": "POST", "scheme": "http", "path": path,
            "raw_path": path.encode(), "query_string": b"", "root_path": "", "client": ("192.0.2.1", 1),
            "server": ("shop.invalid", 80), "asgi": {"version": "3.0"},
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }  # fmt: skip
        await self._app(scope, receive, send)  # type: ignore[arg-type]
        return answered[0]


def _refused(_request: Any, problem: Problem) -> Response[bytes]:
    return Response(b"", status_code=problem.status)
