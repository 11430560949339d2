"""Keeping the catalog in step with the supplier, and counting discounts."""

from collections.abc import Mapping
from decimal import Decimal

from app.catalog import listing as readings
from app.catalog.listing import Listing, refresh
from app.catalog.models import Discount
from app.core import clock, db
from app.core.errors import Invalid
from app.core.ids import new_id
from app.core.money import Money

__all__ = [
    "UnknownDiscount", "create_discount", "discount_for", "refresh", "rest_of", "spend_discount", "sync", "sync_on",
]  # fmt: skip

PAGES_AT_ONCE = 5  # read in one job, whose lease is a minute


class UnknownDiscount(Invalid):
    title = "That discount code can't be used"


def rest_of(supplier: str) -> str:
    """The ``dedupe`` of a job that reads on in a supplier's listing."""
    return f"catalog.sync:rest:{supplier}"


async def sync(*, listing: Listing, accept_losses: bool = False) -> int:
    """Read a supplier's whole listing and bring our products of it in step. Returns the number of products in it.

    Prices follow the supplier's; what it says is gone is not sold any more. Raises ListingIncomplete, ProviderError or
    NoRate.
    """
    reading = await readings.begin(listing.name)
    while not reading.done:
        await readings.read_page(reading, listing=listing)
    return await readings.finish(reading, listing=listing, accept_losses=accept_losses)


async def sync_on(args: Mapping[str, object], *, listing: Listing) -> dict[str, object] | None:
    """Read on for some pages. Returns the arguments with which the next job goes on, None when all is done.

    ``args`` without a page begin anew, unless a reading of that supplier is under way already.
    """
    if "page" not in args and await _under_way(listing.name):
        return None
    reading = (
        readings.from_args({"supplier": listing.name, **args}) if "page" in args else await readings.begin(listing.name)
    )
    for _ in range(PAGES_AT_ONCE):
        if reading.done:
            break
        await readings.read_page(reading, listing=listing)
    if not reading.done:
        return readings.to_args(reading)
    await readings.finish(reading, listing=listing)
    return None


async def _under_way(supplier: str) -> bool:
    """Whether a reading of its listing goes on in a job that waits, found by its ``dedupe``, or runs: both by an index,
    however many jobs wait."""
    return bool(
        await db.fetch_value(
            """SELECT EXISTS (SELECT FROM job WHERE dedupe = $1 AND status = 'pending')
               OR EXISTS (SELECT FROM job WHERE name = 'catalog.sync' AND args->>'page' IS NOT NULL
                            AND coalesce(args->>'supplier', $2) = $2 AND status = 'processing')""",
            rest_of(supplier),
            supplier,
        )
    )


async def discount_for(code: str, subtotal: Money) -> tuple[str, Decimal, Money]:
    """What ``code`` takes off ``subtotal``: (code, percent, amount). Counts nothing. Raises UnknownDiscount."""
    found = await db.fetch_one_as(
        Discount,
        """SELECT code, percent FROM discount WHERE code = upper($1) AND (expires_at IS NULL OR expires_at > $2)
           AND (max_uses IS NULL OR used < max_uses)""",
        code.replace("\x00", "").strip()[:32], clock.now(),
    )  # fmt: skip
    if found is None:
        raise UnknownDiscount("Check the code, or leave it out.", field="discount_code")
    return found.code, found.percent, subtotal.percent(found.percent)


async def spend_discount(code: str) -> bool:
    """Count one use inside the order's transaction; False when the last one went to somebody else just now."""
    return bool(
        await db.fetch_value(
            """UPDATE discount SET used = used + 1 WHERE code = $1 AND (expires_at IS NULL OR expires_at > $2)
               AND (max_uses IS NULL OR used < max_uses) RETURNING true""",
            code,
            clock.now(),
        )
    )


async def create_discount(code: str, percent: Decimal, *, max_uses: int | None = None) -> None:
    """Create a code if it does not exist yet; codes are kept in capitals."""
    await db.fetch(
        "INSERT INTO discount (id, code, percent, max_uses) VALUES ($1, $2, $3, $4) ON CONFLICT (code) DO NOTHING",
        new_id(), code.upper(), percent, max_uses,
    )  # fmt: skip
