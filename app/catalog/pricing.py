"""What we ask for a product, and the most we may pay for it. Pure arithmetic, no tables."""

from decimal import ROUND_CEILING, ROUND_DOWN, Decimal

from app.core.money import CENT, Money

MARKUP = Decimal("1.18")  # our price over the supplier's: covers the payment provider's fee, refunds and profit
FIXED = Decimal("0.35")  # added per key, in the shop's currency, so that cheap keys carry their handling
LEAST_MARGIN = Decimal("0.03")  # share of what the customer paid that must be left after buying
MOST_CHANGE = Decimal(4)  # times as dear or as cheap as within the last day; beyond it a person looks first
DEAREST = Decimal(100_000)  # EUR; a price beyond it is a slip, and our columns end


def price_for(cost: Decimal, rate: Decimal, currency: str) -> Money:
    """Our price for a key that costs ``cost`` EUR; ``rate`` is one EUR in the shop's currency. Ends in a nine."""
    raw = cost * rate * MARKUP + FIXED
    return Money(raw.quantize(Decimal("0.1"), ROUND_CEILING) - CENT, currency)


def most_we_pay(paid_per_unit: Decimal, rate: Decimal) -> Decimal:
    """The highest unit price in EUR at which buying still leaves the margin; rounded down to the cent."""
    return (paid_per_unit * (1 - LEAST_MARGIN) / rate).quantize(CENT, ROUND_DOWN)


def doubt(offered: Decimal | None, usual: Decimal | None) -> str | None:
    """Why a supplier's price in EUR is not believed, as a person is told; None if it is.

    ``usual`` is what it cost within the last day, None for what was never sold.
    """
    if offered is None or offered <= 0:
        return "Our supplier gives no price for it"
    if offered > DEAREST:
        return f"Our supplier asks €{offered.normalize():f} for it"
    if usual and not usual / MOST_CHANGE <= offered <= usual * MOST_CHANGE:
        return f"Our supplier asks €{offered:.2f} for it, before €{usual:.2f}"
    return None
