"""Which matters can need a person: each code once, with its title and how it ends. A code is stored, so it stays."""

from enum import StrEnum

import msgspec

from app.core.i18n import N_


class IssueCode(StrEnum):
    # An order whose supply has failed or waits. All of them end with its keys, its refund, or a new try.
    SOLD_OUT = "sold_out"
    TOO_DEAR = "too_dear"
    SUPPLY_REFUSED = "supply_refused"
    SUPPLY_CANCELLED = "supply_cancelled"
    SUPPLY_REFUNDED = "supply_refunded"
    SUPPLY_SILENT = "supply_silent"
    SUPPLY_UNFUNDED = "supply_unfunded"
    JOB_GIVEN_UP = "job_given_up"
    # An order whose money waits for its owner.
    UNDERPAID = "underpaid"
    PAID_LATE = "paid_late"
    OVERPAID = "overpaid"
    FURTHER_DEPOSIT = "further_deposit"
    MONEY_NOT_NEEDED = "money_not_needed"
    WRONG_COIN = "wrong_coin"
    REFUND_NOT_SENT = "refund_not_sent"
    REFUND_DUE = "refund_due"
    # An order with a payment that we can't judge, or whose money went elsewhere.
    WRONG_COIN_UNVALUED = "wrong_coin_unvalued"
    PAID_WITHOUT_MONEY = "paid_without_money"
    PAYMENT_WITHOUT_PRICE = "payment_without_price"
    PAYMENT_UNBELIEVABLE = "payment_unbelievable"
    PAYMENT_STATUS_UNKNOWN = "payment_status_unknown"
    PAYMENT_OTHER_ORDER = "payment_other_order"
    PAYMENT_OTHER_AMOUNT = "payment_other_amount"
    SETTLED_LOW = "settled_low"
    PAID_AFTER_SENT_BACK = "paid_after_sent_back"
    PAYMENT_SENT_BACK = "payment_sent_back"
    PAYMENT_FAILED_WITH_MONEY = "payment_failed_with_money"
    PAYMENT_NEVER_COMPLETED = "payment_never_completed"
    # Other matters of an order.
    PAYOUT_STUCK = "payout_stuck"
    KEYS_WENT_BACK = "keys_went_back"
    KEY_BROKEN = "key_broken"
    LEDGER_DIFFERS = "ledger_differs"
    ORDER_NOTE = "order_note"
    LETTER_UNDELIVERED = "letter_undelivered"
    LATE_DELIVERY = "late_delivery"
    SUPPLIER_SLOW = "supplier_slow"
    SUPPLIER_WORD = "supplier_word"
    # What is about no single order.
    MAIL_QUOTA = "mail_quota"
    RATES_STALE = "rates_stale"
    RATES_LATE = "rates_late"
    RATE_IMPLAUSIBLE = "rate_implausible"
    PRICE_IMPLAUSIBLE = "price_implausible"
    PRICES_IMPLAUSIBLE = "prices_implausible"
    PRODUCT_UNREADABLE = "product_unreadable"
    PRICE_CURRENCY = "price_currency"
    STOCK_LOW = "stock_low"
    LISTING_INCOMPLETE = "listing_incomplete"
    ODD_ROWS = "odd_rows"
    COINS_MISSING = "coins_missing"
    COIN_MINIMUM = "coin_minimum"
    PAYMENT_WITHOUT_ORDER = "payment_without_order"
    NOTICE_UNREADABLE = "notice_unreadable"
    CLOCK_SKEW = "clock_skew"


class Matter(msgspec.Struct, frozen=True):
    """What a code is called, and ``ends``: when it ends by itself, as a sentence for the list.

    Only a matter without ``ends`` may be marked as resolved by a person: of any other, its state decides.
    """

    title: str
    ends: str = ""


_KEYS = N_("Ends when the item is tried again, delivered or refunded.")
_MONEY = N_("Ends when the money is refunded, becomes credit or pays the order.")
_NEXT = N_("Ends by itself as soon as a later look finds nothing wrong.")
_RATES = N_("Ends by itself with a newer rate.")

_C = IssueCode
MATTERS: dict[IssueCode, Matter] = {
    _C.SOLD_OUT: Matter("Sold out at the supplier", _KEYS),
    _C.TOO_DEAR: Matter("Too expensive at the supplier", _KEYS),
    _C.SUPPLY_REFUSED: Matter("The supplier did not sell it", _KEYS),
    _C.SUPPLY_CANCELLED: Matter("The supplier cancelled", _KEYS),
    _C.SUPPLY_REFUNDED: Matter("The supplier refunded us", _KEYS),
    _C.SUPPLY_SILENT: Matter("The supplier does not deliver", "Ends when the keys come or the order is refunded."),
    _C.SUPPLY_UNFUNDED: Matter("The balance at the supplier is too low", "Ends when the order is bought or refunded."),
    _C.JOB_GIVEN_UP: Matter("A job of an order was given up", "Ends when the order is fulfilled or refunded."),
    _C.UNDERPAID: Matter("Underpaid", _MONEY),
    _C.PAID_LATE: Matter("Paid late", _MONEY),
    _C.OVERPAID: Matter("Overpaid", _MONEY),
    _C.FURTHER_DEPOSIT: Matter("A further deposit arrived", _MONEY),
    _C.MONEY_NOT_NEEDED: Matter("Money arrived that is not needed", _MONEY),
    _C.WRONG_COIN: Matter("Paid in another coin", _MONEY),
    _C.REFUND_NOT_SENT: Matter("A refund was not sent", _MONEY),
    _C.REFUND_DUE: Matter("A refund is due", "Ends when the order is refunded."),
    _C.WRONG_COIN_UNVALUED: Matter("Paid in a coin whose worth we don’t know"),
    _C.PAID_WITHOUT_MONEY: Matter("Called paid, but no money arrived"),
    _C.PAYMENT_WITHOUT_PRICE: Matter("A payment without a price"),
    _C.PAYMENT_UNBELIEVABLE: Matter("A payment of an impossible amount"),
    _C.PAYMENT_STATUS_UNKNOWN: Matter("A payment with an unknown status"),
    _C.PAYMENT_OTHER_ORDER: Matter("A payment is said to be for another order"),
    _C.PAYMENT_OTHER_AMOUNT: Matter("A payment is said to be for another amount"),
    _C.SETTLED_LOW: Matter("Credited far below what was paid"),
    _C.PAID_AFTER_SENT_BACK: Matter("Sent back, then called paid"),
    _C.PAYMENT_SENT_BACK: Matter("The payment provider sent the money back"),
    _C.PAYMENT_FAILED_WITH_MONEY: Matter("A payment failed after money arrived"),
    _C.PAYMENT_NEVER_COMPLETED: Matter("A payment never completed"),
    _C.PAYOUT_STUCK: Matter("A refund’s payout is stuck", "Ends when the payout goes on or ends."),
    _C.KEYS_WENT_BACK: Matter("Refund rejected, but its keys are gone"),
    _C.KEY_BROKEN: Matter("A key does not open"),
    _C.LEDGER_DIFFERS: Matter("The ledger does not balance", "Ends by itself when the ledger balances again."),
    _C.ORDER_NOTE: Matter("Check this order"),
    _C.LETTER_UNDELIVERED: Matter("An email did not arrive"),
    _C.LATE_DELIVERY: Matter("Keys arrived after their customer was refunded"),
    _C.SUPPLIER_SLOW: Matter("The supplier is slow"),
    _C.SUPPLIER_WORD: Matter("The supplier uses an unknown status"),
    _C.MAIL_QUOTA: Matter("Emails are waiting for the mail quota", "Ends by itself when emails go out again."),
    _C.RATES_STALE: Matter("Sales are stopped: the exchange rates are out of date", _RATES),
    _C.RATES_LATE: Matter("The source of exchange rates does not answer", _RATES),
    _C.RATE_IMPLAUSIBLE: Matter("An exchange rate looks wrong", "Ends when the rate is accepted or plausible again."),
    _C.PRICE_IMPLAUSIBLE: Matter(
        "Price looks wrong: check it before it is sold",
        "The game is not sold until you accept its price on its page, or the price is back to normal.",
    ),
    _C.PRICES_IMPLAUSIBLE: Matter("Many of the supplier’s prices look wrong", _NEXT),
    _C.PRODUCT_UNREADABLE: Matter("The supplier’s answer about a product can’t be read", _NEXT),
    _C.PRICE_CURRENCY: Matter("A price is in the shop’s former currency"),
    _C.STOCK_LOW: Matter("Few of your own keys are left"),
    _C.LISTING_INCOMPLETE: Matter("The supplier’s listing is incomplete", _NEXT),
    _C.ODD_ROWS: Matter("Some of the supplier’s products have faulty data", _NEXT),
    _C.COINS_MISSING: Matter("NOWPayments lists no coins", _NEXT),
    _C.COIN_MINIMUM: Matter("The minimum of some coins is not known", _NEXT),
    _C.PAYMENT_WITHOUT_ORDER: Matter("Money at the payment provider without an order"),
    _C.NOTICE_UNREADABLE: Matter("A payment notice can’t be read"),
    _C.CLOCK_SKEW: Matter("A machine’s clock is wrong", "Ends by itself when the clock is right."),
}  # fmt: skip


def matter(code: str) -> Matter:
    """What is known of a stored code; of one that this release does not know, its own words."""
    known = MATTERS.get(IssueCode(code)) if code in set(IssueCode) else None
    return known or Matter(code.replace("_", " ").capitalize())
