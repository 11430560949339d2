"""Kinguin's buyer API: an invented catalogue, a pre-paid balance, and orders that buy at once."""

from dev.sandbox.kinguin.routes import routes

__all__ = ["routes"]
