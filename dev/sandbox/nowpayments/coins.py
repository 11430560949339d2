"""The coins the sandbox takes, with fixed rates, and addresses that look right and pay nobody."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, ROUND_UP, Decimal

from dev.sandbox.world import letters

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_HEX = "0123456789abcdef"

FIAT_IN_USD = {
    "usd": Decimal(1), "eur": Decimal("1.10"), "gbp": Decimal("1.30"), "inr": Decimal("0.012"),
    "jpy": Decimal("0.0067"), "kwd": Decimal("3.25"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Coin:
    """One coin on one network. `usd` is its rate, `minimum` the least deposit in USD, `memo` if it needs one.

    `address` is (prefix, alphabet, random characters): every prefix says "fake" as far as its alphabet lets it.
    """

    code: str
    name: str
    network: str
    usd: Decimal
    minimum: Decimal
    precision: int
    address: tuple[str, str, int]
    memo: bool = False
    stable: bool = False
    contract: str | None = None

    def quantize(self, amount: Decimal, rounding: str = ROUND_HALF_UP) -> Decimal:
        """An amount of this coin with no more decimals than the coin has."""
        return amount.quantize(Decimal(1).scaleb(-self.precision), rounding)

    def of_usd(self, usd: Decimal) -> Decimal:
        """So many USD in this coin, rounded up, so that the price is always covered."""
        return self.quantize(usd / self.usd, ROUND_UP)

    def least(self) -> Decimal:
        """The least deposit, in this coin."""
        return self.of_usd(self.minimum)

    def new_address(self) -> str:
        """A deposit address; its checksum is wrong, so a real wallet refuses it."""
        prefix, alphabet, count = self.address
        return prefix + letters(count, alphabet)

    def new_memo(self) -> str | None:
        """A memo or destination tag, for the coins that need one."""
        return str(int("1" + letters(8, "0123456789"))) if self.memo else None


def _coin(
    code: str, name: str, network: str, usd: str, minimum: str, precision: int, address: tuple[str, str, int]
) -> Coin:
    return Coin(code, name, network, Decimal(usd), Decimal(minimum), precision, address)


def _token(code: str, name: str, network: str, minimum: str, address: tuple[str, str, int], contract: str) -> Coin:
    return Coin(code, name, network, Decimal(1), Decimal(minimum), 6, address, stable=True, contract=contract)


def _with_memo(code: str, name: str, usd: str, minimum: str, precision: int, address: tuple[str, str, int]) -> Coin:
    return Coin(code, name, code, Decimal(usd), Decimal(minimum), precision, address, memo=True)


_ETHER = ("0xfa4e", _HEX, 36)
_TRON = ("TFake", _BASE58, 29)
_SOLANA = ("Fake", _BASE58, 40)

COINS = {
    coin.code: coin
    for coin in (
        _coin("btc", "Bitcoin", "btc", "96000", "5", 8, ("bc1qfake", _BECH32, 34)),
        _coin("eth", "Ethereum", "eth", "3200", "6", 8, _ETHER),
        _coin("ltc", "Litecoin", "ltc", "95", "0.5", 8, ("ltc1qfake", _BECH32, 34)),
        _coin("xmr", "Monero", "xmr", "180", "3", 8, ("4Fake", _BASE58, 90)),
        _token("usdttrc20", "Tether USD (Tron)", "trx", "2", _TRON, "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"),
        _token("usdterc20", "Tether USD (Ethereum)", "eth", "8", _ETHER, "0xdac17f958d2ee523a2206206994597c13d831ec7"),
        _token("usdcsol", "USD Coin (Solana)", "sol", "1", _SOLANA, "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"),
        _coin("sol", "Solana", "sol", "200", "0.5", 8, _SOLANA),
        _coin("doge", "Dogecoin", "doge", "0.32", "1", 8, ("DFake", _BASE58, 29)),
        _with_memo("xrp", "Ripple", "2.20", "1", 6, ("rFake", _BASE58, 29)),
        _with_memo("xlm", "Stellar", "0.42", "0.5", 7, ("GFAKE", _BASE32, 51)),
        _coin("trx", "Tron", "trx", "0.24", "2", 6, _TRON),
        _coin("bnbbsc", "BNB Smart Chain", "bsc", "650", "1", 8, _ETHER),
    )
}

SETTLEMENT = COINS["usdttrc20"]  # what the merchant is paid out in


def usd_rate(currency: str) -> Decimal | None:
    """What one unit of a fiat or coin is worth in USD; None for a currency nobody here knows."""
    code = currency.lower()
    if code in FIAT_IN_USD:
        return FIAT_IN_USD[code]
    return COINS[code].usd if code in COINS else None


def other_coin(coin: Coin) -> Coin:
    """A coin a customer would send by mistake: another one of the same network where there is one."""
    others = [other for other in COINS.values() if other is not coin]
    return next((other for other in others if other.network == coin.network), others[0])
