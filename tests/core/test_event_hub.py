"""News between processes, by a hub of the test's own, whose tables nobody looks at."""

import asyncio
from uuid import UUID

from app.core import db
from app.core.event_hub import CHANNEL, EventHub, announce
from app.core.ids import new_id
from app.core.redis import async_client


async def subscribers() -> int:
    async with async_client() as redis:
        [(_, count)] = await redis.pubsub_numsub(CHANNEL)
    return int(count)


async def subscribed(least: int) -> None:
    async with asyncio.timeout(30):
        while await subscribers() < least:
            await asyncio.sleep(0.02)


async def announced(subject: UUID) -> None:
    async with db.transaction():
        announce(subject, 1)


async def test_news_comes_by_the_channel_alone_and_to_its_subject_alone(app) -> None:
    hub, before = EventHub(), await subscribers()
    hub.open()
    subject, other = new_id(), new_id()
    async with hub.listening(subject) as news, hub.listening(other) as none:
        await subscribed(before + 1)
        await announced(subject)
        await asyncio.wait_for(news.wait(), 30)  # no catch_up: it would be another's work
        assert not none.is_set()
    await hub.close()


async def test_without_the_channel_the_tables_wake_who_has_not_seen_all() -> None:
    hub, subject = EventHub(), new_id()  # never opened
    async with hub.listening(subject) as news:
        hub.mark_sent(subject, 4)
        hub.catch_up({subject: 4})
        assert not news.is_set()
        hub.catch_up({subject: 5})
        assert news.is_set()
