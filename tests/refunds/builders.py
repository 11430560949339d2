"""Orders whose money is booked, and refunds brought to a point."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from app.accounts import service as accounts
from app.core import clock, db
from app.core.money import Money
from app.core.tokens import link_token
from app.ledger import service as ledger
from app.orders import service as orders
from app.orders.models import OrderItem
from app.refunds import claim, queries, service
from app.refunds.models import Refund
from tests.builders import NOW, delivered, look, offered, order, paid

ADDRESS = "TFake" + "x" * 29  # of Tron, as the sandbox takes them
ADMIN = "admin boss@bitloot.test"


def usd(text: str) -> Money:
    return Money(Decimal(text), "USD")


async def booked(order_id: UUID) -> UUID:
    """The order with what arrived in its books, and its price taken where it is paid. A stablecoin is a dollar."""
    async with orders.changing(order_id):
        await db.fetch("UPDATE payment SET value = round(actually_paid, 2) WHERE order_id = $1 AND value = 0", order_id)
        found = await order(order_id)
        for payment in await db.fetch("SELECT id, value FROM payment WHERE order_id = $1", order_id):
            await ledger.receive(order_id, payment["id"], Money(payment["value"], found.currency))
        if found.status in {"paid", "fulfilled"}:
            await ledger.charge(order_id, Money(found.total, found.currency))
    return order_id


async def underpaid(kit: Any, box: Any, fraction: str = "0.4", **more: Any) -> UUID:
    """An order of which a part was paid."""
    order_id, payment = await offered(kit, **more)
    await box.pay(payment.provider_payment_id, "partially_paid", fraction)
    await look(kit, payment)
    return await booked(order_id)


async def paid_for(kit: Any, box: Any, *quantities: int, **more: Any) -> UUID:
    """An order that is paid, and nothing bought yet."""
    return await booked((await paid(kit, box, *quantities, **more))[0])


async def fulfilled(kit: Any, box: Any, *quantities: int, **more: Any) -> tuple[UUID, list[OrderItem]]:
    """An order with its keys sealed, and its items."""
    order_id, items = await delivered(kit, box, *quantities, **more)
    return await booked(order_id), items


async def asked(order_id: UUID, amount: Money | None = None, reason: str = "as promised") -> Refund:
    """A refund of it, all that is left unless an amount is given."""
    refund_id = await service.ask(order_id, amount or await queries.refundable(order_id), reason, ADMIN)
    return await refund(refund_id)


async def refund(refund_id: UUID) -> Refund:
    found = await queries.one(refund_id)
    assert found is not None
    return found


def token(of: Refund) -> str:
    """The token of the claim link that was mailed last."""
    return link_token(of.link_id)


async def claimed(of: Refund, coin: str = "usdttrc20", address: str = ADDRESS, memo: str = "") -> None:
    await claim.claim(token(of), await claim.parse(coin, address, memo))


async def checked(kit: Any, of: Refund, **more: Any) -> Refund:
    """The refund with an address that the provider takes."""
    await claimed(of, **more)
    await claim.check_address(of.id, payouts=kit.payouts, commit=NOW)
    return await refund(of.id)


async def approved(kit: Any, of: Refund) -> Refund:
    """The refund with its payout allowed and nothing asked of the provider yet."""
    await checked(kit, of)
    await service.approve(of.id, ADMIN)
    return await refund(of.id)


async def payouts(box: Any) -> list[dict[str, Any]]:
    """What the provider's books say was paid out, or asked for."""
    return [row for batch in await box.asks("GET", "payouts") for row in batch["withdrawals"]]


async def end_payout(box: Any, of: Refund, action: str) -> None:
    await box.asks("POST", f"payouts/{of.batch_id}", json={"action": action})


def later(**much: float) -> Any:
    return clock.travelled(timedelta(**much))


async def link_of_purpose(email: str, purpose: str, order_id: UUID) -> str:
    return link_token(await accounts.issue_link(email, purpose, order_id))
