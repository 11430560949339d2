"""Posts at the providers' doors that were not genuine: counted, with one sample each, never a row or a write a post.

They are counted in memory and written together about once a second, in one statement. A flood costs counting; a process
that dies takes the last second's count along, which is all that such posts are worth.
"""

import asyncio
import contextvars
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.core import clock, db, log
from app.core.db import encode

EVERY = 1.0  # seconds between writes
SAMPLE_BYTES = 2048  # of a body that are kept
HEADER_LENGTH = 200  # characters of a sample's header
SHOWN = {"content-type", "content-length", "user-agent", "x-event-name"}  # headers that carry no secret
NAMED = {  # of these only that they were there
    "x-nowpayments-sig", "x-event-secret", "x-kinguin-signature", "svix-signature", "webhook-signature",
}  # fmt: skip
KEPT = timedelta(days=30)
AT_ONCE = 5000  # counts a batch of ``forget``


@dataclass(slots=True)
class _Tally:
    """What one hour brought of one kind, since the last write."""

    id: str
    provider: str
    reason: str
    headers: str
    body: bytes
    ip: str
    first_at: datetime
    last_at: datetime
    posts: int = 0


class Refusals:
    """One per process. ``count`` never waits and never fails."""

    def __init__(self) -> None:
        self._tallies: dict[str, _Tally] = {}
        self._writer: asyncio.Task[None] | None = None

    def count(self, provider: str, reason: str, headers: Mapping[str, str], body: bytes, ip: str) -> None:
        """Count one post. ``reason`` is one of a few words; the first post of the hour is the sample."""
        now = clock.now()
        ident = f"{provider}:{reason}:{now:%Y-%m-%dT%H}"
        tally = self._tallies.get(ident)
        if tally is None:
            sample = encode(_without_secrets(headers))
            tally = _Tally(ident, provider, reason, sample, body[:SAMPLE_BYTES], ip[:45], now, now)
            self._tallies[ident] = tally
        tally.posts, tally.last_at = tally.posts + 1, now
        if self._writer is None or self._writer.done():
            # An empty context: the first post's transaction and request id are not everybody's.
            self._writer = asyncio.create_task(self._write_until_done(), context=contextvars.Context())

    async def _write_until_done(self) -> None:
        while self._tallies:
            await asyncio.sleep(EVERY)
            try:
                await self.flush()
            except Exception as error:
                log.get("bitloot.inbox").warning("refusals.not_written", why=type(error).__name__)

    async def flush(self) -> None:
        """Write what has been counted, now. What can't be written is kept for the next time."""
        given, self._tallies = list(self._tallies.values()), {}
        if not given:
            return
        try:
            await _add(given)
        except BaseException:
            for tally in given:
                later = self._tallies.get(tally.id)
                tally.posts += later.posts if later else 0
                self._tallies[tally.id] = tally
            raise
        for tally in given:
            log.get("bitloot.inbox").warning(
                "notices.refused", provider=tally.provider, reason=tally.reason, posts=tally.posts
            )

    async def close(self) -> None:
        """Write the rest, if the database lets us, and stop."""
        if self._writer is not None:
            self._writer.cancel()
            await asyncio.gather(self._writer, return_exceptions=True)
        try:
            await self.flush()
        except Exception as error:
            log.get("bitloot.inbox").warning("refusals.not_written", why=type(error).__name__)


refusals = Refusals()


def _without_secrets(headers: Mapping[str, str]) -> dict[str, str]:
    shown = {name: value[:HEADER_LENGTH].replace("\0", "") for name, value in headers.items() if name in SHOWN}
    return shown | {name: f"({len(value)} characters)" for name, value in headers.items() if name in NAMED}


async def _add(given: list[_Tally]) -> None:
    """Add to the counts that are there; the first sample of an hour stays."""
    names = ("id", "provider", "reason", "posts", "headers", "body", "ip", "first_at", "last_at")
    await db.fetch(
        """INSERT INTO refused_notice
             (id, provider, reason, posts, sample_headers, sample_body, sample_ip, first_at, last_at)
           SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::jsonb[], $6::bytea[], $7::text[],
             $8::timestamptz[], $9::timestamptz[])
           ON CONFLICT (id) DO UPDATE SET posts = refused_notice.posts + EXCLUDED.posts,
             first_at = least(refused_notice.first_at, EXCLUDED.first_at),
             last_at = greatest(refused_notice.last_at, EXCLUDED.last_at)""",
        *([getattr(tally, name) for tally in given] for name in names),
    )


async def forget() -> int:
    """Delete a batch of counts older than KEPT. Returns how many."""
    rows = await db.fetch(
        """DELETE FROM refused_notice WHERE id = ANY(ARRAY(
             SELECT id FROM refused_notice WHERE last_at < $1 LIMIT $2)) RETURNING id""",
        clock.now() - KEPT, AT_ONCE,
    )  # fmt: skip
    return len(rows)
