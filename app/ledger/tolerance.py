"""The underpaid tolerance: how much may be missing of a price that counts as paid. Decided here and nowhere else."""

from dataclasses import dataclass
from decimal import Decimal

from app.catalog import rates
from app.core.money import Money, smallest
from app.core.settings import settings

LOST_AMOUNT = Decimal(2)  # in the shop's currency: what fees may take of a payment, however small it is


@dataclass(frozen=True, slots=True)
class Tolerance:
    """A shortfall counts as paid if it is within both: ``percent`` of the price, and ``amount`` in its currency.

    ``lost``: LOST_AMOUNT, in that currency too.
    """

    percent: Decimal
    amount: Decimal
    lost: Decimal = LOST_AMOUNT

    def most(self, price: Decimal) -> Decimal:
        """The most that may be missing of a price."""
        return min(self.amount, price * self.percent / 100)

    def takes(self, short: Decimal, price: Decimal) -> bool:
        """Whether a price of which ``short`` is missing counts as paid."""
        return short <= self.most(price)

    def written_off(self, price: Money) -> Decimal:
        """The most that the ledger writes off of a price: one smallest unit more, as coins were rounded into money."""
        return self.most(price.amount) + smallest(price.currency)


async def tolerance(currency: str) -> Tolerance:
    """The shop's tolerance for prices in ``currency``. Raises NoRate where its worth there is not known."""
    amount = await rates.converted(settings().underpaid_tolerance_amount, currency)
    lost = await rates.converted(LOST_AMOUNT, currency)
    return Tolerance(settings().underpaid_tolerance_percent, amount, lost)
