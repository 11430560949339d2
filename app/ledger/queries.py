"""Reading the ledger."""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from app.core import db
from app.core.money import Money
from app.issues import queries as issues
from app.issues.codes import IssueCode
from app.ledger.accounts import LIABILITIES, Account
from app.ledger.models import Entry
from app.orders import reasons

MARKED = 10_000  # orders whose books are wrong that are looked up at the most


@dataclass(frozen=True, slots=True)
class Difference:
    """An order whose books are wrong, by how much in its currency, and in what way."""

    order_id: UUID
    amount: Decimal
    why: str


async def balances(order_id: UUID) -> dict[Account, Decimal]:
    """What each of an order's accounts stands at; debits positive. The suppliers' are in EUR."""
    rows = await db.fetch(
        "SELECT account, sum(amount) AS amount FROM ledger_entry WHERE order_id = $1 GROUP BY account", order_id
    )
    return {Account(row["account"]): row["amount"] for row in rows}


async def received(order_id: UUID) -> Money:
    """All that ever came in for an order."""
    return await _standing(order_id, Account.RECEIVED, 1)


async def owed(order_id: UUID) -> Money:
    """What we owe the customer now: an excess, or what came after the price was taken."""
    return await _standing(order_id, Account.OWED, -1)


async def held(order_id: UUID) -> Money:
    """What came in and is not earned yet: part of a price, or late money that waits for the customer's choice."""
    return await _standing(order_id, Account.CUSTOMER, -1)


async def refunded(order_id: UUID) -> Money:
    return await _standing(order_id, Account.REFUNDED, -1)


async def credited(order_id: UUID) -> Money:
    return await _standing(order_id, Account.CREDIT, -1)


async def _standing(order_id: UUID, account: Account, sign: int) -> Money:
    row = await db.fetch_one(
        """SELECT p.currency, coalesce(sum(e.amount), 0) AS amount FROM customer_order p
           LEFT JOIN ledger_entry e ON e.order_id = p.id AND e.account = $2 WHERE p.id = $1 GROUP BY p.id""",
        order_id, account.value,
    )  # fmt: skip
    if row is None:
        raise LookupError(f"no order {order_id}")
    return Money(sign * row["amount"], row["currency"])


async def of_order(order_id: UUID) -> list[Entry]:
    """Every entry, oldest first."""
    return await db.fetch_as(
        Entry,
        """SELECT posting, kind, account, amount, currency, reference, at FROM ledger_entry
           WHERE order_id = $1 ORDER BY id""",
        order_id,
    )


async def differences(limit: int) -> list[Difference]:
    """Every order whose books are wrong: one look over all of them, in one snapshot.

    The one look upwards of this room: what payments say arrived is compared with what is booked.
    """
    rows = await db.fetch(
        """WITH books AS (
             SELECT order_id,
               coalesce(sum(amount) FILTER (WHERE account = 'received'), 0) AS received,
               coalesce(sum(amount) FILTER (WHERE account = 'customer'), 0) AS customer,
               coalesce(-sum(amount) FILTER (WHERE kind = 'charge' AND account = 'sales'), 0) AS charged
             FROM ledger_entry GROUP BY order_id),
           arrived AS (
             SELECT order_id, sum(value) AS value FROM payment GROUP BY order_id HAVING sum(value) <> 0),
           promised AS (
             SELECT order_id, sum(amount - from_price) AS amount FROM money_use WHERE status <> 'released'
             GROUP BY order_id),
           states AS (
             SELECT p.id, p.status, p.total, coalesce(b.received, 0) AS received, coalesce(b.customer, 0) AS customer,
               coalesce(b.charged, 0) AS charged, coalesce(a.value, 0) AS arrived
             FROM customer_order p LEFT JOIN books b ON b.order_id = p.id LEFT JOIN arrived a ON a.order_id = p.id
             WHERE b.order_id IS NOT NULL OR a.order_id IS NOT NULL OR p.status IN ('paid', 'fulfilled'))
           SELECT order_id, sum(amount) AS off, 'a posting does not sum to zero' AS why
             FROM ledger_entry GROUP BY posting, order_id, currency HAVING sum(amount) <> 0
           UNION ALL SELECT order_id, sum(amount), account || ' is overdrawn'
             FROM ledger_entry WHERE account = ANY($1) GROUP BY order_id, account HAVING sum(amount) > 0
           UNION ALL SELECT id, arrived - received, 'payments say that another amount arrived' FROM states
             WHERE arrived <> received
           UNION ALL SELECT u.order_id, u.amount - coalesce(b.received, 0), 'more of its money is used than came in'
             FROM promised u LEFT JOIN books b ON b.order_id = u.order_id WHERE u.amount > coalesce(b.received, 0)
           UNION ALL SELECT id, total - charged, 'another price was taken than the order''s' FROM states
             WHERE charged <> total AND (charged <> 0 OR status IN ('paid', 'fulfilled'))
           UNION ALL SELECT id, customer, 'money is left that is neither earned nor owed' FROM states
             WHERE customer < 0 AND status IN ('paid', 'fulfilled', 'refunded')
           ORDER BY 1 LIMIT $2""",
        [account.value for account in LIABILITIES], limit,
    )  # fmt: skip
    return [Difference(row["order_id"], Decimal(row["off"]), row["why"]) for row in rows]


async def marked() -> list[UUID]:
    """Orders that are before a person for their books, MARKED at the most."""
    return [reasons.order_of(subject) for subject in await issues.subjects(IssueCode.LEDGER_DIFFERS, MARKED)]
