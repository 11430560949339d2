"""Jobs of the refunds room."""

from decimal import Decimal
from uuid import UUID

from actors.job import job
from app.core.money import Money
from app.providers.kit import Providers
from app.queue.aliases import argument
from app.queue.backoff import Retry
from app.queue.service import Lease
from app.refunds import claim, payout, service, test_processor

PATIENT = Retry(attempts=12, first=1, factor=2.5, longest=600)  # money is promised: 47 minutes in all


@job("refunds.request")
async def request(lease: Lease, kit: Providers) -> None:
    args = lease.args
    amount = Money(Decimal(args["amount"]), args["currency"]) if args.get("amount") else None
    use_id, by = UUID(args["use_id"]) if args.get("use_id") else None, args.get("asked_by", "customer")
    async with lease.commit():
        await service.ask_for_rest(UUID(args["order_id"]), args["reason"], by, amount, use_id)


@job("refunds.simulate", retry=PATIENT)
async def simulate(lease: Lease, kit: Providers) -> None:
    refund_id, remaining_ms = UUID(lease.args["refund_id"]), int(argument(lease, "remaining_ms"))
    await test_processor.step(refund_id, remaining_ms, commit=lease.commit)


@job("refunds.check_address", retry=PATIENT)
async def check_address(lease: Lease, kit: Providers) -> None:
    await claim.check_address(UUID(lease.args["refund_id"]), payouts=kit.payouts, commit=lease.commit)


@job("refunds.follow", retry=Retry(attempts=3))
async def follow(lease: Lease, kit: Providers) -> None:
    await payout.follow(UUID(lease.args["refund_id"]), payouts=kit.payouts, commit=lease.commit)
