"""A new master key takes over while reveals go on; killed with -9 in the middle, the next rotation finishes it."""

import asyncio
import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.accounts.tokens import orders_token
from app.audit import service as audit
from app.core import clock, db
from app.core.crypto import DataKey, MasterKeys
from app.core.ids import new_id
from app.core.settings import settings
from tests.builders import EMAIL, count, delivered
from tests.cli.conftest import bitloot as bitloot
from tests.conftest import ROOT
from tests.keys.conftest import Behind, BehindFolder
from tests.web.conftest import Shop

pytestmark = pytest.mark.processes
OLD = settings().master_keys.get_secret_value()
NEW = MasterKeys.draw("new")
OTHERS = 1500  # data keys of orders that nobody reveals meanwhile
BATCH = "10"


async def many_more(number: int) -> None:
    """Further orders, each with a data key that is truly wrapped by the old master key."""
    keys, ids, now = MasterKeys.parse(OLD), [new_id() for _ in range(number)], clock.now()
    wrapped = [keys.wrap(DataKey.random(), order_id=order_id) for order_id in ids]
    await db.fetch(
        """INSERT INTO customer_order (id, email, status, fulfillment_status, currency, subtotal, discount,
          total, created_at)
           SELECT id, $2, 'fulfilled', 'fulfilled', 'USD', 1, 0, 1, $3 FROM unnest($1::uuid[]) AS id""",
        ids, EMAIL, now,
    )  # fmt: skip
    await db.fetch(
        """INSERT INTO order_data_key (order_id, master_key_id, wrapped, created_at)
           SELECT id, master, wrapped, $4
           FROM unnest($1::uuid[], $2::text[], $3::bytea[]) AS k (id, master, wrapped)""",
        ids, [w.master_key_id for w in wrapped], [w.blob for w in wrapped], now,
    )  # fmt: skip


class Revealing:
    """Owners who reveal their keys over and over, each at a running shop."""

    def __init__(self, url: str, bought: list[tuple[UUID, UUID]]) -> None:
        self._bought, self.refused, self.served = bought, list[str](), 0
        self._client = httpx.AsyncClient(base_url=url, timeout=20)
        self.values: set[str] = set()

    async def once(self) -> None:
        for order_id, item_id in self._bought:
            headers = {"authorization": f"Bearer {orders_token([order_id])}"}
            path, body = f"/fulfillment/{order_id}/reveal", {"itemId": str(item_id)}
            answer = await self._client.post(path, json=body, headers=headers)
            if answer.status_code == 200:
                self.served += 1
                self.values |= {key["value"] for key in answer.json()["keys"]}
            else:
                self.refused.append(answer.text)

    @asynccontextmanager
    async def going_on(self) -> AsyncIterator[None]:
        async def for_ever() -> None:
            while True:
                await self.once()

        tasks = [asyncio.create_task(for_ever()) for _ in range(2)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._client.aclose()


async def killed_in_the_middle(env: dict[str, str]) -> int:
    """Rotate until it has told of its third batch, then end it with -9. How many data keys it had moved by its word."""
    command = [sys.executable, "-m", "app.cli", "vault", "rotate", "--batch", BATCH]
    mine = os.environ | env | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, cwd=ROOT, env=mine, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        told = [await asyncio.to_thread(process.stdout.readline) for _ in range(3)]
        process.kill()
    assert process.returncode == -signal.SIGKILL
    return int(told[-1].split()[0])


def digests(behind: Behind) -> dict[str, str]:
    return {name: hashlib.sha256(behind.read(name)).hexdigest() for name in behind.names()}


@pytest.fixture
async def bought(app: Any, box: Any) -> list[tuple[UUID, UUID]]:
    found = []
    for _ in range(4):
        order_id, (item,) = await delivered(app.state.kit, box, 2)
        found.append((order_id, item.id))
    await many_more(OTHERS)
    return found


async def under(master: str) -> int:
    return await count("order_data_key", f"master_key_id = '{master}'")


@pytest.mark.proof
async def test_a_rotation_killed_while_reveals_go_on_is_finished_by_the_next_and_the_old_key_can_go(
    app: Any, bought: list[tuple[UUID, UUID]], bitloot: Any
) -> None:
    both, old_id = {"MASTER_KEYS": f"{NEW},{OLD}"}, OLD.partition(":")[0]
    blobs = digests(BehindFolder(app.state.kit, settings().bitloot_var / "blobs"))
    told = await bitloot("vault", "status", env=both)
    assert f"{old_id:32} wraps {OTHERS + 4} data keys: `bitloot vault rotate` moves them" in told.stdout
    shop = await asyncio.to_thread(Shop, "rotating", **both)
    try:
        owners = Revealing(shop.url, bought)
        async with owners.going_on():
            said = await killed_in_the_middle(both)
            moved = await under("new")
            assert said <= moved < OTHERS
            done = await bitloot("vault", "rotate", "--batch", BATCH, env=both)
            assert done.returncode == 0, done.stderr
            assert f"Done: {OTHERS + 4 - moved} data keys moved to new." in done.stdout
            again = await bitloot("vault", "rotate", env=both)
            assert "Done: 0 data keys moved to new." in again.stdout
        assert owners.refused == []
        assert owners.served > 20
    finally:
        shop.end()
    assert (await under("new"), await under(old_id)) == (OTHERS + 4, 0)
    assert digests(BehindFolder(app.state.kit, settings().bitloot_var / "blobs")) == blobs
    assert f"{old_id:32} wraps 0 data keys: you can remove it" in (await bitloot("vault", "status", env=both)).stdout
    assert await count("audit_line", "action = 'vault.rewrapped'") >= OTHERS // int(BATCH)
    assert (await audit.verify()).fault is None
    await all_open_without_the_old_key(bought, owners.values)


async def all_open_without_the_old_key(bought: list[tuple[UUID, UUID]], values: set[str]) -> None:
    shop = await asyncio.to_thread(Shop, "rotated", MASTER_KEYS=NEW)
    try:
        owners = Revealing(shop.url, bought)
        await owners.once()
        assert owners.refused == []
        assert owners.values == values
        assert len(values) == 8
    finally:
        shop.end()


async def test_a_data_key_that_opens_under_no_listed_key_is_named_and_keeps_the_others_from_nothing(
    app: Any, box: Any, bitloot: Any
) -> None:
    lost, _ = await delivered(app.state.kit, box)
    await delivered(app.state.kit, box)
    await db.fetch("UPDATE order_data_key SET master_key_id = 'gone' WHERE order_id = $1", lost)
    both = {"MASTER_KEYS": f"{NEW},{OLD}"}
    done = await bitloot("vault", "rotate", "--batch", "1", env=both)
    assert done.returncode == 1
    assert "1 could not be opened" in done.stderr
    assert str(lost) in done.stderr
    assert (await under("new"), await under("gone")) == (1, 1)
    status = await bitloot("vault", "status", env=both)
    assert status.returncode == 1
    assert "it is NOT in MASTER_KEYS" in status.stdout


async def test_two_rotations_at_once_move_each_data_key_once(app: Any, bitloot: Any) -> None:
    await many_more(300)
    both = {"MASTER_KEYS": f"{NEW},{OLD}"}
    done = await asyncio.gather(*(bitloot("vault", "rotate", "--batch", BATCH, env=both) for _ in range(2)))
    moved = [int(one.stdout.split("Done: ")[1].split()[0]) for one in done]
    assert sum(moved) == 300
    assert await under("new") == 300
    said = await db.fetch("SELECT details FROM audit_line WHERE action = 'vault.rewrapped'")
    assert sum(int(row["details"].split()[0]) for row in said) == 300
