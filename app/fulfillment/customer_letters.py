"""Letters about keys that don't come: what happened, how much the customer can have back, and where."""

from collections.abc import Mapping
from uuid import UUID

from app.core import db
from app.fulfillment import failure_reasons, withdrawal
from app.fulfillment.models import NamedItem
from app.issues.codes import IssueCode
from app.mail import queries as mail
from app.orders import letters
from app.orders import service as orders

KINDS = {
    failure_reasons.SOLD_OUT: "sold_out",
    failure_reasons.TOO_DEAR: "price_jump",
}  # of any other cause: supply_failed


async def item_failed(order_id: UUID, item_id: UUID, cause: str) -> None:
    """The item fails for ``cause``, under its order's lock: its order waits for a person, and its customer is told.

    Nothing of that where the item is not awaited any more.
    """
    code = failure_reasons.CODES.get(cause, IssueCode.SUPPLY_REFUSED)
    if await orders.item_failed(order_id, item_id, code, cause):
        await _write(order_id, KINDS.get(cause, "supply_failed"), await _incident(item_id, cause))


async def supplier_silent(order_id: UUID, since: str) -> None:
    """The supplier takes longer than the set time. ``since``: the event by which it was last asked anew."""
    await _write(order_id, "supplier_delay", since)


async def _incident(item_id: UUID, cause: str) -> str:
    """What failed: a retry that fails alike is the same; another item, another cause or other units are another."""
    there: int = await db.fetch_value("SELECT count(*) FROM sealed_key WHERE item_id = $1", item_id)
    return f"{item_id} {there} {cause}"


async def _write(order_id: UUID, kind: str, incident: str) -> None:
    """Once an incident: its order's page shows what has changed since."""
    if await mail.written(order_id, kind, incident):
        return
    order = await orders.reread(order_id)
    found = await withdrawal.offered(order)
    if found is not None:
        games = await _games(order_id, found.units)
        amount = found.share if found.share.amount else found.credit  # a refund in coins, or of the credit alone
        await letters.write(order, kind, games=games, amount=str(amount), incident=incident)


async def _games(order_id: UUID, units: Mapping[UUID, int]) -> str:
    """The games of which keys are missing, as a letter names them: ``Hades, 2 keys of Celeste``."""
    sql = "SELECT id, name FROM order_item WHERE order_id = $1 ORDER BY position"
    items = await db.fetch_as(NamedItem, sql, order_id)
    counted = [(item.name, units[item.id]) for item in items if item.id in units]
    return ", ".join(name if number == 1 else f"{number} keys of {name}" for name, number in counted)
