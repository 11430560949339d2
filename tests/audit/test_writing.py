"""A line is written with its act or not at all, and lines never part ways, however many write at once."""

import asyncio
import hashlib
import hmac

import pytest
from asyncpg import UniqueViolationError

from app.audit import chain, queries
from app.audit import service as audit
from app.audit.chain import Entry
from app.core import clock, db
from app.core.ids import new_id
from tests.audit.builders import ORDER, head, said, written
from tests.builders import Undone, count


async def note(details: str) -> None:
    await audit.write("order.denied", actor="a stranger", details=details)


async def test_a_line_says_what_was_done_by_whom_and_from_where(app) -> None:
    before = clock.now()
    await written(1)
    (line,) = await queries.of_order(ORDER)
    assert (line.seq, line.action, line.actor) == (1, "key.revealed", "customer 1@a.test")
    assert (line.ip, line.user_agent, line.details) == ("192.0.2.1", "browser 1", "number 1")
    assert before <= line.at <= clock.now()


async def test_act_and_line_commit_together_or_not_at_all(app) -> None:
    async def act(order_id: str, *, fails: bool) -> None:
        async with db.transaction():
            await note(order_id)
            await db.fetch("INSERT INTO timeline (subject, last_seq) VALUES ($1, 1)", new_id())
            if fails:
                raise Undone

    with pytest.raises(Undone):
        await act("undone", fails=True)
    assert (await count("audit_line"), await count("timeline")) == (0, 0)
    await act("done", fails=False)
    assert (await said(), await count("timeline")) == (["done"], 1)


async def test_an_act_whose_line_can_not_be_written_does_not_happen(app) -> None:
    await written(3)
    await db.fetch("UPDATE audit_head SET seq = 1")  # line 2 exists: its number is taken

    async def act() -> None:
        async with db.transaction():
            await db.fetch("INSERT INTO timeline (subject, last_seq) VALUES ($1, 1)", new_id())
            await note("never")

    with pytest.raises(UniqueViolationError):
        await act()
    assert (await count("audit_line"), await count("timeline")) == (3, 0)


async def test_the_chains_lock_is_taken_last_whoever_wrote_first(app) -> None:
    """One transaction has written its line and goes on for long: another one's line does not wait for it."""
    written_first, other_done = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        async with db.transaction():
            await note("slow")
            written_first.set()
            await other_done.wait()

    async def quick() -> None:
        await written_first.wait()
        await note("quick")
        other_done.set()

    await asyncio.wait_for(asyncio.gather(slow(), quick()), 5)
    assert await said() == ["quick", "slow"]
    assert (await audit.verify()).fault is None


async def test_who_writes_before_the_act_and_who_writes_after_it_never_lock_each_other_out(app) -> None:
    subject = new_id()

    async def act(number: int) -> None:
        async with db.transaction():
            if number % 2:
                await note(f"{number} will")
            await db.fetch(
                """INSERT INTO timeline (subject, last_seq) VALUES ($1, 1)
                   ON CONFLICT (subject) DO UPDATE SET last_seq = timeline.last_seq + 1""",
                subject,
            )
            await note(f"{number} has")

    await asyncio.gather(*(act(number) for number in range(12)))
    assert len(await said()) == 18
    assert (await audit.verify()).fault is None


async def test_two_hundred_who_write_at_once_make_one_chain_without_a_gap(app) -> None:
    await asyncio.gather(*(note(f"{number}") for number in range(200)))
    rows = await db.fetch("SELECT seq, previous, digest FROM audit_line ORDER BY seq")
    assert [row["seq"] for row in rows] == list(range(1, 201))
    assert [row["previous"] for row in rows] == [chain.GENESIS, *(row["digest"] for row in rows[:-1])]
    assert tuple(await head()) == (200, rows[-1]["digest"])
    assert (await audit.verify()) == audit.ChainCheck(200, None, 0)


async def test_several_lines_of_one_transaction_stand_together_in_their_order(app) -> None:
    async with db.transaction():
        for details in ("a", "b", "c"):
            await note(details)
    assert await said() == ["a", "b", "c"]
    assert (await audit.verify()).fault is None


@pytest.mark.parametrize("text", ["", "x" * 5000, "a\x00b", "\ud800", "ключ 鍵 🎮", "'; DROP TABLE audit_line; --"])
async def test_any_text_from_outside_can_be_written_down_and_verified(app, text: str) -> None:
    await audit.write("order.denied", actor=text, ip=text, user_agent=text, details=text)
    row = await db.fetch_one("SELECT * FROM audit_line")
    assert row is not None
    assert {len(row[name]) for name in chain.LENGTHS if name != "action"} <= {
        min(len(text), chain.LENGTHS[name]) for name in chain.LENGTHS
    }
    assert (await audit.verify()).fault is None


async def test_a_digest_covers_each_field_and_no_two_lists_of_fields_look_alike() -> None:
    key, at = b"k" * 32, clock.now()
    one = Entry(at, "a.b", None, None, "ab", "c", "", "")
    other = Entry(at, "a.b", None, None, "a", "bc", "", "")
    assert chain.digest(key, 1, one, chain.GENESIS) != chain.digest(key, 1, other, chain.GENESIS)
    assert chain.digest(key, 1, one, chain.GENESIS) != chain.digest(key, 2, one, chain.GENESIS)
    assert chain.digest(key, 1, one, chain.GENESIS) != chain.digest(b"K" * 32, 1, one, chain.GENESIS)
    assert chain.digest(key, 1, one, chain.GENESIS) != chain.digest(key, 1, one, b"\x01" * 32)


async def test_the_digest_is_what_the_documents_say(app) -> None:
    """Computed here from the words of docs/audit.md alone."""
    await written(1)
    row = await db.fetch_one("SELECT * FROM audit_line")
    assert row is not None
    micros = round(row["at"].timestamp() * 1_000_000)
    fields = [
        b"bitloot audit line 1", (1).to_bytes(8, "big"), micros.to_bytes(8, "big"), row["order_id"].bytes,
        row["key_id"].bytes, *(row[n].encode() for n in ("action", "actor", "ip", "user_agent", "details")), bytes(32),
    ]  # fmt: skip
    text = b"".join(len(field).to_bytes(4, "big") + field for field in fields)
    assert hmac.new(audit.chain_key(), text, hashlib.sha256).digest() == row["digest"]


async def test_an_orders_lines_are_found_by_their_index_however_long_the_log_is(app) -> None:
    await db.fetch(
        """INSERT INTO audit_line (seq, at, action, order_id, actor, ip, user_agent, details, previous, digest)
           SELECT n, now(), 'key.revealed', gen_random_uuid(), '', '', '', '', '', ''
           FROM generate_series(1, 20000) n"""
    )
    await db.fetch("ANALYZE audit_line")
    plan = await db.fetch(f"EXPLAIN SELECT * FROM audit_line WHERE order_id = '{ORDER}' ORDER BY seq DESC LIMIT 500")
    assert any("order_id" in row[0] and "Index" in row[0] for row in plan)
    assert not any("Seq Scan" in row[0] for row in plan)
