"""Who asks from a merchant's page: a publishable key, an order and an origin that belong together, or nobody.

None of it is a secret. It opens one order's checkout, in pages of the merchant's own origins, and nothing else. What
is unknown, another merchant's, of the other mode or revoked answers the same.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from litestar import Request

from app.core import tokens
from app.core.errors import Gone, NotFound
from app.core.i18n import _
from app.core.ids import parse_id
from app.core.settings import settings
from app.merchants import queries as merchants
from app.merchants.models import Merchant, PublishableKey
from app.orders import queries as orders
from app.orders.models import Order

LIFETIME = timedelta(minutes=30)  # of a page's token; each look at the state brings a new one


class NoSuchCheckout(NotFound):
    title = "This checkout can't be shown"

    def __init__(self) -> None:
        super().__init__(_("Check the publishable key, the order's id, and that this page's origin is allowed."))


class CheckoutOver(Gone):
    """A page's token ran out or its key was revoked; the page asks for itself anew."""

    title = "This checkout was open for too long"


@dataclass(frozen=True, slots=True)
class CheckoutSession:
    key: str
    origin: str
    merchant: Merchant
    test: bool
    order: Order

    @property
    def ancestors(self) -> str:
        """Who may show the frame, for its content policy."""
        origins = self.merchant.origins
        return " ".join(origins) if self.origin in origins else "'self'"

    @property
    def token(self) -> str:
        """What stands for all this in the frame's own requests, which carry no cookie."""
        claims = {"key": self.key, "order": str(self.order.id), "origin": self.origin}
        return tokens.sign("embed", claims, LIFETIME)


async def find(key: str, order_id: str, origin: str) -> CheckoutSession:
    """Raises NoSuchCheckout unless the order is the key's merchant's, of the key's mode, and the origin is allowed."""
    holder, found = await merchants.by_publishable(key), parse_id(order_id)
    if holder is None or found is None or not _allowed(holder, origin):
        raise NoSuchCheckout
    order = await orders.of_merchant(holder.id, holder.test, found)
    if order is None:
        raise NoSuchCheckout
    return CheckoutSession(key, origin, holder, holder.test, order)


def _allowed(holder: PublishableKey, origin: str) -> bool:
    """Compared whole: what begins like an allowed origin may be anybody's. Our own pages try the SDK in test mode."""
    return origin in holder.origins or (holder.test and origin == own_origin())


def own_origin() -> str:
    url = urlsplit(settings().frontend_url)
    return f"{url.scheme}://{url.netloc}"


def origin_of(request: Request[Any, Any, Any]) -> str:
    """The page that asks, by its browser's word; for our own pages browsers leave the header out (Fetch, 3.2)."""
    ours = own_origin() if request.headers.get("sec-fetch-site") == "same-origin" else ""
    return request.headers.get("origin", ours)


async def by_token(token: str) -> CheckoutSession:
    """The page that was given this token, if it may still be shown. Raises CheckoutOver."""
    claims = tokens.read("embed", token)
    if claims is None:
        raise CheckoutOver("Open it again. What you paid is not lost.")
    try:
        return await find(claims["key"], claims["order"], claims["origin"])
    except NoSuchCheckout:
        raise CheckoutOver("Open it again. What you paid is not lost.") from None
