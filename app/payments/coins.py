"""Which coins are offered, and the least that can be paid in each."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from app.core import clock, db
from app.core.money import Money
from app.core.settings import settings
from app.providers.http import ProviderRefused
from app.providers.nowpayments import NowPayments

NETWORKS = {  # the provider's code → the name people know
    "btc": "Bitcoin",
    "eth": "Ethereum",
    "trx": "Tron",
    "sol": "Solana",
    "bsc": "BNB Smart Chain",
    "ltc": "Litecoin",
    "doge": "Dogecoin",
    "xmr": "Monero",
    "xrp": "XRP Ledger",
    "xlm": "Stellar",
    "matic": "Polygon",
    "ton": "TON",
}
SAFETY = Decimal("1.05")  # minimums move with network fees between our look and the customer's payment


def minimum(coin: Mapping[str, Any], currency: str) -> Money | None:
    """The least that can be paid in a coin, as far as we know it in ``currency``: the provider checks in any case."""
    known = coin["minimum"] is not None and currency == settings().shop_currency
    return Money(coin["minimum"], currency) if known else None


async def sync(*, nowpayments: NowPayments) -> int:
    """Read the merchant's coins and their minimums; a coin that is switched off is not offered any more."""
    fiat = settings().shop_currency.lower()
    coins = await nowpayments.coins()
    for position, coin in enumerate(coins):
        try:
            least = (await nowpayments.min_amount(coin.code, payout_coin=coin.code, fiat=fiat)).fiat_equivalent
        except ProviderRefused:
            continue
        minimum = (least * SAFETY).quantize(Decimal("0.01")) if least is not None else None
        await db.fetch(
            """INSERT INTO coin (code, name, network, has_memo, position, active, minimum, updated_at)
               VALUES ($1, $2, $3, $4, $5, true, $6, $7) ON CONFLICT (code) DO UPDATE SET name = excluded.name,
                 network = excluded.network, has_memo = excluded.has_memo, position = excluded.position, active = true,
                 minimum = excluded.minimum, updated_at = excluded.updated_at""",
            coin.code, coin.name, NETWORKS.get(coin.network, coin.network), coin.has_memo, position,
            minimum, clock.now(),
        )  # fmt: skip
    await db.fetch("UPDATE coin SET active = false WHERE NOT code = ANY($1)", [c.code for c in coins])
    return len(coins)
