"""NOWPayments: coins, payments, invoices, IPNs, and the ways in which a deposit can go."""

from dev.sandbox.nowpayments.routes import routes

__all__ = ["routes"]
