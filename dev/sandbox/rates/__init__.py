"""Exchange rates as a Frankfurter server gives the European Central Bank's: one EUR in other currencies, by day."""

from dev.sandbox.rates.routes import routes

__all__ = ["routes"]
