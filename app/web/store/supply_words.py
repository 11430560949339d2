"""What an order's page says while its supply is in trouble."""

from typing import Any

from app.fulfillment.trouble import Kind, Trouble, partly

TITLES = {  # kind → (short words for the title, favicon)
    Kind.WAIT: ("Waiting for our supplier", "waiting"),
    Kind.RETRY: ("Being fixed", "attention"),
    Kind.ALTERNATIVE: ("Getting your key", "working"),
    Kind.REFUND: ("Being fixed", "attention"),
}
PROVIDER_AWAY = (
    "Preparing your payment",
    "The payment provider can't be reached right now. Your order is kept. The address appears here once it is back.",
    "Waiting for the payment provider",
    "waiting",
)


def said(trouble: Trouble, items: list[dict[str, Any]]) -> tuple[str, str, str, str]:
    """Headline, words, title and favicon; keys that are here already are named first."""
    ready, units = sum(item["keys_ready"] for item in items), sum(item["quantity"] for item in items)
    words = f"{partly(ready, units)} {trouble.words}" if 0 < ready < units else trouble.words
    return trouble.headline, words, *TITLES[trouble.kind]
