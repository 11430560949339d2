"""Every kind of letter: its subject line, its name on the admin's pages, and the context that its templates need.

``context`` holds the names a letter can't be written without, all of them texts. Beside those, an order's letter gets
``order_short_id``, ``items``, ``total`` and its link from ``app.orders.letters``.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from app.core.i18n import N_


@dataclass(frozen=True, slots=True)
class Kind:
    """``subject`` is a format string over the context. ``title`` says to staff what the letter is about."""

    subject: str
    title: str
    context: tuple[str, ...] = ()


KINDS = {
    "order_received": Kind(N_("Your order {order_short_id}: pay to get your key"), N_("Order received")),
    "payment_seen": Kind(N_("Payment received for order {order_short_id}"), N_("Payment received")),
    "payment_short": Kind(
        N_("Part of your payment is missing (order {order_short_id})"),
        N_("Part of the payment is missing"),
        ("missing", "missing_coin"),
    ),
    "payment_late": Kind(N_("Your payment came late: please choose (order {order_short_id})"), N_("Payment came late")),
    # excess: what is owed back ("$13.05"). arrived: all that came ("$65.24"). Optional ``second`` (bool): it came as a
    # second payment.
    "overpaid": Kind(
        N_("{excess} more than asked arrived (order {order_short_id})"),
        N_("More than asked arrived"),
        ("excess", "arrived"),
    ),
    # sent, asked: coins as people name them ("TRX", "USDT"). Optional ``held``: what it is worth ("$52.19").
    "wrong_coin": Kind(
        N_("{sent} arrived, but we asked for {asked} (order {order_short_id})"),
        N_("Another coin arrived"),
        ("sent", "asked"),
    ),
    # held: what arrived ("$45.62"). Optional ``ended``: how the order had ended: cancelled (if not given), expired,
    # refunded, closed.
    "money_after_cancel": Kind(
        N_("Your {held} arrived, but the order is {ended} (order {order_short_id})"),
        N_("Money after the order ended"),
        ("held",),
    ),
    # Optional ``paid`` (bool): the order had counted as paid. Optional ``delivered`` (bool): its keys are there.
    "payment_sent_back": Kind(
        N_("Your payment was sent back to you (order {order_short_id})"), N_("Payment sent back by the provider")
    ),
    "payment_failed": Kind(
        N_("Your payment did not go through (order {order_short_id})"), N_("Payment failed after money had arrived")
    ),
    # games: what can't be had ("Hades, 2 keys"). amount: what the customer can have back ("$13.39"). Optional ``late``
    # (bool): it sold out before a late payment arrived, so there is nothing to wait for.
    "sold_out": Kind(
        N_("We could not get your game: it sold out (order {order_short_id})"), N_("Sold out"), ("games", "amount")
    ),
    # As sold_out. Optional with ``late``: ``missing``, what the new price needs beyond the payment ("$3.20").
    "price_jump": Kind(
        N_("The price of your game went up (order {order_short_id})"), N_("Price went up"), ("games", "amount")
    ),
    # As sold_out, of an order whose supplier has been silent for long.
    "supplier_delay": Kind(
        N_("Your key is taking longer than usual (order {order_short_id})"),
        N_("Key takes longer than usual"),
        ("games", "amount"),
    ),
    # As sold_out, where the supplier cancelled or refused what we had ordered.
    "supply_failed": Kind(
        N_("We could not get your game (order {order_short_id})"), N_("Supplier failed"), ("games", "amount")
    ),
    "key_ready": Kind(N_("Your key is ready: reveal it here (order {order_short_id})"), N_("Key ready")),
    "refund_asked": Kind(
        N_("Your refund of {amount} for order {order_short_id}: tell us where to send it"),
        N_("Refund: address needed"),
        ("amount",),
    ),
    "refund_address": Kind(
        N_("Your refund for order {order_short_id}: that address did not work"),
        N_("Refund: that address did not work"),
        ("amount", "why"),
    ),
    "refund_paid": Kind(
        N_("Your refund of {amount} for order {order_short_id} was sent"), N_("Refund sent"), ("amount",)
    ),
    "refund_rejected": Kind(N_("About your refund for order {order_short_id}"), N_("Refund turned down"), ("amount",)),
    "endpoint_disabled": Kind(
        N_("We stopped sending webhooks to {endpoint}"), N_("Webhook endpoint disabled"), ("endpoint",)
    ),
    # email: the new address, masked.
    "email_confirm": Kind(N_("Confirm your email for order {order_short_id}"), N_("Confirm the new email")),
    "email_asked": Kind(N_("Change the email of order {order_short_id}?"), N_("Email change requested"), ("email",)),
    "email_changed": Kind(N_("The email of order {order_short_id} was changed"), N_("Email changed"), ("email",)),
    "login_link": Kind(N_("Sign in to {shop}"), N_("Sign-in link")),
    "lookup_link": Kind(N_("Your orders at {shop}"), N_("Link to their orders")),
    "team_invited": Kind(
        N_("{by} invites you to {merchant} at {shop}"), N_("Invitation to a team"), ("by", "merchant")
    ),
}
SUBJECTS = {name: kind.subject for name, kind in KINDS.items()}
DEFAULTS: dict[str, object] = {  # what an optional name of a context means where it is not given
    "total": None, "items": [], "minutes": None, "missing": "", "missing_coin": "", "days": None, "order_short_id": "",
    "amount": "", "why": "", "tx_hash": "", "merchant": "", "by": "", "endpoint": "", "excess": "", "arrived": "",
    "second": False, "sent": "", "asked": "", "held": "", "ended": "cancelled", "games": "", "late": False,
    "kept_until": "", "hours": "", "email": "", "credit": "", "paid": False, "delivered": False,
}  # fmt: skip


def must_hold(kind: str, context: Mapping[str, object]) -> None:
    """Raises ValueError where a letter of this kind can't be written with ``context``: found where it is written."""
    if kind not in KINDS:
        raise ValueError(f"no letter is called {kind}")
    if missing := [name for name in KINDS[kind].context if not context.get(name)]:
        raise ValueError(f"a letter {kind} needs {', '.join(missing)}")
