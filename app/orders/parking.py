"""Putting an order before a person: every reason why, side by side, until each is settled."""

from uuid import UUID

from app.core import db
from app.orders.tables import Order

MOST = 1000  # characters of all of an order's reasons: where the column ends
LONGEST = 200  # characters of one of them
BETWEEN = " · "  # the reasons for which an order waits for a person
OF_MONEY = "money: "  # how reasons begin that money settles
UNDERPAID = f"{OF_MONEY}underpaid"  # … of an order that waits for the rest of its money
LATE = f"{OF_MONEY}paid late"  # … of one whose customer is asked what becomes of it
OWED_BACK = "owed back"  # what each reason says that is settled when the money goes back or becomes credit
LASTING = (OF_MONEY, "ledger: ", "refund", "A key does not open: ")  # how those begin that no delivery settles


async def park(order_id: UUID, cause: str, *, instead_of: str | None = None) -> bool:
    """Put the order on the admin's list with a reason, beside those that stand already. False if it was one of them.

    Reasons that begin with ``instead_of`` are replaced by the new one.
    """
    before, cause = await _reasons(order_id), cause[:LONGEST]
    if cause in before:
        return False
    kept = [r for r in before if not (instead_of and r.startswith(instead_of))]
    await keep_reasons(order_id, [*kept, cause])
    return True


async def unpark(order_id: UUID, beginning: str | None = None) -> None:
    """What the order waited for has come by itself: drop the reasons with this ``beginning``.

    None given drops what supply was waited for; other matters stand until they are settled themselves.
    """
    before = await _reasons(order_id)
    kept = [r for r in before if not _settled(r, beginning)]
    if kept != before:
        await keep_reasons(order_id, kept)


async def unpark_owed(order_id: UUID) -> None:
    """None of the order's money waits for its owner any more: drop the reasons that say so."""
    before = await _reasons(order_id)
    kept = [r for r in before if not (r.startswith((UNDERPAID, LATE)) or (r.startswith(OF_MONEY) and OWED_BACK in r))]
    if kept != before:
        await keep_reasons(order_id, kept)


def _settled(reason: str, beginning: str | None) -> bool:
    return not reason.startswith(LASTING) if beginning is None else reason.startswith(beginning)


async def _reasons(order_id: UUID) -> list[str]:
    cause: str | None = await db.fetch_value("SELECT cause FROM customer_order WHERE id = $1 FOR UPDATE", order_id)
    return cause.split(BETWEEN) if cause else []


async def keep_reasons(order_id: UUID, reasons: list[str]) -> None:
    """Let these be the reasons for which the order waits; with none it leaves the list.

    Each is whole: half a reason would be settled by nothing. One more than fit is left out.
    """
    kept: list[str] = []
    for reason in reasons:
        if len(BETWEEN.join([*kept, reason])) <= MOST:
            kept.append(reason)
    await Order.update({Order.cause: BETWEEN.join(kept) or None}).where(Order.id == order_id)
