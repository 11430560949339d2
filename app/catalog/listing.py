"""The supplier's whole listing, page by page. That something is missing from it is never taken for its end by itself.

A reading is complete when as many rows came as were promised. Only then are those looked up one by one that it did not
hold, and only what the supplier itself says is gone is not sold any more. A reading that breaks off, contradicts itself
or lost more than a few products fails; what stands stays, and a person is told.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from app.catalog import products, rates
from app.catalog.models import ListedProduct, ListingPage, MissingProducts, NamedProduct, OddRow
from app.catalog.products import Kept
from app.core import clock, db
from app.issues import service as issues
from app.issues.codes import IssueCode
from app.providers.errors import ProviderError, ProviderProtocolError

PAGE = 100  # products a call: no supplier gives more (kinguin.md, 2)
MOST_PAGES = 5000  # more than this is a loop
SPLIT = 10  # a page that can't be read is read again in so many parts
MOST_UNREADABLE = 5  # single rows that can't be read, until the whole is given up
PROMISE_SLACK = 1000  # of so many rows one may be missed, as the listing changes while it is read
MOST_LOST = 10  # percent of the products on sale that may be missing at once; a few always may
A_FEW = 5
LOOKED_UP = 100  # missing products asked for one by one in one reading; the others stay until the next
MOST_TOLD = 50  # products a reading opens issues for; of more, only their number is told
ODD_NAMED = 20  # odd rows named in the issue


class Listing(Protocol):
    """What a supplier sells, read by page and by product. Both calls raise ProviderError."""

    name: str

    async def products(self, page: int, limit: int) -> ListingPage:
        """One page, from 1, in an order that stays the same while it is read."""
        ...

    async def product(self, product_id: str) -> ListedProduct | None:
        """One product; None only where the supplier says that it is not sold."""
        ...


class ListingIncomplete(Exception):
    """The supplier's listing was not all there, so nothing was taken off sale."""


class Reading(msgspec.Struct):
    """How far a reading of the listing has come; fit to be a job's arguments."""

    started_at: datetime
    supplier: str
    page: int = 1
    promised: int | None = None
    others: int = 0  # rows that none of our products is about: pre-orders, odd ones
    odd_count: int = 0
    odd: list[str] = []
    held: int = 0
    done: bool = False


async def begin(supplier: str) -> Reading:
    """A new reading; the database's clock says when, as several workers may read on."""
    return Reading(await db.fetch_value("SELECT clock_timestamp()"), supplier)


async def read_page(reading: Reading, *, listing: Listing) -> None:
    """Read the next page and keep what it says. Raises ProviderError, or NoRate while there is no exchange rate."""
    rate = await rates.current()
    page = await _Pages(listing).read(reading.page, PAGE)
    told = max(MOST_TOLD - reading.held, 0)
    kept = await products.keep(
        page.results, rate, supplier=reading.supplier, listed_at=reading.started_at, most_told=told
    )
    _note(reading, page, kept)
    whole = page.total is not None and reading.page * PAGE >= page.total
    reading.done = whole or not page.rows or reading.page >= MOST_PAGES
    reading.page += 1


def _note(reading: Reading, page: ListingPage, kept: Kept) -> None:
    odd = [*page.odd, *kept.odd]
    reading.promised = page.total if page.rows or reading.promised is None else max(page.total or 0, reading.promised)
    reading.others += max(page.rows - kept.marked, 0)
    reading.odd_count += len(odd)
    reading.odd += [f"{row.name}: {row.why}" for row in odd[: ODD_NAMED - len(reading.odd)]]
    reading.held += len(kept.held)


async def finish(reading: Reading, *, listing: Listing, accept_losses: bool = False) -> int:
    """Close a reading: take off sale what is gone for certain, and tell what was odd. Returns how many came.

    Args:
        reading: one whose last page was read.
        listing: the supplier's, asked about each product that was missing.
        accept_losses: a person has looked: products may be gone however many they are.

    Raises ListingIncomplete.
    """
    await _tell_odd(reading)
    marked = int(
        await db.fetch_value(
            "SELECT count(*) FROM product WHERE supplier = $2 AND listed_at >= $1", reading.started_at, reading.supplier
        )
    )
    lost = await _complaint(reading, marked + reading.others, accept_losses=accept_losses)
    if lost:
        await issues.open_issue(_subject(reading), IssueCode.LISTING_INCOMPLETE, f"{lost} Nothing was taken off sale.")
        raise ListingIncomplete(lost)
    await issues.resolve(_subject(reading), IssueCode.LISTING_INCOMPLETE)
    await _look_up_missing(reading, listing)
    return marked


def _subject(reading: Reading) -> str:
    return f"catalog:{reading.supplier}"


async def _complaint(reading: Reading, seen: int, *, accept_losses: bool) -> str:
    """Why the reading can't be believed to be whole; empty if it can."""
    if reading.promised is None:
        return "Our supplier’s listing does not say how many products it has."
    if seen < reading.promised - reading.promised // PROMISE_SLACK:
        return f"Our supplier’s listing promised {reading.promised} products, but {seen} arrived."
    found = await _missing(reading)
    on_sale, missing = found.on_sale, found.missing
    if missing > max(A_FEW, on_sale * MOST_LOST // 100) and not accept_losses:
        hint = "If that is right, run `bitloot catalog sync --accept-losses`."
        return f"Of {on_sale} products on sale {missing} are missing from our supplier’s listing. {hint}"
    return ""


async def _missing(reading: Reading) -> MissingProducts:
    found = await db.fetch_one_as(
        MissingProducts,
        """SELECT count(*) AS on_sale, count(*) FILTER (WHERE listed_at IS NULL OR listed_at < $1) AS missing
           FROM product WHERE active AND supplier = $2""",
        reading.started_at, reading.supplier,
    )  # fmt: skip
    assert found is not None
    return found


async def _look_up_missing(reading: Reading, listing: Listing) -> None:
    missing = await db.fetch_values(
        """SELECT supplier_product_id FROM product
           WHERE active AND supplier = $3 AND (listed_at IS NULL OR listed_at < $1)
           ORDER BY listed_at NULLS FIRST, id LIMIT $2""",
        reading.started_at, LOOKED_UP, reading.supplier,
    )  # fmt: skip
    for product_id in missing:
        try:
            found = await listing.product(product_id)
        except ProviderError:
            continue  # nothing is known of it, so it stays
        if found is not None:
            await products.keep([found], await rates.current(), supplier=listing.name)
        else:
            await db.fetch(
                """UPDATE product SET active = false, stock = 0, updated_at = $3
                   WHERE supplier = $1 AND supplier_product_id = $2""",
                listing.name, product_id, clock.now(),
            )  # fmt: skip


async def refresh(supplier_product_id: str, *, listing: Listing) -> None:
    """Bring one product in step; one that is gone is out of stock, one that can't be read stays and is told."""
    try:
        product = await listing.product(supplier_product_id)
    except ProviderProtocolError as error:
        await _tell_unreadable(listing.name, supplier_product_id, str(error))
        return
    if product is not None:
        await products.keep([product], await rates.current(), supplier=listing.name)
    else:
        await db.fetch(
            "UPDATE product SET stock = 0, updated_at = $3 WHERE supplier = $1 AND supplier_product_id = $2",
            listing.name, supplier_product_id, clock.now(),
        )  # fmt: skip


async def _tell_unreadable(supplier: str, supplier_product_id: str, why: str) -> None:
    product = await db.fetch_one_as(
        NamedProduct,
        "SELECT id, name FROM product WHERE supplier = $1 AND supplier_product_id = $2", supplier, supplier_product_id,
    )  # fmt: skip
    if product is not None:
        detail = f"{product.name}: our supplier’s answer can’t be read, so price and stock stay as they are. {why}"
        await issues.open_issue(f"product:{product.id}", products.UNREADABLE, detail)


async def _tell_odd(reading: Reading) -> None:
    await _tell(
        _subject(reading), IssueCode.ODD_ROWS, reading.odd_count,
        f"{reading.odd_count} of our supplier’s rows could not be used as they are; their earlier data stays. "
        + "; ".join(reading.odd),
    )  # fmt: skip
    await _tell(
        _subject(reading), IssueCode.PRICES_IMPLAUSIBLE, reading.held > MOST_TOLD and reading.held,
        f"{reading.held} products have a price that looks wrong and are not sold until somebody checks it. "
        "That many at once may be an error of the supplier: check its prices first.",
    )  # fmt: skip


async def _tell(subject: str, code: IssueCode, stands: int | bool, detail: str) -> None:
    if stands:
        await issues.open_issue(subject, code, detail)
    else:
        await issues.resolve(subject, code)


class _Pages:
    """Reads pages; one that can't be read is read in parts, so that the row which spoils it is found."""

    def __init__(self, listing: Listing) -> None:
        self._listing, self._unreadable = listing, 0

    async def read(self, number: int, limit: int) -> ListingPage:
        try:
            return await self._listing.products(page=number, limit=limit)
        except ProviderProtocolError:
            if limit > 1:
                first = (number - 1) * SPLIT + 1
                return _joined([await self.read(first + part, limit // SPLIT) for part in range(SPLIT)])
            self._unreadable += 1
            if self._unreadable > MOST_UNREADABLE:
                raise
            return ListingPage((), None, (OddRow(f"row {number} of the listing", "it can't be read"),))


def _joined(parts: Sequence[ListingPage]) -> ListingPage:
    totals = [part.total for part in parts if part.total is not None]
    return ListingPage(
        tuple(row for part in parts for row in part.results),
        totals[-1] if totals else None,
        tuple(row for part in parts for row in part.odd),
    )  # fmt: skip


def from_args(args: Mapping[str, object]) -> Reading:
    """A reading that an earlier job has begun, out of this one's arguments."""
    return msgspec.convert(args, Reading)


def to_args(reading: Reading) -> dict[str, object]:
    return dict(msgspec.to_builtins(reading))
