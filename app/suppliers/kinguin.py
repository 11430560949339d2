"""Kinguin behind the port: its values and refusals in the port's words (sheet ``kinguin.md``)."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Self

from app.catalog.models import ListedProduct, ListingPage, OddRow
from app.providers import kinguin_answers as answers
from app.providers import kinguin_faults as faults
from app.providers.errors import ProviderRefused
from app.providers.kinguin import Kinguin
from app.providers.kit import Providers
from app.suppliers import errors
from app.suppliers.kinguin_supply import supply_of
from app.suppliers.models import Found, KeyState, Notice, SupplierKey, SupplierOrder

NAME = "kinguin"
MOST_FOUND = 25  # products a search names

REFUSALS: dict[type[ProviderRefused], type[ProviderRefused]] = {
    faults.ProductUnavailable: errors.ProductUnavailable,
    faults.InsufficientBalance: errors.InsufficientBalance,
    faults.DuplicateOrder: errors.DuplicateOrder,
    faults.OrderFailed: errors.OrderFailed,
    faults.OrderNotFound: errors.OrderNotFound,
    faults.NothingToReturn: errors.NothingToReturn,
}


class KinguinSupplier:
    """Both the supplier and its listing. ``client`` speaks the wire."""

    name = NAME
    title = "Kinguin"
    needs: tuple[str, ...] = (NAME,)

    def __init__(self, client: Kinguin) -> None:
        self._client = client

    @classmethod
    def open(cls, kit: Providers) -> Self:
        return cls(kit.kinguin)

    @property
    def listing(self) -> "KinguinSupplier":
        return self

    async def find(self, external_id: str) -> SupplierOrder | None:
        with _translated():
            found = await self._client.find(external_id)
        return _order(found) if found else None

    async def buy(
        self, *, external_id: str, product_id: str, quantity: int, max_unit_price: Decimal, text_only: bool
    ) -> SupplierOrder:
        """``text_only`` is not allowed for pre-orders; ``quantity`` is from 1 to 9."""
        with _translated():
            return _order(
                await self._client.reserve(
                    external_id=external_id, product_id=product_id, quantity=quantity,
                    max_unit_price=max_unit_price, text_only=text_only,
                )
            )  # fmt: skip

    async def is_sold(self, product_id: str) -> bool:
        return await self.product(product_id) is not None

    async def status(self, order_id: str) -> SupplierOrder:
        with _translated():
            return _order(await self._client.get_delivered(order_id))

    async def keys(self, order_id: str) -> list[SupplierKey]:
        with _translated():
            found = await self._client.keys(order_id)
        return [SupplierKey(key.id, key.media_type, key.serial) for key in found]

    async def return_keys(self, order_id: str) -> None:
        """Within 24 hours of delivery, once; the refund follows by itself."""
        with _translated():
            await self._client.return_keys(order_id)

    async def search(self, words: str) -> tuple[Found, ...]:
        """``words`` of three characters or more."""
        with _translated():
            page = await self._client.search(words, limit=MOST_FOUND)
        found = [listed(product) for product in page.results]
        return tuple(Found(one.product_id, one.name, one.cost, one.stock) for one in found)

    async def balance(self) -> Decimal:
        return await self._client.balance()

    def read_notice(self, said: Mapping[str, object]) -> Notice:
        """Its body is not bound to the secret (kinguin.md, 7)."""
        order_id, product_id = said.get("orderId"), said.get("productId")
        return Notice(
            order_id if isinstance(order_id, str) else None,
            product_id if isinstance(product_id, str) else None,
            said.get("status"),
        )

    async def products(self, page: int, limit: int, *, updated_since: datetime | None = None) -> ListingPage:
        """One page of the listing, by id."""
        found = await self._client.products(page=page, limit=limit, updated_since=updated_since)
        odd = tuple(OddRow(row.name, row.why) for row in found.odd)
        return ListingPage(tuple(listed(product) for product in found.results), found.total, odd)

    async def product(self, product_id: str) -> ListedProduct | None:
        """One product; None where it is sold out or withdrawn."""
        found = await self._client.product(product_id)
        return listed(found) if found else None


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except ProviderRefused as refused:
        kind = REFUSALS.get(type(refused))
        if kind is None:
            raise
        raise kind(
            refused.provider, refused.call, refused.detail, status=refused.status, code=refused.code,
            may_have_happened=refused.may_have_happened, retry_after=refused.retry_after,
        ) from refused  # fmt: skip


def _order(found: answers.SupplierOrder) -> SupplierOrder:
    keys = tuple(KeyState(key.id, key.status) for key in found.keys)
    return SupplierOrder(
        found.order_id, found.external_id, found.status, found.quantity, found.charged, found.created_at, keys
    )


def listed(found: answers.Product) -> ListedProduct:
    """A product of theirs as the catalog keeps it. Pure."""
    supply = supply_of(found)
    return ListedProduct(
        product_id=found.product_id,
        number=found.kinguin_id or found.product_id,
        name=found.original_name,
        label=found.name,
        description=found.description,
        platform=found.platform,
        region=found.region,
        cost=supply.cost,
        stock=supply.stock,
        text_keys=supply.text,
        preorder=found.preorder,
        release_date=found.release_date,
        activation=found.activation,
        genres=found.genres,
        tags=found.tags,
        languages=found.languages,
        developers=found.developers,
        blocked_countries=found.blocked_countries,
        mended=found.mended,
    )
