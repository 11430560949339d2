"""Doors for queues and time. ``dramatiq actors`` finds the broker and every actor here."""

from actors import catalog, fulfillment, house, keys, ledger, mail, payments, refunds
from actors.broker import broker

__all__ = ["broker", "catalog", "fulfillment", "house", "keys", "ledger", "mail", "payments", "refunds"]
