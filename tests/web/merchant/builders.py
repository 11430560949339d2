"""What a merchant holds: paid orders, endpoints, and what they were told."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from app.core import clock, db
from app.core.money import Money
from app.orders import merchant_orders
from app.orders.models import Order
from app.payments import create_for_merchants, queries
from app.payments.models import MerchantPayment
from app.webhooks import service as webhooks
from tests.conftest import free_port
from tests.web.merchant.conftest import Member

URL = f"http://localhost:{free_port()}/webhooks"  # nobody listens
ATTEMPTS = 5


async def charged(member: Member, amount: str = "20.00", *, test: bool = True, reference: str = "cart-1") -> Order:
    money = Money(Decimal(amount), "USD")
    return await merchant_orders.create(
        member.merchant_id, test=test, amount=money, reference=reference, email="buyer@else.test"
    )


async def paid(
    member: Member, drain: Any, amount: str = "20.00", *, vpa: str = "success@test", **more: Any
) -> MerchantPayment:
    """A payment of test mode that has ended, with what its endpoints were told."""
    order = await charged(member, amount, **more)
    made = await create_for_merchants.create(order, "upi", {"vpa": vpa, "metadata": {"test_delay": "0"}})
    await drain(later=True)
    row = await queries.of_merchant(member.merchant_id, True, made.id)
    assert row is not None
    return row


async def endpoint(member: Member, *, url: str = URL, test: bool = True) -> UUID:
    row, _ = await webhooks.add(member.merchant_id, test=test, url=url)
    found: UUID = row.id
    return found


async def failed_delivery(member: Member, drain: Any, amount: str = "20.00") -> dict[str, Any]:
    """A delivery that is out of attempts: nobody listens at its endpoint."""
    await endpoint(member)
    await paid(member, drain, amount)
    for minutes in range(1, ATTEMPTS):  # test mode tries again after seconds
        with clock.travelled(timedelta(minutes=minutes)):
            await webhooks.post_due()
            await drain()
    row = await db.fetch_one("SELECT * FROM delivery WHERE status = 'failed' ORDER BY id LIMIT 1")
    assert row is not None
    return dict(row)
