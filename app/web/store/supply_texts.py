"""What an order's page says while its supply is in trouble."""

from collections.abc import Sequence
from typing import Protocol

from app.core import clock
from app.core.i18n import N_, _
from app.fulfillment.failure_reasons import FailureReason, Kind, partly
from app.orders import promised_times
from app.orders.models import Order
from app.web.store import order_texts

TITLES = {  # kind → (short words for the title, favicon)
    Kind.WAIT: (N_("Waiting for our supplier"), "waiting"),
    Kind.RETRY: (N_("Being fixed"), "attention"),
    Kind.ALTERNATIVE: (N_("Getting your key"), "working"),
    Kind.REFUND: (N_("Being fixed"), "attention"),
}
PROVIDER_AWAY = (
    N_("Preparing your payment"),
    N_(
        "The payment provider can't be reached right now. Your order is kept. The address appears here once it is back."
    ),
    N_("Waiting for the payment provider"),
    "waiting",
)


class Awaited(Protocol):
    """An item, with how many of its keys are here."""

    @property
    def keys_ready(self) -> int: ...
    @property
    def quantity(self) -> int: ...


def said(trouble: FailureReason, items: Sequence[Awaited]) -> tuple[str, str, str, str]:
    """Headline, words, title and favicon; keys that are here already are named first."""
    ready, units = sum(item.keys_ready for item in items), sum(item.quantity for item in items)
    words = f"{partly(ready, units)} {_(trouble.words)}" if 0 < ready < units else trouble.words
    return trouble.headline, words, *TITLES[trouble.kind]


async def in_time(order: Order, *, late: bool) -> tuple[str, str, str, str]:
    """While all goes well: what takes how long by our own record, and other words once it has taken longer."""
    headline, words, title, favicon = order_texts.HEADLINES[order_texts.PHASES[order.status]]
    if order.status == "confirming":
        usual = await promised_times.confirm_time(order.pay_currency or "")
        said = _(order_texts.USUAL_CONFIRMATION).format(usual=promised_times.in_words(usual)) if usual else words
        return headline, said, title, favicon
    if late:
        return order_texts.KEY_LATE
    usual = await promised_times.key_time()
    if usual is None:
        return headline, words, title, favicon
    slow = order.paid_at is not None and clock.now() - order.paid_at > usual
    if slow:
        headline, words, title, favicon = order_texts.KEY_SLOW
    else:
        words = order_texts.USUAL_KEYS
    return headline, _(words).format(usual=promised_times.in_words(usual)), title, favicon
