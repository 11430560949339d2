"""An order's email put right: asked for on its page, proved at the new address, and the old one told."""

from uuid import UUID

from app.accounts import service as accounts
from app.accounts.addresses import masked
from app.accounts.service import Asker
from app.catalog import credits
from app.core import db
from app.core.errors import Invalid
from app.history import service as history
from app.mail import mailboxes
from app.mail import service as mail
from app.mail.mailboxes import DAY, Family
from app.orders import models
from app.orders.changing import held
from app.orders.letters import short
from app.orders.tables import Order
from app.quotas import service as quotas

CHANGES_A_DAY = 5  # addresses that may be written to about one order


class SameEmail(Invalid):
    title = "This order already has that email"


async def request(order: models.Order, email: str, asker: Asker, *, caller: str = "") -> bool:
    """Mail a link to the new address; nothing changes before it is used. A link that was asked for earlier ends.

    The old address is told at once: whoever asks may not be its owner. The order's own address calls off what was
    asked for earlier. ``asker``: whose signing out voids the link. ``caller``: who asks, as limits count callers.
    Returns whether a link was mailed. Raises SameEmail where there is nothing to call off, and TooManyAttempts.
    """
    if email == order.email:
        if not await accounts.end_links(order.id, "email"):
            raise SameEmail("Enter a different address.", field="email")
        return False
    await quotas.take("order_emails", str(order.id), CHANGES_A_DAY, DAY)
    await mailboxes.take(Family.LINKS, email, caller=caller)
    link_id, link = accounts.linking(email, "email", order.id, asker=asker)
    said = {"order_short_id": short(order.id), "hours": accounts.EMAIL_HOURS}
    told = said | {"email": masked(email), "path": f"/orders/{order.id}/email"}
    async with db.transaction():
        await accounts.end_links(order.id, "email")
        confirming = mail.draft("email_confirm", email, said | {"link_id": link_id}, about=order.id)
        await db.write(link, *confirming.writes)
        await db.write(*mail.draft("email_asked", order.email, told, about=order.id).writes)
    return True


async def confirm(order_id: UUID, email: str, browser: UUID | None) -> str:
    """The order is the new address's from now on, under the order's lock. Returns the old address.

    What was mailed to the old one opens nothing any more, nor does what it opened before: whoever reads that mailbox
    may have used it. ``browser``, which asked for the change, keeps its access. The order's credit moves along, and the
    old address is told.
    """
    old = held(order_id).email
    await Order.update(
        {
            Order.email: email,
            Order.email_typed: None,
            Order.access_epoch: Order.access_epoch + 1,
            Order.access_browser: browser,
        }
    ).where(Order.id == order_id)
    await accounts.end_links(order_id, "order", "refund", "email")
    await credits.readdress(order_id, email)
    await history.record(order_id, "order.email_changed")
    told = {"order_short_id": short(order_id), "email": masked(email)}
    await db.write(*mail.draft("email_changed", old, told, about=order_id).writes)
    return old
