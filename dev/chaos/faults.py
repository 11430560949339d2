"""What happens to the shop while its customers buy: one fault after the other, drawn by a seed."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import redis

from app.queue.producer import QUEUES
from dev.chaos import messages
from dev.environment import Environment

CALM = (1.0, 6.0)  # seconds between two faults
OUTAGE = (0.0, 2.5)  # seconds a server or a process stays away
TROUBLE = (1.0, 10.0)  # seconds a provider misbehaves
CALLS = ("latency", "error500", "error500_after_effect", "timeout_after_effect", "rate_limit")
NOTICES = ("drop_webhooks", "double_webhooks", "reorder_webhooks")
MODES = {
    "nowpayments": (*CALLS, "html_garbage", *NOTICES),
    "kinguin": (*CALLS, "html_garbage", *NOTICES, "search_lag", "order_failed"),
    "resend": (*CALLS, "html_garbage", "concurrent"),
    "store": CALLS,
}

Fault = Callable[[], Awaitable[str]]  # strikes, and says what it was


class Faults:
    """``struck`` counts each fault by its name."""

    def __init__(self, env: Environment, seed: int) -> None:
        self.env, self.struck = env, Counter[str]()
        self._chance = random.Random(seed)
        self._faults: list[tuple[int, Fault]] = [
            (8, self._kill_worker), (3, lambda: self._kill("web")), (3, lambda: self._kill("clock")),
            (3, self._flush), (3, self._kill_redis), (3, self._fill_redis), (2, self._kill_postgres),
            (4, self._double), (4, self._lose), (2, self._suspend), (3, lambda: self._kill("webhooks")),
        ]  # fmt: skip

    async def strike(self) -> None:
        """Until cancelled; whatever it was doing then is undone by ``clear``. Providers have faults of their own."""
        await asyncio.gather(self._machines(), self._providers())

    async def _machines(self) -> None:
        weights, faults = zip(*self._faults, strict=True)
        while True:
            await asyncio.sleep(self._chance.uniform(*CALM))
            (fault,) = self._chance.choices(faults, weights)
            with contextlib.suppress(redis.RedisError):  # a Redis that is full or just back
                self.struck[await fault()] += 1

    async def _providers(self) -> None:
        while True:
            await asyncio.sleep(self._chance.uniform(*CALM))
            for _ in range(self._chance.randint(1, 3)):
                self.struck[await self._trouble()] += 1
            await asyncio.sleep(self._chance.uniform(*TROUBLE))
            await self.env.asks("DELETE", "/faults")

    async def clear(self) -> None:
        """Everything runs again and nobody misbehaves."""
        await self.env.start_servers()
        messages.accept(self.env.redis)
        await self.env.asks("DELETE", "/faults")
        for name in self.env.processes:
            if not self.env.runs(name):
                await self.env.start(name)

    async def _outage(self) -> None:
        await asyncio.sleep(self._chance.uniform(*OUTAGE))

    async def _kill(self, name: str) -> str:
        if self.env.runs(name):
            await self.env.kill(name)
        await self._outage()
        await self.env.start(name)
        return f"{name} killed (SIGKILL)"

    async def _kill_worker(self) -> str:
        return await self._kill("worker")

    async def _suspend(self) -> str:
        async with self.env.suspended("worker"):
            await self._outage()
        return "worker suspended (SIGSTOP)"

    async def _flush(self) -> str:
        self.env.redis.flushall()
        return "Redis flushed"

    async def _kill_redis(self) -> str:
        await self.env.kill_redis()
        await self._outage()
        await self.env.start_servers()
        return "Redis killed and restarted"

    async def _fill_redis(self) -> str:
        messages.refuse(self.env.redis)
        await self._outage()
        messages.accept(self.env.redis)
        return "Redis full: messages refused"

    async def _kill_postgres(self) -> str:
        await self.env.kill_postgres()
        await self._outage()
        await self.env.start_servers()
        return "Postgres killed and restarted"

    async def _double(self) -> str:
        jobs = await self.env.rows("SELECT id, name FROM job ORDER BY created_at DESC LIMIT 400")
        messages.send_again(self.env.redis, self._chance.sample(jobs, min(len(jobs), 100)), 2)
        return "messages doubled"

    async def _lose(self) -> str:
        queues = [f"dramatiq:{queue}{kind}" for queue in QUEUES for kind in ("", ".DQ")]
        lost: Any = self.env.redis.delete(*queues)
        return "messages lost" if lost else "messages lost: none was there"

    async def _trouble(self) -> str:
        """A provider misbehaves, in some or all of its calls."""
        provider = self._chance.choice(list(MODES))
        mode = self._chance.choice(MODES[provider])
        fault = {"provider": provider, "mode": mode, "rate": self._chance.choice(("0.2", "0.5", "1"))}
        if mode in {"latency", "timeout_after_effect"}:
            fault["seconds"] = str(self._chance.randint(1, 12))
        await self.env.asks("POST", "/faults", json=fault)
        return f"{provider}: {mode.replace('_', ' ')}"
