"""Jobs of the payments room."""

from uuid import UUID

from actors.job import job
from app.payments import coins, service, test_processor
from app.payments.test_processor import Scenario
from app.providers.kit import Providers
from app.queue.aliases import argument
from app.queue.backoff import Retry
from app.queue.service import Lease

PATIENT = Retry(attempts=9, first=1, factor=2.5, longest=300)  # money is waiting: 12 minutes in all
NEEDS = ("nowpayments",)


@job("payments.create", retry=PATIENT, needs=NEEDS)
async def create(lease: Lease, kit: Providers) -> None:
    await service.open_payment(UUID(lease.args["order_id"]), nowpayments=kit.nowpayments, commit=lease.commit)


@job("payments.create_for_merchant", retry=PATIENT, needs=NEEDS)
async def create_for_merchant(lease: Lease, kit: Providers) -> None:
    await service.open_merchant_payment(
        UUID(lease.args["payment_id"]), nowpayments=kit.nowpayments, commit=lease.commit
    )


@job("payments.simulate", retry=Retry(attempts=12))
async def simulate(lease: Lease, kit: Providers) -> None:
    payment_id, scenario = UUID(lease.args["payment_id"]), Scenario(argument(lease, "scenario"))
    await test_processor.step(payment_id, scenario, int(argument(lease, "remaining_ms")), commit=lease.commit)


@job("payments.top_up", retry=PATIENT, needs=NEEDS)
async def top_up(lease: Lease, kit: Providers) -> None:
    order_id, coin = UUID(lease.args["order_id"]), lease.args["coin"]
    await service.open_top_up(order_id, coin, nowpayments=kit.nowpayments, commit=lease.commit)


@job("payments.apply_notice", retry=PATIENT, needs=NEEDS)
async def apply_notice(lease: Lease, kit: Providers) -> None:
    await service.apply_notice(UUID(lease.args["notice_id"]), nowpayments=kit.nowpayments, commit=lease.commit)


@job("payments.check", retry=Retry(attempts=3), needs=NEEDS)
async def check(lease: Lease, kit: Providers) -> None:
    await service.check(UUID(lease.args["payment_id"]), nowpayments=kit.nowpayments, commit=lease.commit)


@job("payments.close_forgotten", retry=Retry(attempts=3))
async def close_forgotten(lease: Lease, kit: Providers) -> None:
    await service.close_forgotten()
    await service.close_unopened()


@job("payments.sync_coins", retry=Retry(attempts=3), needs=NEEDS)
async def sync_coins(lease: Lease, kit: Providers) -> None:
    await coins.sync(nowpayments=kit.nowpayments)
