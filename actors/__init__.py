"""Doors for queues and time. ``dramatiq actors`` finds the broker and every actor here."""

from actors import audit, catalog, fulfillment, house, keys, ledger, mail, orders, payments, refunds, webhooks
from actors.broker import broker

__all__ = [
    "audit", "broker", "catalog", "fulfillment", "house", "keys", "ledger", "mail", "orders", "payments", "refunds",
    "webhooks",
]  # fmt: skip
