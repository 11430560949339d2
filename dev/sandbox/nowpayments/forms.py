"""Reads the fields of a request as NOWPayments' schema does: unknown ones and wrong types are refused."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal

from dev.sandbox.loopback import is_loopback_url
from dev.sandbox.nowpayments.coins import COINS, Coin, usd_rate
from dev.sandbox.nowpayments.refusals import NowRefusal, bad_params
from dev.sandbox.wire import Fields

PRICE_LIMIT = Decimal(1_000_000)  # USD; more is AMOUNT_MAXIMAL_ERROR
TEXT_LIMIT = 500  # characters of any text field


def only_known(fields: Fields, known: Collection[str]) -> None:
    """Refuse fields this call does not take, as the genuine one does."""
    for name in fields:
        if name not in known:
            raise bad_params(f'"{name}" is not allowed')


def text(fields: Fields, name: str) -> str | None:
    """An optional text."""
    value = fields.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > TEXT_LIMIT:
        raise bad_params(f'"{name}" must be a string of at most {TEXT_LIMIT} characters')
    return value


def needed_text(fields: Fields, name: str) -> str:
    """A text that must be there."""
    value = text(fields, name)
    if not value:
        raise bad_params(f'"{name}" is required')
    return value


def number(fields: Fields, name: str) -> Decimal | None:
    """An optional number above zero; a number in quotes is none."""
    value = fields.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise bad_params(f'"{name}" must be a number')
    if value <= 0:
        raise bad_params(f'"{name}" must be a positive number')
    return Decimal(value)


def flag(fields: Fields, name: str) -> bool:
    """An optional boolean, false when absent."""
    value = fields.get(name, False)
    if value is None:
        return False
    if not isinstance(value, bool):
        raise bad_params(f'"{name}" must be a boolean')
    return value


def price(fields: Fields) -> tuple[Decimal, str, Decimal]:
    """`price_amount`, `price_currency` in lower case, and the price in USD."""
    amount = number(fields, "price_amount")
    if amount is None:
        raise bad_params('"price_amount" is required')
    currency = needed_text(fields, "price_currency").lower()
    rate = usd_rate(currency)
    if rate is None:
        raise NowRefusal(400, "BAD_REQUEST", f"Currency {currency} was not found")
    if amount > PRICE_LIMIT or amount * rate > PRICE_LIMIT:
        raise NowRefusal(400, "AMOUNT_MAXIMAL_ERROR", "Crypto amount is bigger than maximal")
    return amount, currency, amount * rate


def coin(fields: Fields, name: str = "pay_currency") -> Coin:
    """The coin to be paid in."""
    code = needed_text(fields, name).lower()
    if code not in COINS:
        raise NowRefusal(400, "CURRENCY_UNAVAILABLE", f"Currency {code} is currently unavailable")
    return COINS[code]


def callback(fields: Fields, default: str) -> str:
    """`ipn_callback_url`; the sandbox calls this machine only and refuses any other."""
    url = text(fields, "ipn_callback_url") or default
    if not is_loopback_url(url):
        raise bad_params("ipn_callback_url must be a loopback address: the sandbox calls this machine only")
    return url
