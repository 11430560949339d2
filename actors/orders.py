"""Jobs of the orders room."""

from uuid import UUID

from actors.job import job
from app.orders import email_lookup
from app.providers.kit import Providers
from app.queue.service import Lease


@job("orders.mail_lookup")
async def mail_lookup(lease: Lease, kit: Providers) -> None:
    await email_lookup.answer(UUID(lease.args["link_id"]), commit=lease.commit)
