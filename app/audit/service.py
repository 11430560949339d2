"""Writing lines into the chain, following it, and handing it out signed."""

import hashlib
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.audit import bundle, queries
from app.audit.bundle import Statement
from app.audit.chain import GENESIS, ChainFault, Entry, Walk, digest
from app.audit.models import Head, Tip
from app.core import clock, db, log
from app.core.crypto import derive
from app.core.errors import Conflict
from app.core.i18n import _
from app.core.settings import settings


class ChainBroken(Conflict):
    title = "The audit log is not as it was written"


@dataclass(frozen=True, slots=True)
class ChainCheck:
    """What following the whole log found: how far it goes, the first fault if any, how many anchors it meets."""

    seq: int
    fault: ChainFault | None
    anchors: int


@lru_cache(maxsize=1)
def chain_key() -> bytes:
    """The HMAC key of every digest: who has only the database can't make one."""
    return derive(_secret(), "bitloot audit chain")


@lru_cache(maxsize=1)
def signing_key() -> Ed25519PrivateKey:
    """Signs what leaves the house; its public half is ``bitloot audit public-key``."""
    return Ed25519PrivateKey.from_private_bytes(derive(_secret(), "bitloot audit signature"))


def _secret() -> str:
    return settings().audit_key.get_secret_value() or settings().jwt_secret.get_secret_value()


async def write(
    action: str,
    *,
    actor: str,
    ip: str = "",
    user_agent: str = "",
    order_id: UUID | None = None,
    key_id: UUID | None = None,
    details: str = "",
) -> None:
    """Add a line in the surrounding transaction, so that act and line commit together or not at all.

    ``action`` is ``noun.past``; no secret belongs into any field. The chain's one lock is taken when everything else
    is done, so that nobody waits for more than the commit of who is first, and nobody holds it who wants another.
    """
    entry = Entry(clock.now(), action, order_id, key_id, actor, ip, user_agent, details)
    await db.before_commit(append, entry.fitted())


async def append(entries: Sequence[Entry]) -> None:
    """Number the entries, chain them and store them, under the head's lock."""
    seq, previous = await _lock_head()
    written = []
    for entry in entries:
        seq, before = seq + 1, previous
        previous = digest(chain_key(), seq, entry, before)
        written.append((seq, entry, before, previous))
    await db.fetch(
        """WITH lines AS (
             INSERT INTO audit_line
               (seq, at, action, order_id, key_id, actor, ip, user_agent, details, previous, digest)
             SELECT * FROM unnest($1::bigint[], $2::timestamptz[], $3::text[], $4::uuid[], $5::uuid[], $6::text[],
               $7::text[], $8::text[], $9::text[], $10::bytea[], $11::bytea[]))
           UPDATE audit_head SET seq = $12, digest = $13 WHERE id = 1""",
        [line[0] for line in written], *(
            [getattr(entry, name) for _, entry, _, _ in written] for name in Entry.__dataclass_fields__
        ), [line[2] for line in written], [line[3] for line in written], seq, previous,
    )  # fmt: skip


async def _lock_head() -> tuple[int, bytes]:
    """The last line's number and digest, locked to the end of the transaction."""
    lock = "SELECT seq, digest FROM audit_head WHERE id = 1 FOR UPDATE"
    head = await db.fetch_one_as(Head, lock)
    if head is None:
        # No line was ever written. Where there are some, their numbers refuse a second start.
        await db.fetch("INSERT INTO audit_head (id, seq, digest) VALUES (1, 0, $1) ON CONFLICT DO NOTHING", GENESIS)
        head = await db.fetch_one_as(Head, lock)
    assert head is not None
    return head.seq, head.digest


async def verify(anchors: Iterable[Statement] = ()) -> ChainCheck:
    """Follow the log from its first line to its head and past every anchor. Reads in batches, locks nothing."""
    tip, walk = await queries.tip(), Walk(chain_key())
    promised = {anchor.seq: anchor.digest for anchor in anchors}
    met = 0
    async for row in queries.lines(tip.last or 0):
        if fault := walk.step(row):
            return ChainCheck(walk.seq, fault, met)
        if (known := promised.pop(walk.seq, None)) is not None:
            if known != walk.digest.hex():
                return ChainCheck(walk.seq, ChainFault(walk.seq, "is not the one a signed anchor names"), met)
            met += 1
    return ChainCheck(walk.seq, _ending(walk, tip, promised), met)


def _ending(walk: Walk, tip: Tip, promised: dict[int, str]) -> ChainFault | None:
    head, at = tip.seq, walk.seq
    if head is None and at:
        return ChainFault(at, "is the last, but the log's head was removed")
    if isinstance(head, int) and head > at:
        return ChainFault(at + 1, f"is missing: the head counts {head} lines")
    if isinstance(head, int) and head < at:
        return ChainFault(head + 1, "was added: the head does not count it")
    if head is not None and tip.digest != walk.digest:
        return ChainFault(at, "is the last, but the head names another digest")
    if beyond := sorted(seq for seq in promised if seq > at):
        return ChainFault(at + 1, f"is missing: a signed anchor has seen {beyond[0]} lines")
    return None


async def anchor() -> bytes:
    """A signed statement of where the log ends now, to be kept where no database administrator can reach."""
    tip = await queries.tip()
    seq, last = tip.seq or 0, bytes(tip.digest or GENESIS).hex()
    log.get("bitloot.audit").info("audit.anchored", seq=seq, digest=last)
    return Statement(seq, last, clock.now().isoformat()).signed(signing_key())


async def export() -> AsyncIterator[bytes]:
    """The whole log as a signed bundle, line by line. Raises ChainBroken in place of signing what was tampered with."""
    tip, walk, hashed = await queries.tip(), Walk(chain_key()), hashlib.sha256()
    async for row in queries.lines(tip.last or 0):
        if fault := walk.step(row):
            raise ChainBroken(_("%(fault)s. Nothing was signed.", fault=fault))
        text = bundle.line(row)
        hashed.update(text)
        yield text
    if fault := _ending(walk, tip, {}):
        raise ChainBroken(_("%(fault)s. Nothing was signed.", fault=fault))
    end = Statement(walk.seq, walk.digest.hex(), clock.now().isoformat(), hashed.hexdigest())
    yield end.signed(signing_key())
