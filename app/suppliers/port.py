"""The port: what the shop asks of a supplier. Buying may be repeated by nobody; all other calls may."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Protocol

from app.catalog.listing import Listing
from app.suppliers.errors import UnknownSupplier
from app.suppliers.models import Found, Notice, SupplierKey, SupplierOrder


class Supplier(Protocol):
    """One source of keys. Refusals are those of ``errors``; ProviderDown and ProviderProtocolError may come from any
    call.

    ``name``: as rows have it (``product.supplier``). ``title``: as people know it. ``needs``: the providers whose
    circuit breakers stand before it, none where it is our own house. ``listing``: what the catalog is read from, None
    where the shop's owner makes its products.
    """

    name: str
    title: str
    needs: tuple[str, ...]

    @property
    def listing(self) -> Listing | None: ...

    async def find(self, external_id: str) -> SupplierOrder | None:
        """Our order by our id for it; None where there is none yet."""
        ...

    async def buy(
        self, *, external_id: str, product_id: str, quantity: int, max_unit_price: Decimal, text_only: bool
    ) -> SupplierOrder:
        """Buy so many keys at no more than ``max_unit_price`` EUR each, once for an ``external_id``.

        ``text_only``: keys must come as text, not as images. Raises ProductUnavailable, InsufficientBalance,
        DuplicateOrder or OrderFailed; ``may_have_happened`` says whether to look before the next try.
        """
        ...

    async def is_sold(self, product_id: str) -> bool:
        """Whether the supplier has the product at all just now."""
        ...

    async def status(self, order_id: str) -> SupplierOrder:
        """An order with the state of each of its keys, without the keys themselves. Raises OrderNotFound."""
        ...

    async def keys(self, order_id: str) -> list[SupplierKey]:
        """Every key that was delivered so far. Raises OrderNotFound."""
        ...

    async def return_keys(self, order_id: str) -> None:
        """Give all keys of an order back; nobody has seen them. Raises NothingToReturn or OrderNotFound."""
        ...

    async def search(self, words: str) -> tuple[Found, ...]:
        """Products whose name holds ``words``. Raises NotSearchable."""
        ...

    async def balance(self) -> Decimal | None:
        """What is left of our prepaid balance in EUR; None where nothing is prepaid."""
        ...

    def read_notice(self, said: Mapping[str, object]) -> Notice:
        """What a genuine webhook of the supplier is about."""
        ...


class Suppliers:
    """Every supplier of this deployment, by name."""

    def __init__(self, every: Iterable[Supplier]) -> None:
        self._by_name = {supplier.name: supplier for supplier in every}

    def __getitem__(self, name: str) -> Supplier:
        """Raises UnknownSupplier."""
        try:
            return self._by_name[name]
        except KeyError:
            raise UnknownSupplier(f"no supplier {name!r} is set up here") from None

    def __iter__(self) -> Iterator[Supplier]:
        return iter(self._by_name.values())

    @property
    def listings(self) -> list[Listing]:
        """The listings that the catalog is read from."""
        return [supplier.listing for supplier in self if supplier.listing is not None]
