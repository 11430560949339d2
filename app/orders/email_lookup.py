"""Finding one's orders by email. Whether there are any is looked at by a job: neither the answer nor its time tells."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from uuid import UUID

from app.accounts import service as accounts
from app.accounts.tables import Link
from app.core import clock, db
from app.mail import service as mail
from app.orders import queries
from app.queue import service as jobs


async def request(email: str) -> None:
    """Have a link to all orders of ``email`` mailed to it, if there are any. The same work for every address."""
    link_id, link = accounts.linking(email, "login")
    await db.write(link, jobs.posting("orders.mail_lookup", {"link_id": str(link_id)}).write)


async def answer(link_id: UUID, *, commit: Callable[[], AbstractAsyncContextManager[None]]) -> None:
    """Mail the link, where its address has an order of the shop's. Its time begins now, however long the job waited."""
    link = await Link.objects().get(Link.id == link_id)
    if link is None or not await queries.any_of(link.email):
        return
    context = {"link_id": link_id, "minutes": accounts.LOGIN_LIFETIME.seconds // 60}
    now = clock.now()
    async with commit():
        await Link.update({Link.created_at: now, Link.expires_at: now + accounts.LOGIN_LIFETIME}).where(
            Link.id == link_id
        )
        await db.write(*mail.draft("lookup_link", link.email, context).writes)
