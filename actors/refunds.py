"""Jobs of the refunds room, and of the supplier's part in a refund."""

from decimal import Decimal
from uuid import UUID

from actors.job import job
from app.core.backoff import Retry
from app.core.money import Money
from app.fulfillment import returns
from app.providers.kit import Providers
from app.queue.service import Lease
from app.refunds import claim, payout, service, test_processor

PATIENT = Retry(attempts=12, first=1, factor=2.5, longest=600)  # money is promised: about an hour in all


@job("refunds.ask")
async def ask(lease: Lease, kit: Providers) -> None:
    args = lease.args
    amount = Money(Decimal(args["amount"]), args["currency"]) if args.get("amount") else None
    use_id, by = UUID(args["use_id"]) if args.get("use_id") else None, args.get("asked_by", "customer")
    async with lease.commit():
        await service.ask_for_rest(UUID(args["order_id"]), args["reason"], by, amount, use_id)


@job("refunds.simulate", retry=PATIENT)
async def simulate(lease: Lease, kit: Providers) -> None:
    await test_processor.step(UUID(lease.args["refund_id"]), int(lease.args["rest"]), commit=lease.commit)


@job("refunds.check_address", retry=PATIENT)
async def check_address(lease: Lease, kit: Providers) -> None:
    await claim.check_address(UUID(lease.args["refund_id"]), payouts=kit.payouts, commit=lease.commit)


@job("refunds.follow", retry=Retry(attempts=3))
async def follow(lease: Lease, kit: Providers) -> None:
    await payout.follow(UUID(lease.args["refund_id"]), payouts=kit.payouts, commit=lease.commit)


@job("refunds.return_keys", retry=PATIENT, needs=("kinguin",))
async def return_keys(lease: Lease, kit: Providers) -> None:
    await returns.give_back(UUID(lease.args["order_id"]), kinguin=kit.kinguin, commit=lease.commit)


@job("refunds.check_return", retry=PATIENT, needs=("kinguin",))
async def check_return(lease: Lease, kit: Providers) -> None:
    reservation_id, look = UUID(lease.args["reservation_id"]), int(lease.args["look"])
    await returns.check(reservation_id, look, kinguin=kit.kinguin, commit=lease.commit)
