"""Kinguin's buyer API (sheet ``kinguin.md``): catalogue, balance, buying and fetching keys.

Nothing there reserves, holds or cancels: ``reserve`` buys and charges at once, and a repeated POST may buy
again (section 6). So ``find`` before every ``reserve``, and again after any error that may have happened.
"""

import logging
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import httpx

from app.providers import kinguin_answers as answers
from app.providers import shapes
from app.providers.answers import MAX_ANSWER_BYTES
from app.providers.errors import Fault, Observer, ProviderError, ProviderProtocolError
from app.providers.http import TOTAL_SECONDS, HttpProvider
from app.providers.kinguin_answers import KeyState, OddRow, Page, Product, SupplierKey, SupplierOrder
from app.providers.kinguin_faults import (
    DuplicateOrder,
    InsufficientBalance,
    NothingToReturn,
    OrderFailed,
    OrderNotFound,
    ProductUnavailable,
    ResourceLocked,
    named,
)
from app.providers.lenient_json import parse_lenient

__all__ = [
    "DuplicateOrder",
    "InsufficientBalance",
    "KeyState",
    "Kinguin",
    "NothingToReturn",
    "OddRow",
    "OrderFailed",
    "OrderNotFound",
    "Page",
    "Product",
    "ProductUnavailable",
    "ResourceLocked",
    "SupplierKey",
    "SupplierOrder",
]

PAGE_ROWS = 100  # the API's maximum
SORT_BY_ID = "kingiunId"  # the typo is the API's (section 2)
CATALOGUE = frozenset({"search", "products", "product"})  # calls whose answers move no money by themselves
MAX_KEY_PAGES = 50  # wholesale orders end at 1000 keys; more pages than this is a loop

log = logging.getLogger("bitloot.providers")


class Kinguin(HttpProvider):
    """``base_url`` ends in ``/esa/api``. Prices are Decimals in EUR."""

    provider = "kinguin"
    code_member = "kind"
    detail_member = "detail"

    def __init__(
        self,
        base_url: str,
        api_key: str,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        observer: Observer | None = None,
        total_seconds: float = TOTAL_SECONDS,
    ) -> None:
        super().__init__(
            base_url,
            {"x-api-key": api_key},
            secret=api_key,
            transport=transport,
            observer=observer,
            total_seconds=total_seconds,
        )

    async def reserve(
        self,
        *,
        external_id: str,
        product_id: str,
        quantity: int,
        max_unit_price: Decimal,
        text_only: bool = True,
    ) -> SupplierOrder:
        """BUY ``quantity`` (1 to 9) at no more than ``max_unit_price`` each; the balance is charged at once.

        ``text_only`` asks for keys as text, which pre-orders don't allow. Raises ProductUnavailable,
        InsufficientBalance, DuplicateOrder, OrderFailed, beside the usual three.
        """
        row: dict[str, object] = {
            "productId": product_id,
            "qty": quantity,
            "price": shapes.exact(max_unit_price),
        }
        if text_only:
            row["keyType"] = "text"
        body = {"products": [row], "orderExternalId": external_id}
        return await self.ask("reserve", "POST", "/v2/order", answers.order, body=body)

    async def find(self, external_id: str) -> SupplierOrder | None:
        """Our order by its external id; None where there is none yet (a new one may take a while to show up).

        Of several, which a repeated buy could leave, a living one before canceled and refunded ones, then the
        oldest. ``find_all`` shows them all.
        """
        found = await self.find_all(external_id)
        return min(found, key=_standing) if found else None

    async def find_all(self, external_id: str) -> tuple[SupplierOrder, ...]:
        """Every order with that external id, living and ended."""
        query: dict[str, str | int] = {"orderExternalId": external_id, "limit": PAGE_ROWS}
        listed = await self.ask("find", "GET", "/v1/order", answers.orders, query=query)
        found = tuple(order for order in listed if order.external_id == external_id)
        if listed and not found:
            # A filter that was not applied proves nothing absent; taking it for absence would buy twice.
            raise ProviderProtocolError(self.provider, "find", "the search did not filter by orderExternalId")
        if len(found) > 1:
            log.warning("kinguin holds %d orders for one external id", len(found), extra={"external_id": external_id})
        return found

    async def get_delivered(self, order_id: str) -> SupplierOrder:
        """The order with the state of each key, without the keys themselves. Raises OrderNotFound."""
        return await self.ask("get_delivered", "GET", f"/v1/order/{_quoted(order_id)}", answers.order)

    async def keys(self, order_id: str) -> list[SupplierKey]:
        """Every key delivered so far, in the order given, each id once. Repeatable. Raises OrderNotFound."""
        found: dict[str, SupplierKey] = {}
        for page in range(1, MAX_KEY_PAGES + 1):
            query = {"page": page, "limit": PAGE_ROWS}
            path = f"/v2/order/{_quoted(order_id)}/keys"
            rows = await self.ask("keys", "GET", path, answers.keys, query=query)
            before = len(found)
            for key in rows:
                found.setdefault(key.id, key)
            if len(rows) < PAGE_ROWS or len(found) == before:
                return list(found.values())
        raise ProviderProtocolError(self.provider, "keys", f"more than {MAX_KEY_PAGES} pages of keys")

    async def return_keys(self, order_id: str) -> tuple[KeyState, ...]:
        """Give all keys of the order back, once, within 24 h; refunds follow. Raises NothingToReturn."""
        path = f"/v2/order/{_quoted(order_id)}/keys/return"
        return await self.ask("return_keys", "POST", path, answers.key_states)

    async def search(
        self,
        name: str,
        *,
        page: int = 1,
        limit: int = 25,
        platform: str | None = None,
        text_only: bool = False,
    ) -> Page[Product]:
        """Products whose name holds ``name`` (3 characters or more); ``page`` from 1, ``limit`` to 100."""
        query: dict[str, str | int] = {"name": name, "page": page, "limit": limit}
        if platform:
            query["platform"] = platform
        if text_only:
            query["withText"] = "yes"
        return await self.ask("search", "GET", "/v1/products", answers.products, query=query)

    async def products(
        self, page: int = 1, limit: int = PAGE_ROWS, *, updated_since: datetime | None = None
    ) -> Page[Product]:
        """One page of the catalogue by id, so that a change while paging hides no product.

        ``updated_since`` keeps to products changed after that time.
        """
        query: dict[str, str | int] = {"page": page, "limit": limit, "sortBy": SORT_BY_ID, "sortType": "asc"}
        if updated_since is not None:
            query["updatedSince"] = updated_since.isoformat(timespec="seconds")
        return await self.ask("products", "GET", "/v1/products", answers.products, query=query)

    async def product(self, product_id: str) -> Product | None:
        """One product, or None: sold out and withdrawn ones answer 404 (issue #38)."""
        try:
            return await self.ask("product", "GET", f"/v2/products/{_quoted(product_id)}", answers.product)
        except ProductUnavailable:
            return None

    async def balance(self) -> Decimal:
        """What is left of our prepaid balance, in EUR."""
        return await self.ask("balance", "GET", "/v1/balance", answers.balance)

    async def health(self) -> None:
        """Returns if the service is up and takes our key; raises ProviderError otherwise."""
        await self.balance()

    def parse(self, call: str, body: bytes) -> Any:
        """The catalogue is read leniently: its texts are strangers', and one of them must not hide the others."""
        return parse_lenient(body, max_bytes=MAX_ANSWER_BYTES) if call in CATALOGUE else super().parse(call, body)

    def explain(self, fault: Fault) -> ProviderError | None:
        return named(fault)


def _standing(order: SupplierOrder) -> tuple[bool, float, str]:
    """Never changes among living orders, so that every look settles on the same one."""
    ended = order.status in {"canceled", "cancelled", "refunded"}
    return ended, order.created_at.timestamp() if order.created_at else 0.0, order.order_id


def _quoted(ident: str) -> str:
    return quote(ident, safe="")
