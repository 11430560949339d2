"""Resend: mails accepted into a mailbox, answers remembered by idempotency key, events by signed webhooks."""

from dev.sandbox.resend.routes import routes

__all__ = ["routes"]
