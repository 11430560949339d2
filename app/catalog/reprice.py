"""Bringing all prices to a new exchange rate."""

from decimal import Decimal
from uuid import UUID

import msgspec

from app.catalog.models import Costs
from app.catalog.pricing import price_for
from app.core import clock, db
from app.core.settings import settings
from app.issues import service as issues
from app.issues.codes import IssueCode

FOREIGN = IssueCode.PRICE_CURRENCY
BATCH = 1000  # products in one statement


class _Withdrawn(msgspec.Struct, frozen=True):
    id: UUID
    name: str
    currency: str


async def reprice(rate: Decimal) -> int:
    """Bring all prices to a rate, in bounded batches. Returns how many changed.

    A product whose cost changes meanwhile is left to the one who changes it. One whose price the owner set keeps it.
    """
    currency, last, changed = settings().shop_currency, UUID(int=0), 0
    await _withdraw_foreign(currency)
    while rows := await db.fetch_as(
        Costs, "SELECT id, cost FROM product WHERE id > $1 AND NOT fixed_price ORDER BY id LIMIT $2", last, BATCH
    ):
        prices = [price_for(row.cost, rate, currency).amount for row in rows]
        changed += len(
            await db.fetch(
                """UPDATE product p SET price = r.price, currency = $3, updated_at = $4
                   FROM unnest($1::uuid[], $2::numeric[], $5::numeric[]) AS r (id, price, cost)
                   WHERE p.id = r.id AND p.cost = r.cost
                     AND (p.price, p.currency) IS DISTINCT FROM (r.price, $3) RETURNING 1""",
                [row.id for row in rows], prices, currency, clock.now(), [row.cost for row in rows],
            )
        )  # fmt: skip
        last = rows[-1].id
    return changed


async def _withdraw_foreign(currency: str) -> None:
    """A price that its owner set in the shop's former currency means nothing in this one: not sold until it is set."""
    found = await db.fetch_as(
        _Withdrawn,
        """UPDATE product SET active = false, updated_at = $2 WHERE fixed_price AND active AND currency <> $1
           RETURNING id, name, currency""",
        currency, clock.now(),
    )  # fmt: skip
    for product in found:
        said = f"{product.name}: its price is in {product.currency}. Set it in {currency} and sell it again."
        await issues.open_issue(f"product:{product.id}", FOREIGN, said)
