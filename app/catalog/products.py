"""Products as rows: what the supplier says of each is judged, priced and kept, a page of them at once."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import asyncpg
import msgspec

from app.catalog import rates
from app.catalog.models import Details, KnownCosts, ListedProduct, OddRow, ProductIssue, TakenSlug
from app.catalog.pricing import DEAREST, doubt, price_for
from app.core import clock, db, texts
from app.core.errors import Conflict
from app.core.ids import new_id
from app.core.money import Money
from app.core.settings import settings
from app.issues import service as issues
from app.issues.codes import IssueCode

LONGEST_ID = 24  # characters of a supplier's id; our column ends
LONGEST_TEXT = 20_000  # characters of a description that are kept
REFERENCE = timedelta(days=1)  # how long the price of a moment is what the next ones are compared with
PRICE, UNREADABLE = IssueCode.PRICE_IMPLAUSIBLE, IssueCode.PRODUCT_UNREADABLE


class _Row(msgspec.Struct, frozen=True):
    """The columns of a product that its supplier's listing fills. ``details``: as JSON."""

    slug: str
    name: str
    platform: str
    region: str
    price: Decimal
    currency: str
    cost: Decimal
    stock: int
    supplier: str
    supplier_product_id: str
    text_keys: bool
    details: str
    released_on: str
    description: str
    reference_cost: Decimal
    reference_at: datetime


_COLUMNS = _Row.__struct_fields__
_FOLLOWED = [name for name in _COLUMNS if name not in {"slug", "supplier", "supplier_product_id", "reference_at"}]
_TYPES = {
    "price": "numeric", "cost": "numeric", "stock": "int", "text_keys": "bool", "details": "jsonb",
    "reference_cost": "numeric", "reference_at": "timestamptz",
}  # fmt: skip


class NothingToAccept(Conflict):
    title = "There is no price to accept"


@dataclass(frozen=True, slots=True)
class Kept:
    """What came of a page. ``marked``: rows of ours that it was about; ``odd``: what could not be kept;
    ``held``: products that a person must look at, by our id, with their name and why."""

    marked: int
    odd: tuple[OddRow, ...]
    held: tuple[tuple[UUID, str, str], ...]


async def keep(
    found: Sequence[ListedProduct],
    rate: Decimal,
    *,
    supplier: str,
    listed_at: datetime | None = None,
    most_told: int = 1,
) -> Kept:
    """Bring our rows in step with what the supplier says of these products. One that can't be kept harms no other.

    Args:
        found: what the supplier says; of one that stands there twice, the first.
        rate: one EUR in the shop's currency.
        supplier: whose they are; the same id of another supplier is another product.
        listed_at: when the reading of the whole listing began that these are part of.
        most_told: held products that issues are opened for.

    Not for use inside a transaction: what the database refuses must not undo the others.
    """
    every = {product.product_id: product for product in reversed(found)}
    odd = [OddRow(_named(p), why) for p in every.values() if (why := _unfit(p))]
    odd += [OddRow(_named(p), "it is in the listing twice") for p in found if every[p.product_id] is not p]
    fit = [product for product in reversed(every.values()) if not _unfit(product)]
    try:
        kept = await _keep_together(fit, rate, supplier, listed_at, most_told)
    except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError):
        kept = await _keep_each(fit, rate, supplier, listed_at, most_told)
    return Kept(kept.marked, (*odd, *kept.odd), kept.held)


async def _keep_each(
    found: Sequence[ListedProduct], rate: Decimal, supplier: str, listed_at: datetime | None, most_told: int
) -> Kept:
    """One of them was refused by the database, and with it all. Alone, each meets its own fate."""
    marked, odd, held = 0, list[OddRow](), list[tuple[UUID, str, str]]()
    for product in found:
        try:
            kept = await _keep_together([product], rate, supplier, listed_at, max(most_told - len(held), 0))
        except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
            odd.append(OddRow(_named(product), f"it can't be stored ({type(error).__name__})"))
            continue
        marked, odd, held = marked + kept.marked, [*odd, *kept.odd], [*held, *kept.held]
    return Kept(marked, tuple(odd), tuple(held))


async def _keep_together(
    found: Sequence[ListedProduct], rate: Decimal, supplier: str, listed_at: datetime | None, most_told: int
) -> Kept:
    async with db.transaction():
        if listed_at is not None:
            await _adopt(found, supplier, listed_at)
        ours = await _ours(found, supplier)
        odd = await _clashes([p for p in found if p.product_id not in ours], supplier)
        clashing = {name for name, _ in odd}
        good, held = list[_Row](), list[tuple[UUID, str, str]]()
        told = [OddRow(_named(p), why) for p in found for name, why in odd if name == p.product_id]
        told += [OddRow(_named(p), f"kept without what can't be stored in its {', '.join(p.mended)}")
                 for p in found if p.mended]  # fmt: skip
        for product in found:
            before = ours.get(product.product_id)
            why = doubt(product.cost, before.reference_cost if before else None)
            if product.product_id in clashing or (product.preorder and before is None):
                continue
            if product.preorder:
                await _withdraw(supplier, product.product_id)
            elif why is None:
                good.append(_row(product, supplier, rate, before))
            elif before is None:
                told.append(OddRow(_named(product), why))
            else:
                await _hold(before.id, product)
                held.append((before.id, before.name, why))
        await _write(good)
        marked = await _mark(supplier, list(ours) + [row.supplier_product_id for row in good], listed_at)
        await _settle(supplier, [row.supplier_product_id for row in good])
        await _tell(held[:most_told])
        return Kept(marked, tuple(told), tuple(held))


def _unfit(product: ListedProduct) -> str | None:
    if len(product.product_id) > LONGEST_ID:
        return "its id is too long"
    if not slug_for(product) or not product.product_id.isprintable():
        return "its id can't be used"
    return None


def _named(product: ListedProduct) -> str:
    return texts.line(f"{product.product_id[:40]} {product.label[:60]}")


async def _ours(found: Sequence[ListedProduct], supplier: str) -> dict[str, KnownCosts]:
    rows = await db.fetch_as(
        KnownCosts,
        """SELECT id, name, supplier_product_id, cost, coalesce(reference_cost, cost) AS reference_cost, reference_at
           FROM product WHERE supplier = $2 AND supplier_product_id = ANY($1)""",
        [product.product_id for product in found], supplier,
    )  # fmt: skip
    return {row.supplier_product_id: row for row in rows}


async def _adopt(found: Sequence[ListedProduct], supplier: str, listed_at: datetime) -> None:
    """A product that is listed under a new id, the old one being gone for good, stays the same product of ours."""
    await db.fetch(
        """UPDATE product p SET supplier_product_id = n.id, updated_at = $4
           FROM unnest($1::text[], $2::text[]) AS n (slug, id)
           WHERE p.slug = n.slug AND p.supplier = $5 AND p.supplier_product_id <> n.id AND NOT p.active
             AND p.held_since IS NULL AND (p.listed_at IS NULL OR p.listed_at < $3)
             AND NOT EXISTS (SELECT FROM product o WHERE o.supplier = $5 AND o.supplier_product_id = n.id)""",
        [slug_for(product) for product in found], [product.product_id for product in found], listed_at, clock.now(),
        supplier,
    )  # fmt: skip


async def _clashes(new: Sequence[ListedProduct], supplier: str) -> list[tuple[str, str]]:
    """New products whose address another one has already: the same number of the supplier's under another id."""
    taken = {slug_for(product): "" for product in new}
    sql = "SELECT slug, ARRAY[supplier, supplier_product_id] AS owner FROM product WHERE slug = ANY($1)"
    first = {row.slug: row.owner for row in await db.fetch_as(TakenSlug, sql, list(taken))}
    found = []
    for product in new:
        whose, owner = first.setdefault(slug_for(product), (supplier, product.product_id))
        if whose != supplier:
            found.append((product.product_id, f"its address in the shop is that of {owner} of another supplier"))
        elif owner != product.product_id:
            found.append((product.product_id, f"the same number as {owner}, which is listed under another id"))
    return found


def _row(product: ListedProduct, supplier: str, rate: Decimal, before: KnownCosts | None) -> _Row:
    assert product.cost is not None
    price = price_for(product.cost, rate, settings().shop_currency)
    reference, since = (before.reference_cost, before.reference_at) if before else (None, None)
    if reference is None or since is None or clock.now() - since > REFERENCE:
        # What it cost up to now is what the next price is measured by, so that small steps add up to a large one.
        reference, since = (before.cost if before else None) or product.cost, clock.now()
    details = Details(
        list(product.genres), list(product.languages), list(product.developers), product.activation[:LONGEST_TEXT],
        product.preorder, list(product.blocked_countries), "dlc" in product.tags, list(product.tags),
    )  # fmt: skip
    return _Row(
        slug_for(product), product.name[:200], product.platform[:64], product.region.title()[:64], price.amount,
        price.currency, product.cost, product.stock, supplier, product.product_id, product.text_keys,
        msgspec.json.encode(details).decode(), product.release_date[:10], product.description[:LONGEST_TEXT],
        reference, since,
    )  # fmt: skip


async def _write(rows: Sequence[_Row]) -> None:
    """Insert or update in one statement; a row that would not change is left alone, its ``updated_at`` too."""
    if not rows:
        return
    arrays = ", ".join(f"${n}::{_TYPES.get(c, 'text').replace('jsonb', 'text')}[]" for n, c in enumerate(_COLUMNS, 3))
    values = ", ".join(f"r.{c}::jsonb" if c == "details" else f"r.{c}" for c in _COLUMNS)
    sets = ", ".join(f"{c} = excluded.{c}" for c in (*_FOLLOWED, "reference_at"))
    before, after = (", ".join(f"{prefix}.{c}" for c in _FOLLOWED) for prefix in ("product", "excluded"))
    await db.fetch(
        f"""INSERT INTO product (id, created_at, updated_at, active, {", ".join(_COLUMNS)})
            SELECT r.id, $2, $2, true, {values} FROM unnest($1::uuid[], {arrays}) AS r (id, {", ".join(_COLUMNS)})
            ON CONFLICT (supplier, supplier_product_id) DO UPDATE SET {sets}, active = true, held_since = NULL,
              offered_cost = NULL, updated_at = excluded.updated_at
            WHERE NOT product.active OR ({before}) IS DISTINCT FROM ({after})""",  # noqa: S608 - our own names only
        [new_id() for _ in rows], clock.now(), *([getattr(row, column) for row in rows] for column in _COLUMNS),
    )  # fmt: skip


async def _hold(product_id: UUID, offered: ListedProduct) -> None:
    """Not sold until a person has looked, or the supplier's price is one to be believed again."""
    cost = offered.cost if offered.cost is not None and 0 < offered.cost <= DEAREST else None
    await db.fetch(
        """UPDATE product SET active = false, held_since = coalesce(held_since, $3), offered_cost = $2, stock = $4,
             updated_at = $3
           WHERE id = $1 AND (held_since IS NULL OR active OR (offered_cost, stock) IS DISTINCT FROM ($2, $4))""",
        product_id, cost, clock.now(), offered.stock,
    )  # fmt: skip


async def _withdraw(supplier: str, supplier_product_id: str) -> None:
    await db.fetch(
        """UPDATE product SET active = false, stock = 0, updated_at = $3
           WHERE supplier = $1 AND supplier_product_id = $2 AND (active OR stock > 0)""",
        supplier, supplier_product_id, clock.now(),
    )  # fmt: skip


async def _mark(supplier: str, supplier_ids: Sequence[str], listed_at: datetime | None) -> int:
    if listed_at is None:
        return len(set(supplier_ids))
    rows = await db.fetch(
        """UPDATE product SET listed_at = greatest(listed_at, $2)
           WHERE supplier = $3 AND supplier_product_id = ANY($1) RETURNING 1""",
        list(supplier_ids), listed_at, supplier,
    )  # fmt: skip
    return len(rows)


async def _settle(supplier: str, supplier_ids: Sequence[str]) -> None:
    """The issues of products that are understood and believed again have no reason any more."""
    found = await db.fetch_as(
        ProductIssue,
        """SELECT i.subject, i.code FROM product p JOIN issue i ON i.subject = 'product:' || p.id
           WHERE p.supplier = $3 AND p.supplier_product_id = ANY($1) AND i.code = ANY($2)
             AND i.resolved_at IS NULL""",
        list(supplier_ids), [PRICE, UNREADABLE], supplier,
    )  # fmt: skip
    for issue in found:
        await issues.resolve(issue.subject, issue.code)


async def _tell(held: Sequence[tuple[UUID, str, str]]) -> None:
    for product_id, name, why in held:
        detail = (
            f"{name}: {why.removesuffix('.')}. It is not sold until somebody checks it, or the price is back to normal."
        )
        await issues.open_issue(f"product:{product_id}", PRICE, detail)


async def priced(cost: Decimal) -> Money:
    """What we ask today for what costs so many EUR. Raises NoRate."""
    return price_for(cost, await rates.current(), settings().shop_currency)


async def accept_price(product_id: UUID, *, by: str) -> None:
    """Sell a held product at the price its supplier asks. Raises NothingToAccept."""
    async with db.transaction():
        cost = await db.fetch_value("SELECT offered_cost FROM product WHERE id = $1 FOR UPDATE", product_id)
        if cost is None:
            raise NothingToAccept("It is already on sale, or its supplier gives no usable price.")
        price, now = await priced(cost), clock.now()
        await db.fetch(
            """UPDATE product SET active = true, cost = $2, price = $3, currency = $4, reference_cost = $2,
                 reference_at = $5, held_since = NULL, offered_cost = NULL, updated_at = $5 WHERE id = $1""",
            product_id, cost, price.amount, price.currency, now,
        )  # fmt: skip
        await issues.resolve(f"product:{product_id}", PRICE, by=by)


def slug_for(product: ListedProduct) -> str:
    """``hollow-tide-steam-europe-1042``: readable, and unique by the supplier's number."""
    words = f"{product.name} {product.platform} {product.region}"
    return f"{_plain(words)[:120].strip('-')}-{_plain(product.number)}".strip("-")[:160]


def _plain(words: str) -> str:
    plain = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
