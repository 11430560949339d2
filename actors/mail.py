"""Jobs of the mail room."""

from uuid import UUID

from actors.job import job
from app.mail import notices, service
from app.orders import letters
from app.providers.kit import Providers
from app.queue.backoff import Retry
from app.queue.service import Lease

# Within 23 hours in all: after 24 the provider forgets the idempotency key and would send twice (resend.md, 4).
PATIENT = Retry(attempts=12, first=2, factor=2.5, longest=3600)


@job("mail.send", retry=PATIENT)
async def send(lease: Lease, kit: Providers) -> None:
    await service.send(
        UUID(lease.args["mail_id"]), resend=kit.resend, commit=lease.commit, record=letters.record_delivery
    )


@job("mail.apply_notice")
async def apply_notice(lease: Lease, kit: Providers) -> None:
    await notices.apply(UUID(lease.args["notice_id"]), commit=lease.commit, record=letters.record_delivery)
