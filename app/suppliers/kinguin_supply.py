"""What of a product can be bought as we buy it: how many keys, of which kind, at what price. Pure."""

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from app.core.money import CENT
from app.providers.kinguin import Product
from app.providers.kinguin_answers import Offer

MOST_STOCK = 1_000_000  # as good as endless, and our column ends


@dataclass(frozen=True, slots=True)
class Supply:
    """``cost`` in EUR for one, rounded up to the cent; None where none was named. ``text``: keys come as text."""

    cost: Decimal | None
    stock: int
    text: bool


def supply_of(product: Product) -> Supply:
    """What one purchase of ours can get.

    We ask for text keys where there are any, so images don't count then. Offers of sellers narrow both numbers: a
    seller who has no key of the kind sets no price, and what costs more than the price we go by is no stock.
    """
    text = product.text_quantity > 0
    stock = min(product.text_quantity, product.quantity) if text else product.quantity
    cost = product.price
    said = [offer for offer in product.offers if not offer.preorder and _units(offer, text) is not None]
    if said and cost is not None:
        fitting = [(price, units) for o in said if (price := o.price) and (units := _units(o, text))]
        cost = max(cost, min((price for price, _ in fitting), default=cost))
        stock = min(stock, sum(units for price, units in fitting if price <= cost))
    if cost is not None and cost < CENT:
        cost = None  # less than a cent is no price that anybody asks
    rounded = cost.quantize(CENT, ROUND_CEILING) if cost is not None and cost < MOST_STOCK else cost
    return Supply(rounded, min(stock, MOST_STOCK), text)


def _units(offer: Offer, text: bool) -> int | None:
    return offer.available_text if text else offer.available
