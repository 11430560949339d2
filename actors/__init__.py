"""Dramatiq actors and the scheduler. ``dramatiq actors`` finds the broker and every actor here."""

from actors import audit, catalog, fulfillment, keys, ledger, mail, maintenance, orders, payments, refunds, webhooks
from actors.broker import broker
from app.fulfillment import outage_timeline, stuck_orders
from app.queue.hooks import hooks

hooks.on_wait, hooks.on_probe, hooks.on_resume = outage_timeline.begin, outage_timeline.probe, outage_timeline.end
hooks.on_dead_letter = stuck_orders.given_up

__all__ = [
    "audit", "broker", "catalog", "fulfillment", "keys", "ledger", "mail", "maintenance", "orders", "payments",
    "refunds", "webhooks",
]  # fmt: skip
