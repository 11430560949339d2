"""How long things take by our own record: what the pages may promise, and nothing beyond it."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from math import ceil

from app.core import clock, db
from app.core.i18n import _, ngettext
from app.orders.models import MeasuredTime

SAMPLES = 200  # newest orders that are looked at
ENOUGH = 20  # fewer say nothing of what is usual
KEPT = timedelta(minutes=1)  # a figure is good for so long in one process

_kept: dict[str, tuple[datetime, timedelta | None]] = {}


async def key_time() -> timedelta | None:
    """Within what time after payment nine of ten of the shop's newest orders had their keys; None where few had."""
    return await _figure("keys", _keys)


async def confirm_time(coin: str) -> timedelta | None:
    """Within what time nine of ten payments of a coin were confirmed once they were seen; None where few were."""

    async def ask() -> timedelta | None:
        return await _confirmations(coin)

    return await _figure(f"confirm:{coin}", ask)


async def _figure(name: str, ask: Callable[[], Awaitable[timedelta | None]]) -> timedelta | None:
    now = clock.now()
    at, known = _kept.get(name, (now - 2 * KEPT, None))
    if abs(now - at) <= KEPT:
        return known
    found = await ask()
    _kept[name] = (now, found)
    return found


async def _keys() -> timedelta | None:
    return await _p90(
        """SELECT fulfilled_at - paid_at AS took FROM customer_order
           WHERE merchant_id IS NULL AND fulfilled_at IS NOT NULL ORDER BY fulfilled_at DESC LIMIT $1"""
    )


async def _confirmations(coin: str) -> timedelta | None:
    return await _p90(
        """SELECT p.paid_at - e.at AS took FROM (
             SELECT id, paid_at FROM customer_order WHERE merchant_id IS NULL AND pay_currency = $2
               AND paid_at IS NOT NULL
             ORDER BY paid_at DESC LIMIT $1) p
           JOIN event e ON e.subject = p.id AND e.kind = 'order.confirming'""",
        coin,
    )


async def _p90(took: str, *args: object) -> timedelta | None:
    found = await db.fetch_one_as(
        MeasuredTime,
        f"""SELECT count(*) AS samples, percentile_disc(0.9) WITHIN GROUP (ORDER BY took) AS p90
            FROM ({took}) AS newest""",  # noqa: S608 - queries of our own
        SAMPLES, *args,
    )  # fmt: skip
    return found.p90 if found is not None and found.samples >= ENOUGH else None


def in_words(took: timedelta) -> str:
    """``a minute``, ``3 minutes``, ``2 hours``, ``3 days``: never less than it is."""
    minutes = ceil(took.total_seconds() / 60)
    if minutes <= 1:
        return _("a minute")
    if minutes < 100:
        return ngettext("%(num)d minute", "%(num)d minutes", minutes)
    hours = ceil(minutes / 60)
    if hours < 72:
        return ngettext("%(num)d hour", "%(num)d hours", hours)
    return ngettext("%(num)d day", "%(num)d days", ceil(hours / 24))
