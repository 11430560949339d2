"""News between processes: "this order's timeline has grown to N". Redis carries it, Postgres holds the events.

A page that missed the news, because Redis was away, is woken by ``catch_up``, which is given what the tables say.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from uuid import UUID

from redis.exceptions import RedisError

from app.core import db, log
from app.core.redis import async_client
from app.core.redis_publisher import publisher

CHANNEL = "bitloot:news"
RECONNECT = 1.0  # seconds between attempts to subscribe again


def announce(subject: UUID, seq: int) -> None:
    """Tell every process, once the surrounding transaction has committed, that ``subject`` has event ``seq``."""
    news = subject.bytes + seq.to_bytes(8, "big")
    db.after_commit(lambda: publisher.send(lambda pipe: pipe.publish(CHANNEL, news)))


class EventHub:
    """One per web process: hears the channel and wakes the streams that wait for a subject."""

    def __init__(self) -> None:
        self._listeners: dict[UUID, set[asyncio.Event]] = defaultdict(set)
        self._known: dict[UUID, int] = {}
        self._task: asyncio.Task[None] | None = None
        self.closing = False

    def open(self) -> None:
        self._task = asyncio.create_task(self._hear(), name="event_hub")

    async def close(self) -> None:
        """Stop listening and let every stream end, so that a stopping process is not held up by open pages."""
        self.closing = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for subject in list(self._listeners):
            self.notify(subject)

    def mark_sent(self, subject: UUID, seq: int) -> None:
        """A stream has shown ``subject`` up to ``seq``."""
        self._known[subject] = max(self._known.get(subject, 0), seq)

    def catch_up(self, newest: Mapping[UUID, int]) -> None:
        """Wake whoever listens to a subject that, by the tables, has grown past what was shown."""
        for subject, seq in newest.items():
            if seq > self._known.get(subject, 0):
                self.notify(subject)

    @property
    def subjects(self) -> list[UUID]:
        """What is being listened to just now."""
        return list(self._listeners)

    def notify(self, subject: UUID) -> None:
        for listener in self._listeners.get(subject, ()):
            listener.set()

    @asynccontextmanager
    async def listening(self, subject: UUID) -> AsyncIterator[asyncio.Event]:
        """An event that is set whenever there is news of ``subject``; the listener clears it."""
        listener = asyncio.Event()
        self._listeners[subject].add(listener)
        try:
            yield listener
        finally:
            self._listeners[subject].discard(listener)
            if not self._listeners[subject]:
                del self._listeners[subject]
                self._known.pop(subject, None)

    async def _hear(self) -> None:
        failing = False
        while True:
            try:
                async with async_client(patient=True) as client, client.pubsub() as channel:
                    await channel.subscribe(CHANNEL)
                    failing = False
                    async for message in channel.listen():
                        if message["type"] == "message" and len(message["data"]) == 24:
                            self.notify(UUID(bytes=message["data"][:16]))
            except (RedisError, OSError) as error:
                if not failing:
                    log.get("bitloot.live").warning("live.deaf", why=type(error).__name__)
                failing = True
                await asyncio.sleep(RECONNECT)
