"""Doors for queues and time. ``dramatiq actors`` finds the broker and every actor here."""

from actors import audit, catalog, fulfillment, house, keys, mail, payments
from actors.broker import broker

__all__ = ["audit", "broker", "catalog", "fulfillment", "house", "keys", "mail", "payments"]
