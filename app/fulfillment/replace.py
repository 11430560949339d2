"""Units that a supplier's order will not deliver are bought again, from another offer of the same game."""

from app.catalog import queries as catalog
from app.catalog.models import Offer
from app.core import clock, db
from app.core.ids import new_id
from app.fulfillment import models, queries
from app.history import service as history
from app.keys import queries as key_rows
from app.queue import service as jobs

MOST = 3  # purchases an item that are made without a person: each spends money again


async def buy_elsewhere(ended: models.Reservation) -> bool:
    """Post the purchase of what is missing after a reservation that has just ended, under its order's lock.

    False where no other offer fits the price limit, where nothing is to be bought any more, or where that was tried
    often enough: then a person decides.
    """
    before = [row for row in await queries.of_order(ended.order_id) if row.item_id == ended.item_id]
    missing = ended.units - len(await key_rows.supplier_ids(ended.item_id))
    if missing <= 0 or len(before) >= MOST or await queries.is_held(ended.order_id):
        return False
    own = await catalog.offer(ended.product_id)
    tried = {queries.other_offer(row) or (own.supplier, own.supplier_product_id) for row in before}
    found = await catalog.offers(ended.product_id, most=ended.price_limit, quantity=missing)
    other = next((offer for offer in found if (offer.supplier, offer.supplier_product_id) not in tried), None)
    if other is None or not await _reserve(ended, missing, other):
        return False
    item_id = ended.item_id
    await history.record(ended.order_id, "supply.alternative", item=str(item_id))
    args = {"item_id": str(item_id)}
    await jobs.post("fulfillment.reserve", args, subject=ended.order_id, dedupe=f"reserve:{item_id}")
    return True


async def _reserve(ended: models.Reservation, missing: int, offer: Offer) -> bool:
    """False when somebody was first: an item has one reservation that is not ended (a partial unique index)."""
    return bool(
        await db.fetch_value(
            """INSERT INTO reservation (id, order_id, item_id, status, quantity, price_limit, supplier,
                 supplier_product_id, created_at, updated_at)
               VALUES ($1, $2, $3, 'requested', $4, $5, $6, $7, $8, $8)
               ON CONFLICT (item_id) WHERE status NOT IN ('cancelled', 'refunded') DO NOTHING RETURNING true""",
            new_id(), ended.order_id, ended.item_id, missing, ended.price_limit, offer.supplier,
            offer.supplier_product_id, clock.now(),
        )
    )  # fmt: skip
