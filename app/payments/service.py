"""Money in: the room's verbs, each told in a module of its own.

``opening`` asks for money, ``healing`` reads notices and looks for itself, ``applying`` moves payment and order by one
report, as ``notices`` judges it, and ``choices`` is the customer's word on money that has bought nothing. ``asking`` is
what merchants ask for; ``simulated`` plays it in test mode.
"""

from app.payments.create import (
    CoinNotOffered,
    choose_coin,
    close_unopened,
    open_merchant_payment,
    open_payment,
    open_top_up,
)
from app.payments.customer_choice import Choice, NothingToChoose, NotThatChoice, choose, options
from app.payments.reconcile import apply_notice, check, close_forgotten, post_due_checks

__all__ = [
    "Choice", "CoinNotOffered", "NotThatChoice", "NothingToChoose", "apply_notice", "check", "choose", "choose_coin",
    "close_forgotten", "close_unopened", "open_merchant_payment", "open_payment", "open_top_up", "options",
    "post_due_checks",
]  # fmt: skip
