"""The suppliers of this deployment: a line each."""

from app.providers.kit import Providers
from app.suppliers.kinguin import KinguinSupplier
from app.suppliers.own_stock import OwnStock
from app.suppliers.port import Suppliers

ADAPTERS: tuple[type[KinguinSupplier] | type[OwnStock], ...] = (KinguinSupplier, OwnStock)
TITLES = {adapter.name: adapter.title for adapter in ADAPTERS}
"""Each supplier's name in our rows, and the one that people know."""


BEFORE = "kinguin"
"""Whose product or listing a job is about that names none: one of a release that had no other supplier."""


def open_suppliers(kit: Providers) -> Suppliers:
    """Every supplier, on the provider clients that this process has open."""
    return Suppliers(adapter.open(kit) for adapter in ADAPTERS)


def title_of(name: str) -> str:
    """What people call a supplier; its bare name where this deployment has none of that name any more."""
    return TITLES.get(name, name)
