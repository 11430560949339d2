"""A merchant asks for money: one attempt to pay its order, or what is missing of it, and the attempt's calling off.

The attempt's row is what the merchant is answered; a job works on that very row.
"""

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from msgspec.structs import asdict, replace

from app.core import clock, db
from app.core.db import encode
from app.core.errors import Conflict, Invalid, NotFound
from app.core.i18n import _
from app.core.ids import new_id
from app.core.money import Money
from app.history import service as history
from app.orders import merchant_orders
from app.orders import service as orders
from app.orders.models import Order
from app.orders.states import OrderStatus
from app.payments import cards, queries, test_processor
from app.payments.create import CoinNotOffered, choose_coin, end_attempt, offered_coin, topped_up_in
from app.payments.handle_report import TEST_PROVIDER
from app.payments.models import AskedPayment, MerchantPayment
from app.payments.states import Failure, PaymentStatus
from app.payments.test_processor import Scenario
from app.queue import service as jobs

METHODS = ("crypto", "upi", "card")
PAYABLE = {"created", "waiting", "confirming", "underpaid"}  # states of a merchant's order
MOST_ATTEMPTS = 50  # of one order: whoever has its checkout may ask for them
RATE_HELD = timedelta(minutes=20)  # of a simulated coin, as of a real one (nowpayments.md, 5)


class MethodNotOffered(Invalid):
    title = "That payment method is not available"


class OrderNotPayable(Conflict):
    title = "This order can't be paid now"


class PaymentNotCancellable(Conflict):
    title = "This payment can't be cancelled any more"


class NoSuchPayment(NotFound):
    title = "No such payment"


async def create(order: Order, method: str, spec: Mapping[str, Any]) -> MerchantPayment:
    """Make a payment of a merchant's order, however it stands by now; see ``create_for``."""
    async with orders.changing(order.id) as locked:
        return await create_for(locked or order, method, spec)


async def create_for(order: Order, method: str, spec: Mapping[str, Any]) -> MerchantPayment:
    """Make a payment of a merchant's order, which is locked, pending. Returns its row as ``queries.of_merchant`` does.

    ``spec``: ``currency`` (crypto, optional), ``vpa`` (upi), or ``number``, ``expiry`` and ``cvv`` (card), and
    ``metadata``. Raises MethodNotOffered, BadCard, BadVpa, CoinNotOffered, BadCharge, BadDelay (each names its field)
    or OrderNotPayable.
    """
    payment_id, test = new_id(), bool(order.test)
    metadata = _metadata(spec)
    details, magic = _read(order, method, spec, metadata)
    delay = test_processor.delay_of(payment_id, metadata) if test else 0
    orders.held(order.id)
    _check_payable(order)
    attempts, brought = await _account(order)
    asked = await _asked(order, Money(order.total - brought, order.currency), method, spec)
    attempt = {
        "id": payment_id,
        "order_id": order.id,
        "method": method,
        "details": encode(details),
        **asdict(asked),
    }
    attempt["attempt"] = attempts + 1  # none is ever deleted
    if test:
        attempt |= {
            "provider": TEST_PROVIDER,
            "provider_payment_id": payment_id.hex,
            "pay_amount": test_processor.worth(asked),
        }
        work = test_processor.beginning(payment_id, order.id, test_processor.scenario_of(magic), delay)
    else:
        work = jobs.posting("payments.create_for_merchant", {"payment_id": str(payment_id)}, subject=order.id)
    (made,) = await db.write(work.write, queries.insertion(attempt, clock.now()))
    if order.status == "created":
        await orders.payment_requested(order.id, payment_id=str(payment_id), method=method)
    else:
        await history.record(order.id, "payment.pending", payment_id=str(payment_id), method=method)
    of_order = {name: getattr(order, name) for name in ("merchant_id", "test", "reference", "email", "email_typed")}
    fresh = {"order_status": OrderStatus.WAITING, "parked": False, "refunded": Decimal(0), "word": "pending"}
    return db.as_model(MerchantPayment, {**made, **of_order, **fresh})


def _metadata(spec: Mapping[str, Any]) -> dict[str, str]:
    given = spec.get("metadata") or {}
    return merchant_orders.checked_metadata({name: str(v) if isinstance(v, int) else v for name, v in given.items()})


def _read(
    order: Order, method: str, spec: Mapping[str, Any], metadata: Mapping[str, str]
) -> tuple[dict[str, object], Scenario | None]:
    """What may be kept of a request, and the scenario it asks for in test mode. A card's number ends here."""
    if method not in METHODS:
        raise MethodNotOffered(_("Choose one of %(names)s.", names=", ".join(METHODS)), field="method")
    if method != "crypto" and not order.test:
        raise MethodNotOffered("upi and card exist in test mode only. With a live key, use crypto.", field="method")
    more: dict[str, object] = {"metadata": dict(metadata)} if metadata else {}
    if method == "card":
        card = cards.read(spec, clock.now())
        return {"last4": card.last4, "network": card.network, **more}, test_processor.CARDS.get(card.number)
    if method == "upi":
        vpa = cards.vpa(spec.get("vpa"))
        return {"vpa": vpa, **more}, test_processor.VPAS.get(vpa.lower())
    wish = metadata.get("test") or order.metadata.get("test")
    return more, test_processor.CRYPTO.get(wish or "")


def _check_payable(order: Order) -> None:
    if order.merchant_id is None or order.status not in PAYABLE:
        said = _("The order is %(state)s: only one that waits for money can be paid.", state=order.status)
        raise OrderNotPayable(said, field="order_id")


async def _account(order: Order) -> tuple[int, Decimal]:
    """How many attempts there were and what they brought. Raises OrderNotPayable after too many."""
    if order.status == "created":
        return 0, Decimal(0)
    attempts, brought = await queries.account(order.id)
    if attempts >= MOST_ATTEMPTS:
        raise OrderNotPayable(
            _(
                "%(attempts)s attempts were made to pay this order, the most allowed. Create a new order.",
                attempts=attempts,
            ),
            field="order_id",
        )
    return attempts, brought


async def _asked(order: Order, missing: Money, method: str, spec: Mapping[str, Any]) -> AskedPayment:
    """How much, and in what: what is ``missing`` of the order's price."""
    currency = missing.currency
    if method != "crypto":
        return AskedPayment(missing.amount, currency, currency.lower())
    coin, price = await _coin(order, spec.get("currency"), missing)
    largest = await queries.largest(order.id)
    asked = AskedPayment(price.amount, currency, coin, tops_up=largest.id if largest else None)
    if not order.test:
        return asked
    found, address, until = await offered_coin(coin), f"test-{new_id().hex}", clock.now() + RATE_HELD
    return replace(asked, network=found.network, pay_address=address, expires_at=until)


async def _coin(order: Order, wanted: Any, missing: Money) -> tuple[str, Money]:
    """A coin of the list and what to ask in it; a rest that is too small for any coin is asked for at the minimum."""
    if wanted is not None and not isinstance(wanted, str):
        raise CoinNotOffered("Send the code of a coin, such as btc.", field="currency")
    try:
        if order.status == "underpaid" and wanted:
            return await topped_up_in(wanted, missing)
        return await choose_coin(wanted, missing), missing
    except CoinNotOffered as refused:
        raise CoinNotOffered(refused.detail, field="currency") from None


async def _row(merchant_id: UUID, test: bool, payment_id: UUID) -> MerchantPayment:
    found = await queries.of_merchant(merchant_id, test, payment_id)
    if found is None:
        raise NoSuchPayment
    return found


async def cancel(merchant_id: UUID, test: bool, payment_id: UUID) -> MerchantPayment:
    """The merchant calls a pending payment off; its order stays payable. Returns its row.

    Coins sent to it all the same are handled as late ones. Raises NoSuchPayment or PaymentNotCancellable.
    """
    async with orders.changing((await _row(merchant_id, test, payment_id)).order_id):
        payment = await _row(merchant_id, test, payment_id)
        if payment.status != PaymentStatus.WAITING:
            raise PaymentNotCancellable(
                _("The payment is already %(word)s: only a pending one can be cancelled.", word=payment.word)
            )
        await end_attempt(payment, PaymentStatus.EXPIRED, Failure.CANCELLED, "payment.cancelled")
        return await _row(merchant_id, test, payment_id)
