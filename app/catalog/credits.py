"""Credit: money kept for a customer's next order. Its code is typed where a discount's is, and serves one e-mail only.

``amount`` is what is left of it. What an order took comes back when that order ends without having been paid.
"""

import secrets
from decimal import Decimal
from uuid import UUID

from app.catalog.models import Credit
from app.core import clock, db
from app.core.money import Money

PREFIX = "CR-"
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # none that is read for another
LENGTH = 12  # letters: 60 bits, not to be guessed


def is_credit(code: str | None) -> bool:
    return (code or "").strip().upper().startswith(PREFIX)


async def give(order_id: UUID, email: str, amount: Money) -> str:
    """Keep ``amount`` for the customer of an order, beside what its code holds already. Returns the code.

    The amount must have been taken out of the order's money in the same transaction (``app.ledger.uses``).
    """
    code = PREFIX + "".join(secrets.choice(LETTERS) for _ in range(LENGTH))
    await db.fetch(
        """INSERT INTO credit (code, email, amount, currency, from_order, created_at) VALUES ($1, $2, $3, $4, $5, $6)
           ON CONFLICT (from_order) DO UPDATE SET amount = credit.amount + EXCLUDED.amount""",
        code, email.lower(), amount.amount, amount.currency, order_id, clock.now(),
    )  # fmt: skip
    return str(await db.fetch_value("SELECT code FROM credit WHERE from_order = $1", order_id))


async def readdress(order_id: UUID, email: str) -> None:
    """The credit that came of an order is another email's from now on."""
    await db.fetch("UPDATE credit SET email = lower($2) WHERE from_order = $1", order_id, email)


async def left(code: str, email: str, currency: str) -> Money | None:
    """What a code is still worth to this customer; None where it is not theirs, or nothing is left of it."""
    amount: Decimal | None = await db.fetch_value(
        "SELECT amount FROM credit WHERE code = upper($1) AND email = lower($2) AND currency = $3 AND amount > 0",
        code.strip(), email.strip(), currency,
    )  # fmt: skip
    return Money(amount, currency) if amount is not None else None


async def spend(code: str, email: str | None, amount: Decimal, order_id: UUID) -> bool:
    """Take ``amount`` for an order, in its transaction; False when less is left of it by now.

    ``email``: whose it must be; None for an order that has taken it before.
    """
    taken = await db.fetch(
        """UPDATE credit SET amount = amount - $3, spent_on = $4, spent_at = $5
           WHERE code = $1 AND ($2::text IS NULL OR email = lower($2)) AND amount >= $3 RETURNING code""",
        code, email, amount, order_id, clock.now(),
    )  # fmt: skip
    return bool(taken)


async def put_back(code: str, amount: Decimal) -> None:
    """Give back what an order took that ended unpaid."""
    await db.fetch("UPDATE credit SET amount = amount + $2 WHERE code = $1", code, amount)


async def covers(code: str, amount: Decimal) -> bool:
    """Whether ``amount`` is still there to be taken; it stays there to the end of the transaction."""
    return bool(await db.fetch_value("SELECT amount >= $2 FROM credit WHERE code = $1 FOR UPDATE", code, amount))


async def of_order(order_id: UUID) -> tuple[str, Money] | None:
    """The credit that came out of an order: its code, and what is left of it."""
    sql = "SELECT code, amount, currency FROM credit WHERE from_order = $1"
    found = await db.fetch_one_as(Credit, sql, order_id)
    return (found.code, Money(found.amount, found.currency)) if found else None
