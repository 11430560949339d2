"""Where letters and blobs go, and where rates come from: Resend with its keys, and a store that writes once."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

from app.core import call_recorder
from app.providers.errors import ProviderDown
from app.providers.object_store import LINK_SECONDS, ObjectConflict, ObjectMissing, check_key
from dev.simulation.faults import Faults
from dev.simulation.processes import Processes
from dev.simulation.scheduler import Scheduler
from dev.simulation.wire import Answer

REMEMBERED = 24 * 3600  # seconds of an idempotency key (resend.md, 4)
WRITING = (0.005, 0.2)  # seconds of a put


@dataclass
class Resend:
    """``sent`` has every letter that went out: recipient, kind, our own name for it (its idempotency key)."""

    scheduler: Scheduler
    name: str = "resend"
    sent: list[tuple[str, str, str]] = field(default_factory=list)
    seen: set[tuple[str, str]] = field(default_factory=set)
    _known: dict[str, tuple[float, str, str]] = field(default_factory=dict)

    def answer(self, method: str, path: str, query: Mapping[str, str], body: Any, headers: httpx.Headers) -> Answer:
        key, payload = headers["idempotency-key"], hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
        at, known, letter = self._known.get(key, (-REMEMBERED - 1.0, "", ""))
        if self.scheduler.seconds - at < REMEMBERED:
            if known != payload:
                return 409, {"statusCode": 409, "name": "invalid_idempotent_request", "message": "other content"}
            return 200, {"id": letter}
        letter = f"letter-{len(self.sent)}"
        self._known[key] = (self.scheduler.seconds, payload, letter)
        to, kind = body["to"][0], body["tags"][0]["value"]
        self.sent.append((to, kind, key))
        self.seen.add((to, kind))
        return 200, {"id": letter}

    def broken(self) -> Answer:
        return 500, {"statusCode": 500, "name": "internal_server_error", "message": "Internal server error."}


class FixedRates(httpx.AsyncBaseTransport):
    """The line to exchange rates that never move: today's, always, and without chance."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        day = self._scheduler.now().date().isoformat()
        body = {"amount": 1, "base": "EUR", "date": day, "rates": {"USD": "1.10"}}
        return httpx.Response(200, stream=httpx.ByteStream(json.dumps(body).encode()))


class Store:
    """Blobs in memory; see ``ObjectStore`` for what is promised."""

    def __init__(self, scheduler: Scheduler, faults: Faults, processes: Processes) -> None:
        self._scheduler, self._faults, self._processes = scheduler, faults, processes
        self.blobs: dict[str, bytes] = {}

    def _away(self, call: str, fault: str = "store refused") -> None:
        ill = self._faults.lasts("store down", self._scheduler.seconds) or self._faults.strikes(fault)
        call_recorder.record("storage", "down" if ill else "ok")
        if ill:
            raise ProviderDown("storage", call, "simulated", may_have_happened=True)

    async def put(self, key: str, data: bytes) -> None:
        await self._scheduler.pause(self._faults.chance.uniform(*WRITING))
        self._processes.die_here("waiting")
        self._away("put")
        if self.blobs.setdefault(check_key(key), data) != data:
            raise ObjectConflict("storage", "put", "another object has that key")
        self._away("put", "store refused after its effect")
        await self._processes.freeze_here("process frozen")

    async def get(self, key: str) -> bytes:
        self._away("get")
        if key not in self.blobs:
            raise ObjectMissing("storage", "get", "no such object")
        return self.blobs[key]

    async def delete(self, key: str) -> None:
        self.blobs.pop(key, None)

    async def exists(self, key: str) -> bool:
        return key in self.blobs

    async def link(self, key: str, *, filename: str, seconds: int = LINK_SECONDS) -> str:
        return f"https://blobs.invalid/{key}?for={seconds}"

    async def expire(self, prefix: str, older_than: datetime) -> int:
        return 0

    async def health(self) -> None:
        """Always well."""

    async def aclose(self) -> None:
        """Nothing to let go of."""
