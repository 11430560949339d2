"""How many letters a mailbox may get in a day that nobody has paid for: whoever types an address sends one.

Every door that lets a stranger write to an address takes from here; ``FAMILIES`` has each kind of letter, and why the
others need no limit.
"""

import contextlib
from datetime import timedelta
from enum import StrEnum

import idna

from app.core.settings import settings
from app.quotas import service as quotas

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
MAILBOXES = 3  # whose daily shares one caller may use up in an hour: an office has several people
DOTLESS = {"gmail.com", "googlemail.com"}  # their mailboxes are the same with and without dots


class Family(StrEnum):
    """What a letter is about: a mailbox that is flooded with orders can still be signed in with."""

    ORDERS = "orders"
    LINKS = "links"
    REFUND_LINKS = "refund_links"
    INVITATIONS = "invitations"


FAMILIES: dict[str, Family] = {
    "order_received": Family.ORDERS,
    "login_link": Family.LINKS,
    "lookup_link": Family.LINKS,
    "email_confirm": Family.LINKS,
    "email_asked": Family.LINKS,  # bounded by CHANGES_A_DAY of an order
    "email_changed": Family.LINKS,  # bounded by CHANGES_A_DAY of an order, each proved by another mailbox
    "refund_asked": Family.REFUND_LINKS,
    "team_invited": Family.INVITATIONS,
}


def mailbox(email: str) -> str:
    """The mailbox that an address leads to, for counting: no tag, one spelling of the domain, at Gmail no dots."""
    name, _, domain = email.strip().lower().rpartition("@")
    name = name.strip('"').partition("+")[0] or name
    with contextlib.suppress(idna.IDNAError):
        domain = idna.encode(domain.rstrip("."), uts46=True).decode()
    if domain in DOTLESS:
        name, domain = name.replace(".", ""), "gmail.com"
    return f"{name}@{domain}"


async def take(family: Family, email: str, *, caller: str = "", own: bool = False) -> None:
    """Count a letter to a mailbox: LIMIT_MAILBOX a day, half of them in an hour. Raises TooManyAttempts.

    ``caller``: whose doing it is, as limits count callers; one may cause as many as MAILBOXES full shares in an hour.
    ``own``: the mailbox's owner signed in from there before. That caller has an allowance apart, so that a stranger who
    uses up the mailbox's can't lock its owner out.
    """
    most, whose = settings().limit_mailbox, counted_as(email, caller, own=own)
    if caller:
        await quotas.take(f"mail_{family}_caller", caller, most * MAILBOXES, HOUR)
    await quotas.take(f"mail_{family}_hour", whose, max(most // 2, 1), HOUR)
    await quotas.take(f"mail_{family}_day", whose, most, DAY)


def counted_as(email: str, caller: str, *, own: bool) -> str:
    """Under what the uses of a mailbox by a caller count: together, or for its ``own`` network apart."""
    return f"{mailbox(email)} {caller}" if own and caller else mailbox(email)


async def is_free(family: Family, email: str) -> bool:
    """Like ``take``, for a door that goes on without its letter."""
    return await quotas.is_free(f"mail_{family}_day", mailbox(email), settings().limit_mailbox, DAY)
