"""Booking what happens to an order's money, inside the transaction in which it happens.

Every verb needs the order's lock (``orders.changing``), reads what is booked, and writes one posting or nothing: called
twice, late or at once with another, it books once.
"""

from decimal import Decimal
from uuid import UUID

from app.core import clock, db, log
from app.core.ids import new_id
from app.core.money import CurrencyMismatch, Money
from app.history import service as history
from app.issues.codes import IssueCode
from app.ledger import accounts, queries, uses
from app.ledger.accounts import Account, Posting
from app.ledger.queries import Difference
from app.ledger.states import UseKind
from app.ledger.tolerance import tolerance
from app.orders import service as orders

SUPPLIER_CURRENCY = "EUR"  # kinguin.md, 1
MOST = 1000  # differences one proof tells of; with so many, nobody is told that an order is right again


async def receive(order_id: UUID, payment_id: UUID, value: Money) -> None:
    """``value`` is all that this payment has brought so far; what is not booked yet of it is booked now.

    Of an order that was charged or given back, it is nobody's price.
    """
    _check(order_id, value)
    reference = f"payment:{payment_id}"
    new = value.amount - await _booked(order_id, "receive", reference, Account.RECEIVED)
    charged = await _has(order_id, "charge", _price(order_id)) or (await orders.reread(order_id)).status == "refunded"
    await _post(order_id, "receive", reference, value.currency, accounts.arrival(new, charged=charged))


async def charge(order_id: UUID, total: Money) -> None:
    """The price is earned: from customer to sales. A shortfall within tolerance is written off, an excess is owed."""
    _check(order_id, total)
    if await _has(order_id, "charge", _price(order_id)):
        return
    allowed = (await tolerance(total.currency)).written_off(total)
    posting = accounts.charge(await queries.balances(order_id), total.amount, allowed)
    taken = Money(-posting[Account.SALES] - posting[Account.TOLERANCE], total.currency)
    if taken.amount:
        await uses.record(order_id, UseKind.PRICE, taken, _price(order_id))
    await _post(order_id, "charge", _price(order_id), total.currency, posting)


async def supply(order_id: UUID, reservation_id: UUID, cost: Decimal) -> None:
    """``cost``: what the supplier has charged in all for this reservation, in EUR."""
    await _supplied(order_id, reservation_id, "supply", cost)


async def supply_back(order_id: UUID, reservation_id: UUID, amount: Decimal) -> None:
    """``amount``: what the supplier has given back in all for this reservation, in EUR."""
    await _supplied(order_id, reservation_id, "supply_back", -amount)


async def _supplied(order_id: UUID, reservation_id: UUID, kind: str, total: Decimal) -> None:
    orders.held(order_id)
    reference = f"reservation:{reservation_id}"
    new = total - await _booked(order_id, kind, reference, Account.SUPPLIER_COST)
    posting = {Account.SUPPLIER_COST: new, Account.SUPPLIER_BALANCE: -new}
    await _post(order_id, kind, reference, SUPPLIER_CURRENCY, posting)


async def fee(order_id: UUID, reference: str, total: Money) -> None:
    """``total``: what the payment provider has kept in all for ``reference`` (``payment:<id>``, ``refund:<id>``)."""
    _check(order_id, total)
    new = total.amount - await _booked(order_id, "fee", reference, Account.FEES)
    await _post(order_id, "fee", reference, total.currency, {Account.FEES: new, Account.PROVIDER_BALANCE: -new})


async def refunded(order_id: UUID, refund_id: UUID, amount: Money) -> None:
    """Money went back to the customer."""
    await _left(order_id, UseKind.REFUND, f"refund:{refund_id}", amount, Account.REFUNDED)


async def credited(order_id: UUID, amount: Money, *, reference: str = "credit:choice") -> None:
    """Money was turned into the customer's credit, once a ``reference``."""
    await _left(order_id, UseKind.CREDIT, reference, amount, Account.CREDIT)


async def _left(order_id: UUID, kind: UseKind, reference: str, amount: Money, to: Account) -> None:
    _check(order_id, amount)
    if await _has(order_id, kind, reference):
        return
    await uses.record(order_id, kind, amount, reference)
    posting = accounts.leave(await queries.balances(order_id), amount.amount, to)
    await _post(order_id, kind, reference, amount.currency, posting)


def _check(order_id: UUID, money: Money) -> None:
    """Raises OrderNotHeld without the order's lock, and CurrencyMismatch for money that is not of its currency."""
    if orders.held(order_id).currency != money.currency:
        raise CurrencyMismatch(f"{money.currency} for order {order_id}")


async def _has(order_id: UUID, kind: str, reference: str) -> bool:
    return bool(
        await db.fetch_value(
            "SELECT EXISTS (SELECT FROM ledger_entry WHERE order_id = $1 AND kind = $2 AND reference = $3)",
            order_id, kind, reference,
        )
    )  # fmt: skip


async def _booked(order_id: UUID, kind: str, reference: str, account: Account) -> Decimal:
    return Decimal(
        await db.fetch_value(
            """SELECT coalesce(sum(amount), 0) FROM ledger_entry
               WHERE order_id = $1 AND kind = $2 AND reference = $3 AND account = $4""",
            order_id, kind, reference, account.value,
        )
    )  # fmt: skip


def _price(order_id: UUID) -> str:
    return f"order:{order_id}"


async def _post(order_id: UUID, kind: str, reference: str, currency: str, posting: Posting) -> None:
    """Write the sides of one posting that are not zero. They sum to zero, or nothing is written at all."""
    sides = {account: amount for account, amount in posting.items() if amount}
    if sum(sides.values(), accounts.ZERO):
        raise ArithmeticError(f"{kind} of {reference} does not sum to zero")
    if not sides:
        return
    await db.fetch(
        """INSERT INTO ledger_entry (posting, order_id, kind, reference, currency, at, account, amount)
           SELECT $1, $2, $3, $4, $5, $6, account, amount FROM unnest($7::text[], $8::numeric[]) AS s (account, amount)
        """,
        new_id(), order_id, kind, reference, currency, clock.now(), [a.value for a in sides], list(sides.values()),
    )  # fmt: skip


async def prove() -> list[Difference]:
    """Check the books of every order; what is wrong is logged and put before a person. Returns what was found.

    An order whose books are right again is taken off the admin's list.
    """
    found = await queries.differences(MOST)
    wrong = {one.order_id: one for one in reversed(found)}
    for one in found:
        log.get("bitloot.ledger").error("ledger.differs", order_id=str(one.order_id), off=str(one.amount), why=one.why)
    marked = set(await queries.marked()) if len(found) < MOST else set()
    for order_id in marked | wrong.keys():
        await _mark(order_id, wrong.get(order_id))
    return found


async def _mark(order_id: UUID, wrong: Difference | None) -> None:
    """Put an order before a person for its books, beside whatever else it waits for; or end that reason."""
    async with orders.changing(order_id) as order:
        if order is None:
            return
        if wrong is None:
            await orders.resolve_reasons(order_id, {IssueCode.LEDGER_DIFFERS})
        else:
            said = f"ledger: off by {wrong.amount:.2f}, {wrong.why}"
            if not await orders.open_reason(order_id, IssueCode.LEDGER_DIFFERS, said):
                return
        if wrong:
            await history.record(order_id, "ledger.differs", off=f"{wrong.amount:.2f}", why=wrong.why)
        else:
            await history.record(order_id, "ledger.balanced")
