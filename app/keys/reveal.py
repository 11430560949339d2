"""Revealing keys to their owner, links to their sealed blobs, and what is said and done when one does not open."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.audit import samples
from app.audit import service as audit
from app.core import clock, db, log, metrics
from app.core.client_address import limit_key
from app.core.crypto import DataKey, MasterKeyMissing, Plaintext, SealBroken
from app.core.errors import Conflict, Gone, Invalid, NotFound, Problem, Unavailable
from app.core.i18n import N_
from app.history import service as history
from app.issues.codes import IssueCode
from app.keys import queries
from app.keys.key_rotation import retire
from app.keys.locking import give_back, lock, unlock
from app.keys.models import KeyLink, SealedKey
from app.keys.sealing import Sealed, data_key, keep, seal
from app.orders import service as orders
from app.orders.models import Order
from app.providers.errors import ProviderError, ProviderProtocolError
from app.providers.storage import ObjectMissing, ObjectStore

__all__ = [
    "GameKeyDeleted",
    "KeyBroken",
    "KeyLocked",
    "KeyNotReady",
    "KeyStoreAway",
    "Revealed",
    "Sealed",
    "Visitor",
    "data_key",
    "give_back",
    "keep",
    "links",
    "lock",
    "retire",
    "reveal",
    "seal",
    "unlock",
]  # fmt: skip
REASON = 300  # characters of a reason that are kept
LINK_SECONDS = 900  # how long a download link works (design: 15 minutes)
REVEALABLE = {"paid", "fulfilled"}
REFUSALS = (Conflict, Gone, NotFound)  # what the asker is denied, as opposed to what we fail at
GONE = N_("Keys are deleted after the time named in our terms. Write to us if you never saw yours.")
CLOSED = N_("The keys of this order can no longer be revealed.")
BROKEN = "A key does not open: "  # how the reason begins, for the admin's list


class KeyNotReady(Conflict):
    title = "This key is not ready yet"


class KeyLocked(Conflict):
    title = "This key can't be shown any more"


class GameKeyDeleted(Gone):
    code = "key_gone"
    title = "This key is no longer kept"


class KeyBroken(Unavailable):
    title = "This key could not be opened"


class KeyStoreAway(Unavailable):
    title = "Keys can't be loaded right now"


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks, for the audit log."""

    actor: str
    ip: str
    user_agent: str


@dataclass(frozen=True, slots=True)
class Revealed:
    """A key that was shown. ``value`` hides itself from logs; ``revealed_at``: when its owner first saw it."""

    key_id: UUID
    media_type: str
    value: Plaintext
    first: bool
    revealed_at: datetime | None


Seen = tuple[set[UUID], dict[UUID, datetime | None]]  # keys seen for the first time, and when each first was


class Damaged(Exception):
    """Keys that do not open: ``{key id: why}``."""

    def __init__(self, found: dict[UUID, str]) -> None:
        super().__init__()
        self.found = found


class StaffReasonNeeded(Invalid):
    title = "Say why you are opening the customer's key"


async def reveal(
    order_id: UUID, item_id: UUID, visitor: Visitor, *, store: ObjectStore, staff_reason: str | None = None
) -> list[Revealed]:
    """Open an item's keys for their owner; or, with a ``staff_reason``, for a member of staff.

    What staff sees is written down as staff's, with the reason, and is no reveal of the customer's: the key counts as
    unseen and can still be refunded. Raises StaffReasonNeeded where that reason is blank.

    The blobs are fetched and opened first; then one transaction marks them revealed and writes the audit lines, and
    only after its commit does the caller get the plaintext. Raises NotFound, KeyNotReady, KeyLocked, GameKeyDeleted,
    KeyBroken or KeyStoreAway; a denial is written down, a key that does not open is reported.
    """
    if staff_reason is not None and not staff_reason.strip():
        raise StaffReasonNeeded("It is written to the audit log, where the customer can read it.", field="reason")
    try:
        return await _reveal(order_id, item_id, visitor, store, staff_reason)
    except REFUSALS as refused:
        await _deny(order_id, "reveal", visitor, refused)
        raise


async def _reveal(
    order_id: UUID, item_id: UUID, visitor: Visitor, store: ObjectStore, staff_reason: str | None
) -> list[Revealed]:
    rows = await queries.of_item(order_id, item_id)
    if not rows:
        if await queries.item_exists(order_id, item_id):
            raise KeyNotReady("We email you when it is. This page shows it, too.")
        raise NotFound
    if any(row.deleted_at for row in rows):
        raise GameKeyDeleted(GONE)
    try:
        opened = await _open(order_id, item_id, rows, store)
    except Damaged as damaged:
        await _report(order_id, damaged.found, visitor)
        raise KeyBroken("Your key is not lost. Our team has been told and is working on it.") from None
    async with orders.changing(order_id) as order:
        if order is None or order.status not in REVEALABLE:
            raise KeyNotReady(CLOSED)
        if order.frozen_at is not None or await queries.any_locked(item_id):
            raise KeyLocked("You are getting your money back for it. Your order's page shows the status.")
        if any(row.deleted_at for row in await queries.of_item(order_id, item_id)):
            raise GameKeyDeleted(GONE)
        if staff_reason is None:
            first, times = await _mark(order_id, rows, visitor)
        else:
            first, times = await _show_staff(order_id, rows, visitor, staff_reason.strip()[:REASON])
        await _mended(order, rows)
    return [
        Revealed(row.id, row.media_type, plain, row.id in first, times[row.id])
        for row, plain in zip(rows, opened, strict=True)
    ]


async def _open(order_id: UUID, item_id: UUID, rows: list[SealedKey], store: ObjectStore) -> list[Plaintext]:
    """All of an item's keys, or none. Raises Damaged or KeyStoreAway."""
    try:
        key = await data_key(order_id)
    except SealBroken as broken:
        lost = isinstance(broken, MasterKeyMissing)
        why = "its master key is not in MASTER_KEYS" if lost else "its order's data key does not unwrap"
        raise Damaged({row.id: why for row in rows}) from None
    opened = await asyncio.gather(*(_open_one(key, order_id, item_id, row, store) for row in rows))
    if damaged := {row.id: why for row, why in zip(rows, opened, strict=True) if isinstance(why, str)}:
        raise Damaged(damaged)
    return [plain for plain in opened if isinstance(plain, Plaintext)]


async def _open_one(key: DataKey, order_id: UUID, item_id: UUID, row: SealedKey, store: ObjectStore) -> Plaintext | str:
    """The key, or why there is none. Raises KeyStoreAway."""
    try:
        blob = await store.get(row.blob)
        return key.open(blob, order_id=str(order_id), item_id=str(item_id), ordinal=row.ordinal)
    except ObjectMissing:
        return "its blob is missing from the store"
    except (SealBroken, ProviderProtocolError):
        return "its blob is not the one we put there"
    except ProviderError:
        raise KeyStoreAway("Your key is safe. Try again in a minute.") from None


async def _mark(order_id: UUID, rows: list[SealedKey], visitor: Visitor) -> Seen:
    """Which keys are shown for the first time, and when each was; under the order's lock, so one caller is first."""
    ids = [row.id for row in rows]
    fresh = await db.fetch_values(
        "UPDATE sealed_key SET revealed_at = $2 WHERE id = ANY($1) AND revealed_at IS NULL RETURNING id",
        ids, clock.now(),
    )  # fmt: skip
    for key_id in ids:
        await _write("key.revealed", order_id, visitor, key_id=key_id)
    if fresh:
        await history.record(order_id, "key.revealed", keys=len(rows))
    return set(fresh), await queries.reveal_times(ids)


async def _show_staff(order_id: UUID, rows: list[SealedKey], visitor: Visitor, reason: str) -> Seen:
    """As ``_mark``, but the customer's own reveals stay what they are."""
    ids = [row.id for row in rows]
    for key_id in ids:
        await _write("key.shown_to_staff", order_id, visitor, key_id=key_id, details=reason)
    await history.record(order_id, "key.shown_to_staff", keys=len(rows), by=visitor.actor, why=reason)
    return set(), await queries.reveal_times(ids)


async def _mended(order: Order, rows: list[SealedKey]) -> None:
    """What was reported broken opens again: a person has put its blob or its master key back."""
    if not any(row.broken_at for row in rows):
        return
    await db.fetch("UPDATE sealed_key SET broken_at = NULL WHERE id = ANY($1)", [row.id for row in rows])
    if not await queries.any_broken(order.id):
        await orders.resolve_reasons(order.id, {IssueCode.KEY_BROKEN})


async def _report(order_id: UUID, found: dict[UUID, str], visitor: Visitor) -> None:
    """Put keys that do not open before a person: log, metric, audit line, and the order on the admin's list."""
    async with orders.changing(order_id) as order:
        if order is None or order.status not in REVEALABLE:
            raise KeyNotReady(CLOSED)
        if await queries.any_deleted(list(found)):
            raise GameKeyDeleted(GONE)  # its time came while its blob was being fetched
        marked = await db.fetch(
            "UPDATE sealed_key SET broken_at = $2 WHERE id = ANY($1) AND broken_at IS NULL RETURNING id",
            list(found), clock.now(),
        )  # fmt: skip
        if marked:
            await history.record(order_id, "key.broken", keys=len(found))
        said = BROKEN + ", ".join(sorted(set(found.values())))
        await orders.open_reason(order_id, IssueCode.KEY_BROKEN, said)
        for key_id, why in found.items():
            await _write("key.broken", order_id, visitor, key_id=key_id, details=why)
    for key_id, why in found.items():
        metrics.BROKEN_KEYS.inc()
        log.get("bitloot.keys").error("key.broken", order_id=str(order_id), key_id=str(key_id), why=why)


async def links(
    order_id: UUID, item_id: UUID, visitor: Visitor, *, store: ObjectStore, key_id: UUID | None = None
) -> list[KeyLink]:
    """Links to an item's sealed blobs, or to one of them, good for 15 minutes.

    Each is audited, and so is a denial, as long as there are few.
    """
    rows = [row for row in await queries.of_item(order_id, item_id) if key_id in (None, row.id)]
    try:
        if any(row.deleted_at for row in rows):
            raise GameKeyDeleted(GONE)
        if not rows:
            raise KeyNotReady("There is nothing to download yet.")
    except REFUSALS as refused:
        await _deny(order_id, "link", visitor, refused)
        raise
    found = [
        KeyLink(
            row.id,
            LINK_SECONDS,
            await store.link(row.blob, filename=f"bitloot-{row.id}.sealed", seconds=LINK_SECONDS),
        )
        for row in rows
    ]
    async with db.transaction():
        for row in rows:
            await _write("key.link_issued", order_id, visitor, key_id=row.id)
    return found


async def _deny(order_id: UUID, asked: str, visitor: Visitor, refused: Problem) -> None:
    said = await samples.counted("key.denied", limit_key(visitor.ip))
    if said is not None:
        await _write("key.denied", order_id, visitor, details=f"{asked}: {refused.code}{said}")


async def _write(
    action: str, order_id: UUID, visitor: Visitor, *, key_id: UUID | None = None, details: str = ""
) -> None:
    await audit.write(
        action, actor=visitor.actor, ip=visitor.ip, user_agent=visitor.user_agent,
        order_id=order_id, key_id=key_id, details=details,
    )  # fmt: skip
