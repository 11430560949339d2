"""The accounts, and how each business act splits over them. Pure arithmetic: balances in, a posting out.

Debits are positive. Assets and expenses (``received``, ``tolerance``, ``fees``, ``supplier_cost``) stand above zero,
what we owe or have earned below it.
"""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum

ZERO = Decimal(0)


class Account(StrEnum):
    """``customer``: came in and is not earned yet. ``owed``: came in and is to go back, or to be credited."""

    RECEIVED = "received"
    CUSTOMER = "customer"
    SALES = "sales"
    OWED = "owed"
    REFUNDED = "refunded"
    TOLERANCE = "tolerance"
    CREDIT = "credit"
    SUPPLIER_COST = "supplier_cost"
    SUPPLIER_BALANCE = "supplier_balance"
    FEES = "fees"
    PROVIDER_BALANCE = "provider_balance"


A = Account
Balances = Mapping[Account, Decimal]
Posting = dict[Account, Decimal]
LIABILITIES = (A.CUSTOMER, A.SALES, A.OWED, A.CREDIT)  # what an order may hold, but never the other way round


def arrival(amount: Decimal, *, charged: bool) -> Posting:
    """Money came in. What comes after the price was taken is nobody's price: it is owed at once."""
    return {A.RECEIVED: amount, (A.OWED if charged else A.CUSTOMER): -amount}


def charge(has: Balances, price: Decimal, allowed: Decimal) -> Posting:
    """The price is earned, out of what came in. At most ``allowed`` of a shortfall is written off.

    A larger shortfall stays on ``customer``, where the proof finds it; what is more than the price is owed.
    """
    held, owed = -has.get(A.CUSTOMER, ZERO), -has.get(A.OWED, ZERO)
    from_owed = min(max(price - held, ZERO), max(owed, ZERO))
    short = max(price - held - from_owed, ZERO)
    waived = short if short <= allowed else ZERO
    excess = max(held - price, ZERO)
    return {
        A.CUSTOMER: price - from_owed - waived + excess,
        A.SALES: -price,
        A.OWED: from_owed - excess,
        A.TOLERANCE: waived,
    }


def leave(has: Balances, amount: Decimal, to: Account) -> Posting:
    """Money leaves the order towards ``to``: first what is owed, then what is not earned, then what was earned.

    What exceeds all three overdraws ``owed``: it has left all the same, and the proof finds it.
    """
    posting, left = {to: -amount}, amount
    for account in (A.OWED, A.CUSTOMER, A.SALES):
        taken = min(max(-has.get(account, ZERO), ZERO), left)
        posting[account] = taken
        left -= taken
    posting[A.OWED] += left
    return posting
