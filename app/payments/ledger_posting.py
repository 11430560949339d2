"""What payments tell the ledger, each inside the transaction in which it happens, after the order has moved."""

from uuid import UUID

from app.core.money import Money
from app.ledger import service as ledger
from app.ledger import uses
from app.ledger.states import UseKind
from app.ledger.tolerance import tolerance
from app.payments import queries
from app.payments.models import Payment


async def post_receipt(payment: Payment, value: Money) -> None:
    """``value`` is all that the payment has brought so far."""
    await ledger.receive(payment.order_id, payment.id, value)


async def post_sale(order_id: UUID, total: Money) -> None:
    """The order is settled: its price is ours. Raises MoneyTaken where other uses hold too much of its money."""
    await uses.take_price(order_id, total, (await tolerance(total.currency)).written_off(total))
    await ledger.charge(order_id, total)


async def end_top_up(order_id: UUID) -> None:
    """What was kept while the customer adds the rest is free again, unless an attempt still waits for that rest."""
    if not await queries.topping_up(order_id):
        await uses.release(order_id, UseKind.TOP_UP)


async def post_credit(order_id: UUID, amount: Money) -> None:
    """The customer takes a credit of money that bought nothing. Raises MoneyTaken."""
    await ledger.credited(order_id, amount, reference=await uses.give_credit(order_id, amount))
