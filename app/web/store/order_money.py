"""What an order's page says of its money: where to send it, what is missing, what may be chosen, what is owed back."""

from decimal import Decimal
from typing import Any

from app.catalog import credits
from app.core.money import Money
from app.ledger import queries as books
from app.payments import queries as payments
from app.payments import service as paying
from app.payments.choices import Options
from app.web.store import order_words as words
from app.web.store.pay_to import pay_to, seconds_left

Row = dict[str, Any]
IN_FLIGHT = {"confirming", "confirmed", "sending"}


def shown(attempts: list[Row]) -> Row | None:
    """The attempt that counts: the newest at the provider. A further deposit has its parent's address."""
    return next((p for p in attempts if p["provider_payment_id"] and p["parent_payment_id"] is None), None)


async def of(order: Row, attempts: list[Row], coins: list[Row]) -> Row:
    """``{payment, to_pay, choices, settled, owed, words}``; ``words`` is None where the order's state says it all."""
    newest, choices = shown(attempts), await paying.options(order)
    asked = _open_now(order, newest) if newest else None
    rest = None
    if choices and choices.missing and not asked:
        asked = rest = await _still_taking(order, choices, coins)
    payment = asked or newest
    owed = await books.owed(order["id"]) if order["paid_at"] else None
    settled = await _settled(order)
    return {
        "payment": _payment(payment, coins, choices if rest else None) if payment else None,
        "to_pay": asked is not None,
        "choices": _choices(choices) if choices else None,
        "settled": settled,
        "owed": owed if owed and owed.amount > 0 else None,
        "words": _words(order, attempts, choices, settled, topping_up=bool(asked) and not rest),
    }


def _open_now(order: Row, payment: Row) -> Row | None:
    """The attempt, if its address waits for exactly its amount."""
    if order["status"] == "waiting":
        return payment
    topping_up = payment["tops_up"] is not None and payment["status"] == "waiting" and seconds_left(payment) > 0
    return payment if order["status"] in {"underpaid", "expired"} and topping_up else None


async def _still_taking(order: Row, choices: Options, coins: list[Row]) -> Row | None:
    """The partial payment, while its rate is held and the rest is not too little for its coin."""
    base = await payments.largest(order["id"])
    if base is None or choices.missing is None or choices.repriced or seconds_left(base) <= 0:
        return None
    least = next((c["minimum"] for c in coins if c["code"] == base["pay_currency"]), None)
    return base if choices.missing.amount >= (least or Decimal(0)) and order["status"] == "underpaid" else None


def _payment(payment: Row, coins: list[Row], rest: Options | None) -> Row:
    return pay_to(payment, coins, rest.missing_coin if rest else "") | {
        "price": Money(payment["price_amount"], payment["price_currency"]),
        "rest": rest is not None,
        "tops_up": payment["tops_up"] is not None,
        "invoice_url": payment["invoice_url"],
        "expires_at": payment["expires_at"],
        "status_words": words.PAYMENT_WORDS.get(payment["status"], payment["status"]),
    }


def _choices(found: Options) -> Row:
    return {
        "held": found.held,
        "missing": found.missing,
        "missing_coin": f"{found.missing_coin} {found.coin.upper()}",
        "coin": found.coin,
        "can_add": found.missing is not None and found.missing.amount > 0,
        "can_get": found.missing is not None and found.missing.amount == 0,
    }


async def _settled(order: Row) -> Row | None:
    """What the customer has chosen to have instead of the goods."""
    if order["choice"] not in {"refund", "credit"}:
        return None
    credit = await credits.of_order(order["id"])
    return {
        "choice": order["choice"],
        "code": credit[0] if credit else None,
        "left": credit[1] if credit else None,
    }


def _words(
    order: Row, attempts: list[Row], choices: Options | None, settled: Row | None, *, topping_up: bool
) -> tuple[str, str, str, str] | None:
    if settled and order["status"] in {"underpaid", "expired", "cancelled", "failed"}:
        return words.CHOSEN[settled["choice"]]
    if order["status"] == "expired" and any(p["status"] in IN_FLIGHT for p in attempts):
        return words.SEEN_LATE
    if choices is None:
        return None
    if topping_up:
        return words.filled(words.TOP_UP, choices)
    if order["status"] == "underpaid":
        return words.filled(words.SHORT, choices)
    if order["status"] == "expired" and choices.missing is None:
        return words.filled(words.LATE_GONE, choices)
    if order["status"] == "expired":
        return words.filled(words.LATE, choices)
    return words.filled(words.HELD, choices)


def as_json(found: Options) -> Row:
    """``{held, missing, missingCoin, payCurrency, ways}``: what ``POST /orders/{orderId}/choices`` takes."""
    ways = ["refund", "credit"] + (["top_up"] if found.missing is not None else [])
    return {
        "held": found.held,
        "missing": found.missing,
        "missingCoin": found.missing_coin or None,
        "payCurrency": found.coin or None,
        "ways": ways,
    }
