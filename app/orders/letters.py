"""Letters about an order, each with a link that proves the address."""

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.accounts import service as accounts
from app.catalog import conditions
from app.core import db
from app.core.db import Write
from app.core.errors import NotFound
from app.core.money import Money
from app.core.settings import settings
from app.issues import service as issues
from app.issues.codes import IssueCode
from app.mail import queries as mail_rows
from app.mail import service as mail
from app.mail.kinds import KINDS
from app.mail.models import SentLetter
from app.mail.states import LetterStatus
from app.orders.changing import changing
from app.orders.models import Order, OwnOrder, SoldItem

NOT_HAD = {
    LetterStatus.FAILED: "refused",
    LetterStatus.BOUNCED: "returned",
    LetterStatus.COMPLAINED: "marked as spam, so no more emails reach that address",
}


class NoSuchLetter(NotFound):
    title = "No such email"


def short(order_id: UUID) -> str:
    """How people name an order: the last eight characters of its id, the random ones."""
    return order_id.hex[-8:].upper()


def drafted(
    order_id: UUID, email: str, kind: str, items: list[dict[str, object]], *, total: str, **more: Any
) -> tuple[Write, ...]:
    """A letter about an order, with its link, as writes. ``more`` is what this kind says beyond the bill."""
    link_id, link = accounts.linking(email, "order", order_id)
    context = {
        "order_short_id": short(order_id),
        "items": items,
        "total": total,
        "link_id": link_id,
        "days": accounts.ORDER_LIFETIME.days,
        **more,
    }
    return link, *mail.draft(kind, email, context, about=order_id).writes


def kept_until(paid_at: datetime) -> str:
    """The last day on which the keys of an order that was paid then are sure to be on its page: ``28 Nov 2027``."""
    return f"{paid_at + timedelta(days=settings().retention_days):%d %b %Y}".lstrip("0")


async def write(order: Order, kind: str, **more: Any) -> None:
    """Write to an order's customer, in the surrounding transaction. ``more``: see ``app.mail.kinds``."""
    sql = "SELECT name, quantity, conditions FROM order_item WHERE order_id = $1"
    rows: list[dict[str, object]] = [
        {"name": item.name, "quantity": item.quantity, "conditions": sold.lines if sold else []}
        for item in await db.fetch_as(SoldItem, sql, order.id)
        for sold in [conditions.of_item(item.conditions)]
    ]
    total = str(Money(order.total, order.currency))
    await db.write(*drafted(order.id, order.email, kind, rows, total=total, **more))


async def record_delivery(letter: SentLetter) -> None:
    """What became of a letter is news about its order: one that a customer does not have is put before the owner.

    An unpaid order is nobody's loss, and anybody can place one with any address. A merchant's customer is for the
    merchant to tell, which reads it of the refund.
    """
    sql = "SELECT id, paid_at FROM customer_order WHERE id = $1 AND merchant_id IS NULL"
    order = await db.fetch_one_as(OwnOrder, sql, letter.subject)
    if order is None:
        return
    subject = f"order:{order.id}"
    if letter.status in NOT_HAD and (order.paid_at or letter.kind != "order_received"):
        why = f": {letter.error}" if letter.error else ""
        said = f"The email “{KINDS[letter.kind].title}” to {letter.recipient} was {NOT_HAD[letter.status]}{why}."
        await issues.open_issue(subject, IssueCode.LETTER_UNDELIVERED, said)
    elif letter.status in {LetterStatus.SENT, LetterStatus.DELIVERED}:
        now = await mail_rows.reach(order.id, letter.recipient)
        if now is not None and now.reached:
            await issues.resolve(subject, IssueCode.LETTER_UNDELIVERED)


async def resend(order_id: UUID, mail_id: UUID) -> UUID:
    """Write a letter about an order once more, to the order's address of today, with a fresh link. Returns its id.

    Raises NoSuchLetter. A refund's letter is sent again by its refund, which its link belongs to.
    """
    async with changing(order_id) as order:
        written = await mail_rows.content(mail_id, order_id)
        if written is None or order is None or not order.email:
            raise NoSuchLetter
        link_id, link = accounts.linking(order.email, "order", order_id)
        letter = mail.draft(
            written.kind, order.email, json.loads(written.context) | {"link_id": link_id}, about=order_id
        )
        await db.write(link, *letter.writes)
    return letter.id
