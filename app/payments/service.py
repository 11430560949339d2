"""Money in: the room's verbs, each from a module of its own.

``create`` asks for money. ``reconcile`` reads notices and asks the provider. ``handle_report`` moves payment and order
by one report, as ``classify`` names it. ``customer_choice`` is the customer's word on money that bought nothing.
``create_for_merchants`` makes payments of the API; ``test_processor`` ends them in test mode.
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
