"""A shop of the benchmark's own; each measurement starts the processes that it needs."""

import contextlib
import os
from collections.abc import AsyncIterator

from dev.environment import Environment, answers

PLENTY = "100000000"  # of calls: no limit of ours is measured


class Measured(Environment):
    """An environment whose processes are started one by one, as in production but for their threads."""

    async def forget_jobs(self) -> None:
        """Drop what an earlier measurement left to be done, rows and messages."""
        await self.rows("UPDATE job SET status = 'completed' WHERE status = 'pending'")
        await self.rows("UPDATE payment SET provider_payment_id = NULL, next_check_at = NULL")
        with self.redis as redis:
            redis.flushall()

    async def start_web(self) -> None:
        await self.start("web")
        await answers(f"{self.url}/readyz")

    async def start_worker(self, threads: int = 16) -> None:
        self.variables["WORKER_THREADS"] = str(threads)
        await self.start("worker")

    async def start_webhooks(self, threads: int = 64) -> None:
        self.variables["WEBHOOK_THREADS"] = str(threads)
        await self.start("webhooks")


@contextlib.asynccontextmanager
async def opened() -> AsyncIterator[Measured]:
    """Servers, sandbox and a loaded catalog. This process gets the shop's settings, too."""
    env = Measured("bench", (), s3=False, LOG_LEVEL="WARNING", LIMIT_API=PLENTY, LIMIT_MAILBOX=PLENTY)
    try:
        await env.open()
        os.environ |= env.variables
        yield env
    finally:
        await env.close()
