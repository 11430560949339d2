"""Counting uses in windows that begin with the first one. A refused use writes nothing."""

import hashlib
from datetime import timedelta

from app.core import clock, db
from app.core.i18n import _
from app.core.rate_limit import TooManyAttempts

LONGEST = timedelta(days=1)  # the longest window that anybody asks for
AT_ONCE = 5000  # rows a batch of ``forget``


async def take(name: str, who: str, most: int, per: timedelta) -> None:
    """Count one use of ``name`` by ``who`` (an address, an account, a mailbox), of which ``most`` are free in ``per``.

    Exact under concurrency: the row is the lock. Joins the surrounding transaction. Raises TooManyAttempts, saying
    how long to wait.
    """
    now = clock.now()
    taken = await db.fetch_value(
        """INSERT INTO quota_window AS w (key, starts_at, used) VALUES ($1, $2, 1)
           ON CONFLICT (key) DO UPDATE SET
             used = CASE WHEN w.starts_at <= $3 THEN 1 ELSE w.used + 1 END,
             starts_at = CASE WHEN w.starts_at <= $3 THEN $2 ELSE w.starts_at END
           WHERE w.starts_at <= $3 OR w.used < $4 RETURNING used""",
        _key(name, who), now, now - per, most,
    )  # fmt: skip
    if taken is None:
        began = await db.fetch_value("SELECT starts_at FROM quota_window WHERE key = $1", _key(name, who))
        wait = max(int(((began or now) + per - now).total_seconds()) + 1, 1)
        raise TooManyAttempts(_("Please wait %(time)s and try again.", time=_words(wait)), retry_after=wait)


async def is_free(name: str, who: str, most: int, per: timedelta) -> bool:
    """Like ``take``, for who goes on without: whether this use was within the quota."""
    try:
        await take(name, who, most, per)
    except TooManyAttempts:
        return False
    return True


async def clear(name: str, who: str) -> None:
    """Forget the uses so far."""
    await db.fetch("DELETE FROM quota_window WHERE key = $1", _key(name, who))


async def give_back(name: str, who: str) -> None:
    """Take one use back: it was none of those that are counted."""
    await db.fetch("UPDATE quota_window SET used = used - 1 WHERE key = $1 AND used > 0", _key(name, who))


async def forget() -> int:
    """Delete a batch of windows that are over. Returns how many."""
    rows = await db.fetch(
        """DELETE FROM quota_window WHERE key = ANY(ARRAY(
             SELECT key FROM quota_window WHERE starts_at < $1 ORDER BY starts_at LIMIT $2)) RETURNING key""",
        clock.now() - LONGEST, AT_ONCE,
    )  # fmt: skip
    return len(rows)


def _key(name: str, who: str) -> str:
    """Whom it is about is nobody's to read here."""
    return f"{name}:{hashlib.sha256(who.encode('utf-8', 'replace')).hexdigest()[:40]}"


def _words(seconds: int) -> str:
    """``40 seconds``, ``12 minutes``, ``5 hours``: rounded up."""
    for size, unit in ((3600, "hour"), (60, "minute")):
        if seconds > size:
            return f"{-(-seconds // size)} {unit}s"
    return f"{seconds} seconds"
