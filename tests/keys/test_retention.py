"""Keys are deleted when their time has come: not before, not half, and written down."""

from datetime import timedelta
from typing import Any

import pytest

from app.audit import service as audit
from app.core import clock, db
from app.core.settings import settings
from app.keys import reveal as keys
from app.keys.reveal import GameKeyDeleted
from app.providers.errors import ProviderDown
from app.queue import service as jobs
from tests.builders import VISITOR, count, delivered, events
from tests.keys.conftest import Behind

DAYS = settings().retention_days


async def retire_by_job(drain: Any) -> None:
    assert await jobs.post("keys.retire", {}) is not None
    assert await drain(only="keys.retire") == 1


async def test_the_job_deletes_each_blob_on_its_day_and_a_reveal_after_that_is_410(
    app: Any, box: Any, drain: Any
) -> None:
    store = app.state.store
    old, (item,) = await delivered(app.state.kit, box, 2)
    with clock.travelled(timedelta(days=1)):
        young, (other,) = await delivered(app.state.kit, box)
    blobs = [row["blob"] for row in await db.fetch("SELECT blob FROM sealed_key WHERE order_id = $1", old)]
    with clock.travelled(timedelta(days=DAYS, minutes=-5)):
        await retire_by_job(drain)
        assert len(await keys.reveal(old, item.id, VISITOR, store=store)) == 2
    with clock.travelled(timedelta(days=DAYS, minutes=5)):
        await retire_by_job(drain)
        assert not any([await store.exists(blob) for blob in blobs])
        with pytest.raises(GameKeyDeleted) as gone:
            await keys.reveal(old, item.id, VISITOR, store=store)
        with pytest.raises(GameKeyDeleted):
            await keys.links(old, item.id, VISITOR, store=store)
        assert gone.value.status == 410
        assert len(await keys.reveal(young, other.id, VISITOR, store=store)) == 1
    assert await count("audit_line", "action = 'key.retired' AND actor = 'retention'") == 2
    assert (await events(old)).count("key.retired") == 1
    assert await count("sealed_key", "deleted_at IS NOT NULL AND blob = ''") == 2
    assert (await audit.verify()).fault is None


class Dying:
    """A store whose process dies at the n-th deletion: before it, or after it."""

    def __init__(self, store: Any, after: int, *, done: bool) -> None:
        self._store, self._left, self._done = store, after, done

    async def delete(self, name: str) -> None:
        self._left -= 1
        if self._left or self._done:
            await self._store.delete(name)
        if not self._left:
            raise ProviderDown("storage", "delete", "the process died here")


@pytest.mark.parametrize("done", [False, True], ids=["before the deletion", "after it"])
@pytest.mark.parametrize("after", [1, 2, 3, 5])
async def test_a_retirement_that_dies_is_finished_by_the_next_and_no_key_is_broken_in_between(
    box: Any, behind: Behind, after: int, done: bool
) -> None:
    bought = [await delivered(behind.kit, box, 2) for _ in range(3)]
    later = clock.now() + timedelta(seconds=1)
    with pytest.raises(ProviderDown):
        await keys.retire(later, store=Dying(behind.kit.store, after, done=done))
    answers = []
    for order_id, (item,) in bought:
        try:
            answers.append(len(await keys.reveal(order_id, item.id, VISITOR, store=behind.kit.store)))
        except GameKeyDeleted:
            answers.append(0)
    assert set(answers) <= {0, 2}
    assert 0 in answers
    assert await count("sealed_key", "broken_at IS NOT NULL") == 0
    await keys.retire(later, store=behind.kit.store)
    assert behind.names() == set()
    assert await count("sealed_key", "deleted_at IS NOT NULL AND blob = ''") == 6
    assert await count("audit_line", "action = 'key.retired'") == 6
    assert await keys.retire(later, store=behind.kit.store) == 0


async def test_a_key_whose_time_comes_while_its_blob_is_being_fetched_is_gone_and_not_broken(
    app: Any, box: Any
) -> None:
    order_id, (item,) = await delivered(app.state.kit, box)

    class Overtaken:
        """A store that is asked for a blob just before it is retired."""

        async def get(self, name: str) -> bytes:
            await keys.retire(clock.now() + timedelta(seconds=1), store=app.state.store)
            return bytes(await app.state.store.get(name))

    with pytest.raises(GameKeyDeleted):
        await keys.reveal(order_id, item.id, VISITOR, store=Overtaken())
    assert await count("sealed_key", "broken_at IS NOT NULL OR revealed_at IS NOT NULL") == 0
    assert await count("issue") == 0


async def test_a_key_fetched_just_before_its_time_and_revealed_after_it_is_gone(app: Any, box: Any) -> None:
    order_id, (item,) = await delivered(app.state.kit, box)

    class Slow:
        async def get(self, name: str) -> bytes:
            blob = bytes(await app.state.store.get(name))
            await keys.retire(clock.now() + timedelta(seconds=1), store=app.state.store)
            return blob

    with pytest.raises(GameKeyDeleted):
        await keys.reveal(order_id, item.id, VISITOR, store=Slow())
    assert await count("sealed_key", "revealed_at IS NOT NULL") == 0
