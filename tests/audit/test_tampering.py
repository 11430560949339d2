"""Whatever is done to the stored log behind its writer's back, following it finds the first bad line."""

import asyncio

import pytest

from app.audit import bundle, queries
from app.audit import service as audit
from app.audit.bundle import Statement
from app.core import db
from tests.audit.builders import forge, head, written
from tests.builders import count

EDITS = {
    "at": "at = at + interval '1 microsecond'",
    "action": "action = 'key.denied'",
    "order_id": "order_id = gen_random_uuid()",
    "order_id emptied": "order_id = NULL",
    "key_id": "key_id = gen_random_uuid()",
    "key_id emptied": "key_id = NULL",
    "actor": "actor = 'customer nobody@a.test'",
    "actor, one letter": "actor = overlay(actor placing 'X' from 3 for 1)",
    "ip": "ip = '198.51.100.9'",
    "ip moved into the next field": "ip = '', user_agent = ip || user_agent",
    "user_agent": "user_agent = user_agent || ' '",
    "details": "details = ''",
    "previous": "previous = sha256(previous)",
    "digest": "digest = sha256(digest)",
    "digest, one bit": "digest = set_bit(digest, 0, 1 - get_bit(digest, 0))",
    "digest emptied": "digest = ''",
}


async def fault_of(*anchors: Statement) -> tuple[int, str]:
    found = (await audit.verify(anchors)).fault
    assert found is not None, "nothing was noticed"
    return found.seq, found.why


async def test_an_untouched_log_is_clean(app) -> None:
    assert await audit.verify() == audit.ChainCheck(0, None, 0)
    await written(7)
    assert await audit.verify() == audit.ChainCheck(7, None, 0)


async def test_a_log_of_more_than_one_batch_is_followed_to_its_end(app, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "BATCH", 3)
    for more in (1, 2, 3, 1):  # ends before, on and behind a batch's border
        await written(more)
        assert await audit.verify() == audit.ChainCheck(await count("audit_line"), None, 0)
    await forge("DELETE FROM audit_line WHERE seq = 4")
    assert (await fault_of())[0] == 4


@pytest.mark.parametrize("change", EDITS.values(), ids=EDITS.keys())
@pytest.mark.parametrize("seq", [1, 3, 5], ids=["first", "middle", "last"])
async def test_an_edited_column_is_found_at_its_line(app, change: str, seq: int) -> None:
    await written(5)
    await forge(f"UPDATE audit_line SET {change} WHERE seq = {seq}")
    assert (await fault_of())[0] == seq


async def test_every_column_is_edited_above(app) -> None:
    rows = await db.fetch("SELECT column_name FROM information_schema.columns WHERE table_name = 'audit_line'")
    assert {row["column_name"] for row in rows} == {change.partition(" ")[0].strip(",") for change in EDITS} | {"seq"}


@pytest.mark.parametrize("seq", [1, 3, 5], ids=["first", "middle", "last"])
async def test_a_removed_line_is_found(app, seq: int) -> None:
    await written(5)
    await forge(f"DELETE FROM audit_line WHERE seq = {seq}")
    assert (await fault_of()) == (seq, "is missing" if seq < 5 else "is missing: the head counts 5 lines")


@pytest.mark.parametrize("seq", [1, 3], ids=["first", "middle"])
async def test_a_removed_line_is_found_where_the_gap_was_closed(app, seq: int) -> None:
    await written(5)
    await forge(
        f"DELETE FROM audit_line WHERE seq = {seq}",
        f"UPDATE audit_line SET seq = -seq WHERE seq > {seq}",
        "UPDATE audit_line SET seq = -seq - 1 WHERE seq < 0",
        "UPDATE audit_head SET seq = 4",
    )
    assert (await fault_of())[0] == seq


async def test_a_removed_line_is_found_where_the_lines_around_it_were_joined(app) -> None:
    await written(5)
    await forge(
        "UPDATE audit_line SET previous = (SELECT previous FROM audit_line WHERE seq = 3) WHERE seq = 4",
        "DELETE FROM audit_line WHERE seq = 3",
        "UPDATE audit_line SET seq = seq - 1 WHERE seq = 4",
        "UPDATE audit_line SET seq = seq - 1 WHERE seq = 5",
        "UPDATE audit_head SET seq = 4",
    )
    assert (await fault_of())[0] == 3


async def test_all_lines_removed_are_missed(app) -> None:
    await written(5)
    await forge("DELETE FROM audit_line")
    assert await fault_of() == (1, "is missing: the head counts 5 lines")


COLUMNS = "at, action, order_id, key_id, actor, ip, user_agent, details, previous, digest"


@pytest.mark.parametrize("seq", [0, -7, 6, 7, 900])
async def test_an_added_line_is_found(app, seq: int) -> None:
    await written(5)
    await forge(f"INSERT INTO audit_line (seq, {COLUMNS}) SELECT {seq}, {COLUMNS} FROM audit_line WHERE seq = 5")
    assert (await fault_of())[0] == min(seq, 6)


async def test_a_line_added_behind_the_last_is_found_where_the_head_was_moved_along(app) -> None:
    await written(5)
    await forge(
        f"""INSERT INTO audit_line (seq, {COLUMNS}) SELECT 6, at, 'key.denied', order_id, key_id, actor, ip, user_agent,
            details, digest, sha256(digest) FROM audit_line WHERE seq = 5""",
        "UPDATE audit_head SET seq = 6, digest = (SELECT digest FROM audit_line WHERE seq = 6)",
    )
    assert (await fault_of())[0] == 6


async def test_a_line_put_in_between_is_found(app) -> None:
    await written(5)
    await forge(
        "UPDATE audit_line SET seq = -seq WHERE seq >= 3",
        "UPDATE audit_line SET seq = -seq + 1 WHERE seq < 0",
        f"INSERT INTO audit_line (seq, {COLUMNS}) SELECT 3, {COLUMNS} FROM audit_line WHERE seq = 2",
        "UPDATE audit_head SET seq = 6",
    )
    assert (await fault_of())[0] == 3


@pytest.mark.parametrize(("one", "other"), [(1, 2), (2, 4), (4, 5), (1, 5)])
async def test_lines_that_changed_places_are_found(app, one: int, other: int) -> None:
    await written(5)
    await forge(
        f"UPDATE audit_line SET seq = -1 WHERE seq = {one}",
        f"UPDATE audit_line SET seq = {one} WHERE seq = {other}",
        f"UPDATE audit_line SET seq = {other} WHERE seq = -1",
    )
    assert (await fault_of())[0] == one


async def test_lines_whose_words_changed_places_are_found(app) -> None:
    """The chain itself left as it was: only what two lines say is exchanged."""
    await written(5)
    await forge(
        """UPDATE audit_line AS a SET actor = b.actor, ip = b.ip, user_agent = b.user_agent, details = b.details,
           key_id = b.key_id, at = b.at FROM audit_line AS b WHERE (a.seq, b.seq) IN ((2, 4), (4, 2))"""
    )
    assert (await fault_of())[0] == 2


@pytest.mark.parametrize(
    ("change", "seq"),
    [
        ("UPDATE audit_head SET seq = seq + 1", 6),
        ("UPDATE audit_head SET seq = seq - 1", 5),
        ("UPDATE audit_head SET seq = 0", 1),
        ("UPDATE audit_head SET digest = sha256(digest)", 5),
        ("UPDATE audit_head SET digest = ''", 5),
        ("DELETE FROM audit_head", 5),
    ],
)
async def test_an_altered_head_is_found(app, change: str, seq: int) -> None:
    await written(5)
    await forge(change)
    assert (await fault_of())[0] == seq


async def cut_off(keep: int) -> None:
    """The tail removed, and the head set to where the rest ends: nothing inside the database shows it."""
    await forge(
        f"DELETE FROM audit_line WHERE seq > {keep}",
        f"UPDATE audit_head SET seq = {keep}, digest = (SELECT digest FROM audit_line WHERE seq = {keep})",
    )


async def anchored() -> Statement:
    return bundle.read_statement(await audit.anchor(), bundle.public_text(audit.signing_key()))


async def test_a_tail_cut_off_together_with_the_head_is_found_by_an_anchor(app) -> None:
    await written(5)
    anchor = await anchored()
    await written(2)
    assert await audit.verify([anchor]) == audit.ChainCheck(7, None, 1)
    await cut_off(5)
    assert await audit.verify([anchor]) == audit.ChainCheck(5, None, 1)  # what came after the anchor was never promised
    await cut_off(4)
    assert (await audit.verify()).fault is None
    assert await fault_of(anchor) == (5, "is missing: a signed anchor has seen 5 lines")


async def test_a_tail_written_anew_after_a_cut_is_found_by_an_anchor(app) -> None:
    """By the shop itself, which goes on writing: a chain as good as the first, but not the one that was seen."""
    await written(5)
    anchor = await anchored()
    await cut_off(3)
    await written(6)
    assert (await audit.verify()).fault is None
    assert await fault_of(anchor) == (5, "is not the one a signed anchor names")


async def test_lines_written_while_it_is_being_verified_do_no_harm(app) -> None:
    await written(5)

    async def keep_writing() -> None:
        for _ in range(10):
            await written(2)

    verdicts, _ = await asyncio.gather(asyncio.gather(*(audit.verify() for _ in range(10))), keep_writing())
    assert all(verdict.fault is None for verdict in verdicts)
    assert (await head())["seq"] == 25
