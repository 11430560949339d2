"""Which coins are offered, and the least that can be paid in each."""

from decimal import ROUND_UP, Decimal

import asyncpg

from app.core import clock, db
from app.core.money import Money, smallest
from app.core.settings import settings
from app.issues import service as issues
from app.issues.codes import IssueCode
from app.payments import models
from app.providers.http import ApiKeyRejected, ProviderDown, ProviderProtocolError, ProviderRefused
from app.providers.nowpayments import Coin, CoinUnavailable, NowPayments

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
MOST_AWAY = 3  # coins in a row whose minimum can't be had, until the provider itself is asked whether it is up
LONGEST = 16  # characters of a code; our column ends
LARGEST = Decimal(10**9)  # a minimum beyond it is a slip, and our columns end


class NoCoins(Exception):
    """The provider names no coin at all, which is not believed: those that are offered stay."""


def minimum_in(coin: models.Coin, currency: str, rate: Decimal | None) -> Money | None:
    """The least that can be paid in a coin, in ``currency``, rounded up.

    ``rate``: what one of the shop's currency is worth in it. None where the minimum or the rate is not known.
    """
    if coin.minimum is None or rate is None:
        return None
    return Money((coin.minimum * rate).quantize(smallest(currency), ROUND_UP), currency)


async def sync(*, nowpayments: NowPayments) -> int:
    """Read the merchant's coins and their minimums; a coin that is switched off is not offered any more.

    One coin whose minimum can't be had keeps the one it had, and stops no other; a person is told. Returns how many are
    switched on. Raises NoCoins, or ProviderError where the provider is away.
    """
    chosen = await nowpayments.chosen_coins()
    coins = [coin for coin in chosen.on if len(coin.code) <= LONGEST]
    if not coins:
        await issues.open_issue(
            "coins", IssueCode.COINS_MISSING, "NOWPayments lists no coins. The coins on offer stay as they are."
        )
        raise NoCoins("the provider lists no coin")
    await issues.resolve("coins", IssueCode.COINS_MISSING)
    # First of all: one that is switched off takes no more money, whatever becomes of the others.
    await _switch_off([*(coin.code for coin in coins), *chosen.unclear])
    faults = await _keep_each(coins, nowpayments)
    for code in chosen.unclear:
        faults[code[:LONGEST]] = "NOWPayments says nothing of it that can be read"
    if faults:
        told = "; ".join(f"{name}: {why}" for name, why in faults.items())
        await issues.open_issue("coins", IssueCode.COIN_MINIMUM, f"The minimum is not known for {told}")
    else:
        await issues.resolve("coins", IssueCode.COIN_MINIMUM)
    return len(coins)


async def _switch_off(on: list[str]) -> None:
    await db.fetch("UPDATE coin SET active = false WHERE active AND NOT code = ANY($1)", on)


async def _keep_each(coins: list[Coin], nowpayments: NowPayments) -> dict[str, str]:
    """Read each coin's minimum and keep it. Returns what went wrong, by the coin's name."""
    fiat = settings().shop_currency.lower()
    faults, away = dict[str, str](), 0
    for position, coin in enumerate(coins):
        try:
            least = (await nowpayments.min_amount(coin.code, payout_coin=coin.code, fiat=fiat)).fiat_equivalent
            await _keep(coin, position, least)
            away = 0
        except ApiKeyRejected:
            raise
        except CoinUnavailable as error:
            await db.fetch("UPDATE coin SET active = false WHERE code = $1", coin.code)
            faults[coin.name[:64]] = f"not offered, {error.detail}"
        except (ProviderRefused, ProviderProtocolError) as error:
            faults[coin.name[:64]] = error.detail
        except ProviderDown as error:
            faults[coin.name[:64]] = error.detail
            away += 1
            if away >= min(MOST_AWAY, len(coins)):
                await nowpayments.health()  # raises where it is not these coins alone
        except asyncpg.DataError as error:
            faults[coin.name[:64]] = f"it can't be stored ({type(error).__name__})"
    return faults


async def _keep(coin: Coin, position: int, least: Decimal | None) -> None:
    known = least is not None and least < LARGEST
    minimum = (least * SAFETY).quantize(Decimal("0.01")) if known and least is not None else None
    await db.fetch(
        """INSERT INTO coin (code, name, network, has_memo, position, active, minimum, updated_at)
           VALUES ($1, $2, $3, $4, $5, true, $6, $7) ON CONFLICT (code) DO UPDATE SET name = excluded.name,
             network = excluded.network, has_memo = excluded.has_memo, position = excluded.position, active = true,
             minimum = coalesce(excluded.minimum, coin.minimum), updated_at = excluded.updated_at""",
        coin.code, coin.name[:64], NETWORKS.get(coin.network, coin.network)[:32], coin.has_memo, position, minimum,
        clock.now(),
    )  # fmt: skip
