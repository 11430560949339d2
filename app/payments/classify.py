"""What a payment report means. One pure, total function: order × payment × report → exactly one named outcome.

Reports come from notices and from the provider's own answers alike (nowpayments.md, 3, 5 and 6). An attempt's coins are
worth what they were asked for: ``price_amount × paid / pay_amount``, in the currency of the price.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from enum import StrEnum

from app.core.ids import parse_id
from app.core.money import smallest
from app.ledger.tolerance import Tolerance
from app.orders.states import OrderStatus
from app.payments.states import MOVES, PaymentStatus
from app.providers.nowpayments import PaymentReport

COIN_UNIT, WIDE = Decimal(1).scaleb(-18), Context(prec=40)  # the finest coin's; our columns end there
LOST_SHARE = Decimal("0.25")  # of a payment, to fees: more than this and than the tolerance's ``lost`` is no fee
STABLE = {
    "USD": ("usdt", "usdc", "usdd", "usdp", "usde", "busd", "tusd", "fdusd", "pyusd", "dai", "gusd"),
    "EUR": ("eurt", "eurc", "eurs", "euri"),
}  # how the codes of coins begin that are worth one of the currency
MOST_COINS, MOST_MONEY = Decimal(10) ** 21, Decimal(10) ** 9  # more is a slip of somebody's, and our columns end


class Outcome(StrEnum):
    """What becomes of a payment by a report. The sets below say what each does to its order."""

    STALE = "stale"
    REPEATED = "repeated"
    SEEN = "seen"
    DEPOSIT_SEEN = "deposit_seen"
    PAID = "paid"
    PAID_NEARLY = "paid_within_tolerance"
    PAID_LATE = "paid_late"
    OVERPAID = "overpaid"
    UNDERPAID = "underpaid"
    LATE = "late"
    WRONG_COIN = "wrong_coin"
    UNVALUED = "wrong_coin_unvalued"
    FURTHER_DEPOSIT = "further_deposit"
    NOT_NEEDED = "not_needed"
    NO_MONEY = "finished_without_money"
    NO_PRICE = "no_price"
    UNBELIEVABLE = "unbelievable"
    UNKNOWN_WORD = "unknown_word"
    OTHER_ORDER = "other_order"
    OTHER_AMOUNT = "other_amount"
    SETTLED_LOW = "settled_far_below"
    CONTRADICTED = "paid_after_sent_back"
    SENT_BACK = "sent_back"
    FAILED_WITH_MONEY = "failed_with_money"
    FAILED = "failed"
    EXPIRED = "expired"


_O = Outcome
NOTHING = frozenset({_O.STALE, _O.REPEATED})
PAYS = frozenset({_O.PAID, _O.PAID_NEARLY, _O.PAID_LATE, _O.OVERPAID})
COUNTS = PAYS | {_O.UNDERPAID, _O.LATE}  # outcomes of money that goes towards the price
NEEDS_REVIEW = frozenset(
    {_O.LATE, _O.WRONG_COIN, _O.UNVALUED, _O.FURTHER_DEPOSIT, _O.NOT_NEEDED, _O.NO_MONEY, _O.NO_PRICE,
     _O.UNBELIEVABLE, _O.UNKNOWN_WORD, _O.SENT_BACK, _O.FAILED_WITH_MONEY, _O.OTHER_ORDER, _O.OTHER_AMOUNT,
     _O.SETTLED_LOW, _O.CONTRADICTED}
)  # fmt: skip
ENDS = frozenset({_O.FAILED, _O.FAILED_WITH_MONEY, _O.EXPIRED, _O.SENT_BACK})
UNASKED = NEEDS_REVIEW - {_O.LATE, _O.SENT_BACK, _O.FAILED_WITH_MONEY}
"""Something arrived at an address, or is said to have, otherwise than asked: no more is asked for there."""
UNCLEAR = frozenset(
    {
        _O.UNVALUED,
        _O.NO_MONEY,
        _O.NO_PRICE,
        _O.UNKNOWN_WORD,
        _O.UNBELIEVABLE,
        _O.OTHER_ORDER,
        _O.OTHER_AMOUNT,
        _O.SETTLED_LOW,
        _O.CONTRADICTED,
    }
)
"""Money may have arrived, and we can't tell how much: a person looks, and we look again."""

IN_FLIGHT = {PaymentStatus.CONFIRMING, PaymentStatus.CONFIRMED, PaymentStatus.SENDING}
MONEY_MOVED = {PaymentStatus.FINISHED, PaymentStatus.PARTIALLY_PAID}
ENDED = {PaymentStatus.FINISHED, PaymentStatus.FAILED, PaymentStatus.REFUNDED}  # and its address still takes money
OPEN = {OrderStatus.CREATED, OrderStatus.WAITING, OrderStatus.CONFIRMING, OrderStatus.UNDERPAID, OrderStatus.EXPIRED}
BOUGHT = {OrderStatus.PAID, OrderStatus.FULFILLED}


@dataclass(frozen=True, slots=True)
class OrderMoney:
    """The order, in its own currency. ``brought``: what its other payments have brought towards the price; below zero
    where more goes back than they brought.

    ``late``: its price is not held any more; then ``sellable`` says whether it still is sold within the slippage.
    ``given_back``: the customer has taken a refund or credit instead.
    """

    status: OrderStatus
    total: Decimal
    brought: Decimal = Decimal(0)
    late: bool = False
    sellable: bool = True
    given_back: bool = False


@dataclass(frozen=True, slots=True)
class Expected:
    """What we asked for, from our own row; amounts of coins in whole coins. ``value``: what it was worth so far.

    ``outcome``: the last named one. ``rate``: what one ``pay_currency`` was worth when we asked, where that is not told
    by the two amounts: those of a further deposit are the provider's.
    """

    order_id: str
    status: PaymentStatus
    price_amount: Decimal
    price_currency: str
    pay_amount: Decimal | None
    pay_currency: str
    actually_paid: Decimal
    value: Decimal = Decimal(0)
    top_up: bool = False
    outcome: str | None = None
    rate: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Classification:
    """``to``: the payment's next status, or None. ``why`` goes to the notice's log and, parked, to the admin.

    ``value``: all that the payment has brought, in the price's currency; None leaves it as it was. ``excess`` and
    ``missing`` are in that currency too, ``owed_back`` and ``missing_coin`` in whole coins.
    """

    outcome: Outcome
    why: str
    to: PaymentStatus | None = None
    value: Decimal | None = None
    excess: Decimal = Decimal(0)
    owed_back: Decimal = Decimal(0)
    missing: Decimal = Decimal(0)
    missing_coin: Decimal = Decimal(0)


def classify(order: OrderMoney, asked: Expected, report: PaymentReport, tolerance: Tolerance) -> Classification:
    """What ``report`` means for a payment we ``asked`` for, of an ``order`` that stands so."""
    if not _same_order(report.order_id or "", asked.order_id):
        return Classification(
            _O.OTHER_ORDER, f"the payment provider says it is for another order: {report.order_id!r:.48}"
        )
    if (other := _other_amount(asked, report)) is not None:
        return Classification(_O.OTHER_AMOUNT, other)
    try:
        status = PaymentStatus(report.status)
    except ValueError:
        return Classification(_O.UNKNOWN_WORD, f"the payment provider used an unknown status: {report.status[:32]}")
    if status == asked.status:
        grown = (report.actually_paid or Decimal(0)) > asked.actually_paid
        again = _weigh(order, asked, report, None, tolerance) if status in MONEY_MOVED else None
        if again and (grown or (asked.outcome in UNCLEAR and again.outcome != asked.outcome)):
            return again
        return Classification(_O.REPEATED, f"the payment is already {asked.status}")
    if asked.status is PaymentStatus.REFUNDED and status in MONEY_MOVED:
        return Classification(
            _O.CONTRADICTED, "the payment provider sent the money back, and now calls the payment paid"
        )
    if not MOVES.allows(asked.status, status):
        return Classification(_O.STALE, f"the payment is already {asked.status}")
    if status in MONEY_MOVED:
        return _weigh(order, asked, report, status, tolerance)
    return _plain(asked, report, status)


def _same_order(named: str, asked: str) -> bool:
    """Ids are compared as ids, in whatever spelling."""
    return named.strip() == asked or (parse_id(named.strip()) or named) == parse_id(asked)


def _other_amount(asked: Expected, report: PaymentReport) -> str | None:
    """Why a report is not about what we asked for. Numbers are compared as money: 71.7899999999 is 71.79."""
    if report.price_amount is None:
        return None
    currency = (report.price_currency or "no currency").upper()
    same = report.price_amount < MOST_MONEY and _rounded(asked, report.price_amount) == asked.price_amount
    if same and currency == asked.price_currency:
        return None
    named = f"{report.price_amount.normalize(WIDE):f}"[:24]
    return f"the payment provider says it is for {named} {currency[:11]} instead of {asked.price_amount}"


def _plain(asked: Expected, report: PaymentReport, status: PaymentStatus) -> Classification:
    if status in IN_FLIGHT:
        if report.parent_payment_id is not None and not asked.top_up:
            return Classification(_O.DEPOSIT_SEEN, "a further deposit is on its way", status)
        return Classification(_O.SEEN, "money was seen", status)
    if status is PaymentStatus.REFUNDED:
        return Classification(_O.SENT_BACK, "the payment provider sent the money back", status, value=Decimal(0))
    if status is PaymentStatus.EXPIRED:
        return Classification(_O.EXPIRED, "nothing arrived in time", status)
    if report.actually_paid:
        return Classification(
            _O.FAILED_WITH_MONEY, "the payment failed at the provider after money had arrived", status
        )
    return Classification(_O.FAILED, "the payment failed at the provider", status)


def _weigh(
    order: OrderMoney, asked: Expected, report: PaymentReport, to: PaymentStatus | None, tolerance: Tolerance
) -> Classification:
    """Money has arrived: is it the right coin, and enough of it? The status word alone proves nothing."""
    if report.price_amount is None:
        return Classification(_O.NO_PRICE, "the payment provider gives no price for it", to)
    if not report.actually_paid or not asked.pay_amount:
        return Classification(_O.NO_MONEY, "the payment provider calls it paid, but no money arrived", to)
    paid, worth = report.actually_paid, worth_of(asked, report)
    if paid > MOST_COINS or worth > MOST_MONEY:
        return Classification(_O.UNBELIEVABLE, "the payment provider names an amount that can't be", to)
    if not _right_coin(asked, report):
        return _wrong_coin(asked, report, worth, to, tolerance)
    settled = credited(asked, report)
    if settled is not None and _far_below(settled, worth, tolerance):
        return Classification(_O.SETTLED_LOW, _only(asked, report, worth), to)
    if report.parent_payment_id is not None and not asked.top_up:
        why = "a further deposit arrived for this order: it is owed back"
        return Classification(_O.FURTHER_DEPOSIT, why, to, value=_rounded(asked, worth))
    if order.status in OPEN and not order.given_back:
        return _count(order, asked, worth, paid, to, tolerance)
    return _after(order, asked, worth, paid, to)


def _right_coin(asked: Expected, report: PaymentReport) -> bool:
    return (report.pay_currency or "").lower() == asked.pay_currency.lower()


def worth_of(asked: Expected, report: PaymentReport) -> Decimal:
    """What arrived is worth, in the price's currency, at the rate it was asked at; of another coin, at its own."""
    rate = asked.pay_amount if _right_coin(asked, report) else report.pay_amount
    return asked.price_amount * (report.actually_paid or Decimal(0)) / rate if rate else Decimal(0)


def _far_below(settled: Decimal, worth: Decimal, tolerance: Tolerance) -> bool:
    """Whether what we are credited with can't be what was paid: no fee takes so much."""
    return worth - settled > max(tolerance.lost, worth * LOST_SHARE)


def _only(asked: Expected, report: PaymentReport, worth: Decimal) -> str:
    got, coin = report.outcome_amount or Decimal(0), report.outcome_currency or ""
    whole = _rounded(asked, worth)
    return f"only {got.normalize(WIDE):f} {coin.upper()[:16]} of {whole} {asked.price_currency} is credited to us"


def credited(asked: Expected, report: PaymentReport) -> Decimal | None:
    """What we are credited with, in the price's currency.

    None where that can't be told: it must be in the coin asked for, whose rate we were given, or in the price's
    currency or a stable coin of it.
    """
    got, coin = report.outcome_amount, (report.outcome_currency or "").lower()
    if got is None or got > MOST_COINS:
        return None
    rate = asked.rate or (asked.price_amount / asked.pay_amount if asked.pay_amount else None)
    if coin == asked.pay_currency.lower() and rate:
        return got * rate
    return got if _is_money(asked.price_currency, coin) else None


def _is_money(currency: str, coin: str) -> bool:
    """Whether one of ``coin`` is worth one of ``currency``."""
    return coin == currency.lower() or coin.startswith(STABLE.get(currency, ("no such coin",)))


def _wrong_coin(
    asked: Expected, report: PaymentReport, worth: Decimal, to: PaymentStatus | None, tolerance: Tolerance
) -> Classification:
    """Another coin arrived: at its own rate it makes a debt of ours only as far as we can check that rate."""
    sent = (report.pay_currency or "").lower()
    coin = (sent or "no coin").upper()[:16]
    why = f"paid in {coin} instead of {asked.pay_currency.upper()}"
    known = credited(asked, report)
    if known is None and _is_money(asked.price_currency, sent):
        known = report.actually_paid
    if known is None or known > MOST_MONEY:
        paid = (report.actually_paid or Decimal(0)).normalize(WIDE)
        return Classification(_O.UNVALUED, f"{why}: {paid:f} of it, and we can't tell what that is worth"[:120], to)
    value = known if not worth or _far_below(known, worth, tolerance) else worth
    return Classification(_O.WRONG_COIN, f"{why}: it is owed back", to, value=_rounded(asked, value))


def _count(
    order: OrderMoney, asked: Expected, worth: Decimal, paid: Decimal, to: PaymentStatus | None, tolerance: Tolerance
) -> Classification:
    """Money towards an order that is not paid yet."""
    need = order.total - order.brought
    # To the cent: what rounding alone leaves over or short is not made a debt of anybody's.
    value = need if abs(worth - need) < smallest(asked.price_currency) else _rounded(asked, worth)
    short = Decimal(0) if value == need else need - worth
    if short > 0 and not tolerance.takes(short, order.total):
        missing = {"missing": need - value, "missing_coin": _coin(_in_coins(asked, need) - paid)}
        return Classification(_O.UNDERPAID, "less than asked arrived", to, value, **missing)
    if order.late and not order.sellable:
        return Classification(_O.LATE, "paid late, and no longer sold at this price: the customer is asked", to, value)
    excess = max(value - need, Decimal(0))
    owed = _coin(paid - _in_coins(asked, need)) if excess else Decimal(0)
    if order.late:
        return Classification(_O.PAID_LATE, "paid late, and still sold at this price", to, value, excess, owed)
    if excess:
        return Classification(
            _O.OVERPAID, "paid, with more than asked: the excess is owed back", to, value, excess, owed
        )
    if short > 0:
        return Classification(_O.PAID_NEARLY, "paid, short of it by less than the tolerance", to, value)
    return Classification(_O.PAID, "paid in full", to, value)


def _after(
    order: OrderMoney, asked: Expected, worth: Decimal, paid: Decimal, to: PaymentStatus | None
) -> Classification:
    """Money for an order that is paid or closed: none of it is needed, but for what paid it."""
    value, unit = _rounded(asked, worth), smallest(asked.price_currency)
    if value - asked.value < unit:  # also what a repeat rounds differently
        return Classification(_O.REPEATED, "the money is known already", to)
    if order.status in BOUGHT and asked.value:
        brought = max(order.brought, Decimal(0))  # all that was not asked for, whether or not it goes back already
        excess = brought + value - order.total
        owed = _coin(paid - _in_coins(asked, order.total - brought))
        if excess < unit:
            return Classification(_O.PAID, "paid in full", to, value)
        return Classification(_O.OVERPAID, "more than asked arrived: the excess is owed back", to, value, excess, owed)
    state = "given up for a refund or credit" if order.given_back else f"already {order.status}"
    return Classification(
        _O.NOT_NEEDED, f"paid, but the order was {state}: the money is owed back", to, value, value, paid
    )


def _in_coins(asked: Expected, money: Decimal) -> Decimal:
    """``money`` in the attempt's coin, at its rate."""
    return money * (asked.pay_amount or Decimal(0)) / asked.price_amount


def _rounded(asked: Expected, worth: Decimal) -> Decimal:
    return worth.quantize(smallest(asked.price_currency), ROUND_HALF_UP)


def _coin(amount: Decimal) -> Decimal:
    return max(amount, Decimal(0)).quantize(COIN_UNIT, context=WIDE)
