"""Which order uses which code. A discount's count and a credit's money come back when the order comes to nothing."""

from decimal import Decimal
from uuid import UUID

from app.catalog import credits
from app.catalog import service as discounts
from app.catalog.models import UsedCode
from app.core import clock, db


async def take(code: str, email: str, amount: Decimal, order_id: UUID) -> bool:
    """Use a code for an order, in its transaction; False when the last use or the money went elsewhere just now."""
    if credits.is_credit(code):
        taken = await credits.spend(code, email, amount, order_id)
    else:
        taken = await discounts.spend_discount(code)
    if taken:
        await db.fetch(
            "INSERT INTO code_use (order_id, code, amount, taken_at) VALUES ($1, $2, $3, $4)",
            order_id, code, amount, clock.now(),
        )  # fmt: skip
    return taken


async def release(order_id: UUID, *, keep: Decimal = Decimal(0)) -> Decimal:
    """Give back what an order took that came to nothing or was refunded. Once, however often asked.

    ``keep``: what the code took off units that their customer has, in the order's currency. So much of a credit stays
    used, and a discount that served stays counted. Returns how much credit came back.
    """
    if keep > 0:
        return await release_part(order_id, max((await used(order_id)) - keep, Decimal(0)))
    had = await db.fetch_one_as(
        UsedCode,
        "UPDATE code_use SET released_at = $2 WHERE order_id = $1 AND released_at IS NULL RETURNING code, amount",
        order_id, clock.now(),
    )  # fmt: skip
    if had is None:
        return Decimal(0)
    if credits.is_credit(had.code):
        await credits.put_back(had.code, had.amount)
        return had.amount
    await db.fetch("UPDATE discount SET used = used - 1 WHERE code = $1 AND used > 0", had.code)
    return Decimal(0)


async def used(order_id: UUID) -> Decimal:
    """What an order's code takes off its price now, less what came back of it."""
    amount = await db.fetch_value("SELECT amount FROM code_use WHERE order_id = $1 AND released_at IS NULL", order_id)
    return Decimal(amount or 0)


async def release_part(order_id: UUID, amount: Decimal) -> Decimal:
    """Give back so much of the credit that an order took, for units that don't come; the rest stays used.

    At most what the order still uses of it. Nothing of a discount comes back, and nothing twice. Returns how much did.
    """
    back = await db.fetch_one_as(
        UsedCode,
        """UPDATE code_use u SET amount = u.amount - least(u.amount, $2) FROM code_use before
           WHERE u.order_id = $1 AND u.released_at IS NULL AND before.order_id = u.order_id AND starts_with(u.code, $3)
           RETURNING u.code, before.amount - u.amount AS amount""",
        order_id, amount, credits.PREFIX,
    )  # fmt: skip
    if back is None:
        return Decimal(0)
    await credits.put_back(back.code, back.amount)
    return back.amount


async def take_again(order_id: UUID, amount: Decimal) -> bool:
    """The order is paid after all, late, so its code is used after all. False where its credit was spent meanwhile.

    ``amount``: what the code takes off the price now, which may be less than before. Whoever was asked the lower price
    pays no other: a discount may be counted beyond its limit, and a credit be another email's by now.
    """
    code = await db.fetch_value(
        """UPDATE code_use SET released_at = NULL, amount = $2 WHERE order_id = $1 AND released_at IS NOT NULL
           RETURNING code""",
        order_id, amount,
    )  # fmt: skip
    if code is None:
        return True
    if credits.is_credit(code):
        return not amount or await credits.spend(code, None, amount, order_id)
    await db.fetch("UPDATE discount SET used = used + 1 WHERE code = $1", code)
    return True
