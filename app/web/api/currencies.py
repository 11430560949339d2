"""What orders may be in, and which coins pay them: the same in test and live mode."""

from decimal import Decimal
from typing import Any

from litestar import Request, get

from app.catalog import rates
from app.contract.offers import CoinOffered, CurrencyOffered
from app.contract.page import Coins, Currencies
from app.core.i18n import _
from app.core.money import Money, decimals, smallest
from app.core.settings import settings
from app.orders.merchant_orders import CURRENCIES, largest
from app.payments import coins
from app.payments import queries as payments
from app.payments.models import Coin
from app.web.api import query_parameters
from app.web.api.declared import needs
from app.web.api.query_parameters import BadParameter

Req = Request[Any, Any, Any]


def currency(code: str) -> CurrencyOffered:
    least = Money(smallest(code), code).digits
    return CurrencyOffered(
        code=code, object="currency", decimals=decimals(code), smallest=least, largest=largest(code).digits
    )


def coin(row: Coin, code: str, rate: Decimal | None) -> CoinOffered:
    """``rate``: what one of the shop's currency is worth in ``code``, where that is known."""
    least = coins.minimum_in(row, code, rate)
    return CoinOffered(
        code=row.code,
        object="coin",
        name=row.name,
        network=row.network,
        memo=row.has_memo,
        minimum=least.digits if least else None,
        currency=code,
    )


@get(
    "/currencies", operation_id="list_currencies", summary="List currencies", tags=["orders"],
    opt=needs("orders:read"),
)  # fmt: skip
async def index(request: Req) -> Currencies:
    """Those that orders may be in, with the digits their amounts have after the point, and their limits."""
    return Currencies(data=[currency(code) for code in CURRENCIES])


@get(
    "/coins", operation_id="list_coins", summary="List coins", tags=["payments"],
    opt=needs("payments:read", query=("currency",), words={"currency": CURRENCIES}),
)  # fmt: skip
async def offered(request: Req) -> Coins:
    """Those that can be paid in now, and the least of each in `?currency=`; null where the provider decides it.

    Another currency than the shop's is worked out by the exchange rate of the day, rounded up; without a rate: null.
    """
    code = query_parameters.parameters(request).get("currency", settings().shop_currency)
    if code not in CURRENCIES:
        raise BadParameter(_("Use one of %(names)s.", names=", ".join(CURRENCIES)), field="currency")
    rate = await rates.between(settings().shop_currency, code)
    return Coins(data=[coin(row, code, rate) for row in await payments.coins()])
