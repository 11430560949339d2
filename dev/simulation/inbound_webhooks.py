"""Inbound webhooks: the shop's own handlers, and a post that is lost, doubled, late or replayed."""

from collections.abc import MutableMapping
from typing import Any

from litestar import Litestar, Response

from app.core.errors import Problem
from app.web.hooks import kinguin, nowpayments
from dev.simulation.faults import Faults
from dev.simulation.processes import Process, Processes
from dev.simulation.scheduler import Scheduler

QUICK, LATE = (0.05, 2.0), (5.0, 1200.0)  # seconds on the way
AGAIN = 60.0  # seconds until a notice without a 2xx is sent again
TRIES = 3
REMEMBERED = 200  # notices an eavesdropper replays from


class InboundWebhooks:
    """Takes notices from providers and posts them to the application, as requests in the web process."""

    def __init__(self, scheduler: Scheduler, faults: Faults, processes: Processes) -> None:
        self._scheduler, self._faults, self._processes = scheduler, faults, processes
        self._old: list[tuple[str, dict[str, str], bytes]] = []
        self._app = Litestar(
            route_handlers=[nowpayments.create, kinguin.create],
            exception_handlers={Problem: _refused},
            openapi_config=None,
        )

    def send_webhook(self, path: str, headers: dict[str, str], body: bytes) -> None:
        """A provider sends a notice."""
        faults, now = self._faults, self._scheduler.seconds
        if faults.lasts("every notice lost", now) or faults.strikes("notice lost"):
            return
        for _ in range(2 if faults.strikes("notice doubled") else 1):
            delay = faults.chance.uniform(*(LATE if faults.strikes("notice late") else QUICK))
            self._send(path, headers, body, delay, TRIES)
        self._old = [*self._old[-REMEMBERED:], (path, headers, body)]
        if faults.strikes("notice replayed"):
            self._send(*faults.chance.choice(self._old), faults.chance.uniform(*LATE), 1)

    def _send(self, path: str, headers: dict[str, str], body: bytes, delay: float, tries: int) -> None:
        self._scheduler.after(delay, lambda: self._deliver(path, headers, body, tries))

    def _deliver(self, path: str, headers: dict[str, str], body: bytes, tries: int) -> None:
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
