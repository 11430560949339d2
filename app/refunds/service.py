"""Asking for a refund, deciding on it, and what follows when it is paid.

How much may go back is decided under the order's lock, and so is whether its keys may still be shown: a refund of
everything locks them in the transaction that makes it.
"""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from app.accounts import service as accounts
from app.core import clock, db
from app.core.errors import Conflict, Invalid, NotFound
from app.core.i18n import N_, _
from app.core.ids import new_id
from app.core.money import Money
from app.core.settings import settings
from app.core.state_machine import move
from app.history import service as history
from app.issues.codes import IssueCode
from app.keys import reveal as keys
from app.ledger import queries as books
from app.ledger import service as ledger
from app.ledger import uses
from app.ledger.states import UseKind
from app.ledger.uses import Funds
from app.mail import service as mail
from app.orders import queries as order_rows
from app.orders import service as orders
from app.orders.models import Order
from app.payments import ledger_posting
from app.payments import queries as payments
from app.payments.reweighing import promised, reweigh
from app.queue import service as jobs
from app.refunds import evidence, models, queries, store_credit
from app.refunds.states import MOVES, RefundStatus
from app.refunds.tables import Refund

REASON = 300  # characters of a reason that are kept
REJECTED = "rejected: "  # how the error of a refund that a person turned down begins
TX_HASH = re.compile(r"[0-9A-Za-z+/=_-]{16,200}")
UNCOVERED = N_("the payment provider has sent this money back itself, so it is not sent a second time")
SETTLED_WORDS = {"failed", "rejected"}  # the provider's words after which no money leaves by itself


class NoSuchRefund(NotFound):
    title = "No such refund"


class MoneyMoved(Conflict):
    title = "This order’s money has changed meanwhile"


class TooMuch(Conflict):
    title = "That is more than can be refunded"


class ReasonNeeded(Invalid):
    title = "This refund needs a reason"


class NotDecidable(Conflict):
    title = "That can't be done with this refund now"


async def ask(order_id: UUID, amount: Money, reason: str, asked_by: str, *, seen: Decimal | None = None) -> UUID:
    """Make a refund of ``amount`` and mail the customer a link to name an address. Returns its id.

    A refund of all that is left locks the keys nobody has seen, and holds the order. ``seen``: how much could go back
    when it was decided on; what was owed then may be the customer's credit now, and the same amount the price of a key.
    Raises TooMuch, MoneyMoved, and ReasonNeeded where a key was shown and no reason is given.
    """
    async with orders.changing(order_id) as order:
        if order is None:
            raise NoSuchRefund
        await ledger_posting.end_top_up(order_id)
        funds = await uses.funds(order_id)
        left = funds.returnable
        if seen is not None and left.amount < seen:
            raise MoneyMoved(
                _("%(amount)s can be refunded now. Reload the page and decide again.", amount=left), field="amount"
            )
        _within(amount, funds)
        found = await evidence.gather(order_id)
        merchants = order.merchant_id is not None
        if found.shown and not reason.strip():
            raise ReasonNeeded("A key of this order was revealed. Say why you refund it anyway.", field="reason")
        refund_id = new_id()
        await uses.reserve(order_id, UseKind.REFUND, amount, reference(refund_id))
        if amount == funds.returnable and not funds.top_up and not merchants:
            await _hold(order_id)
        await db.fetch(
            """INSERT INTO refund (id, order_id, status, amount, currency, reason, asked_by, evidence, coin, created_at)
               VALUES ($1, $2, 'pending', $3, $4, $5, $6, $7, $8, $9)""",
            refund_id, order_id, amount.amount, amount.currency, reason.strip()[:REASON], asked_by[:340],
            msgspec.json.encode(found).decode(), order.pay_currency, clock.now(),
        )  # fmt: skip
        kind = "refund.pending" if merchants else "refund.asked"
        await history.record(order_id, kind, refund=str(refund_id), refund_id=str(refund_id), amount=amount.as_json())
        if order.test:
            await simulate(refund_id, order_id)
        else:
            await invite(refund_id, order, "refund_asked")
        await promised(order)
    return refund_id


def reference(refund_id: UUID) -> str:
    """What the use of a refund's money is called."""
    return f"refund:{refund_id}"


async def simulate(refund_id: UUID, order_id: UUID, *, wait: timedelta | None = None, remaining_ms: int = 0) -> None:
    """No money of test mode leaves: ``test_processor.step`` takes the refund a step on, by ``remaining_ms``."""
    args, dedupe = {"refund_id": str(refund_id), "remaining_ms": remaining_ms}, f"refunds.simulate:{refund_id}"
    await jobs.post("refunds.simulate", args, subject=order_id, dedupe=dedupe, wait=wait)


async def ask_for_rest(
    order_id: UUID, reason: str, asked_by: str, amount: Money | None = None, use_id: UUID | None = None
) -> UUID | None:
    """Like ``ask``, for all that is left unless an amount is named; None where nothing is left.

    ``use_id``: the use that reserved the ``amount`` when the customer chose to have it back.
    """
    async with orders.changing(order_id):
        wanted = amount or await queries.refundable(order_id)
        if use_id is not None and not await uses.give_up(order_id, use_id):
            return None  # its refund stands already
        return await ask(order_id, wanted, reason, asked_by) if wanted.amount > 0 else None


def _within(amount: Money, funds: Funds) -> None:
    left = funds.returnable
    if amount.currency != left.currency or amount.amount <= 0:
        raise TooMuch(_("Enter an amount in %(currency)s above zero.", currency=left.currency), field="amount")
    if not amount <= left:
        kept = Money(funds.top_up, funds.currency)
        said = _("At most %(amount)s of this order can still be refunded.", amount=left)
        if kept.amount:
            said = f"{said} {_('%(amount)s is kept while the customer adds the rest.', amount=kept)}"
        raise TooMuch(said, field="amount")


async def _hold(order_id: UUID) -> None:
    """Everything goes back: no key of the order is shown any more, none is bought, and what can be is returned."""
    await orders.freeze(order_id)
    await keys.lock(order_id)
    args, dedupe = {"order_id": str(order_id)}, f"fulfillment.return_keys:{order_id}"
    await jobs.post("fulfillment.return_keys", args, subject=order_id, dedupe=dedupe)


async def invite(refund_id: UUID, order: Order, kind: str, **more: Any) -> None:
    """Mail the customer a fresh claim link; the one before stops working.

    A merchant's customer may be known to the merchant alone, which hands the link on.
    """
    refund = await find(refund_id)
    link_id, link = accounts.linking(order.email, "refund", order.id)
    context = _context(order, refund) | {"link_id": link_id, "days": accounts.ORDER_LIFETIME.days} | more
    if seller := await order_rows.seller(order):
        context |= {"seller": seller, "order_short_id": order.reference}
    mailed = order.email and not order.test  # in test mode nobody is mailed: the merchant hands the link on
    letter = mail.draft(kind, order.email, context, about=order.id).writes if mailed else ()
    await db.write(link, *letter)
    await Refund.update({Refund.link_id: link_id}).where(Refund.id == refund_id)


async def _tell(refund: models.Refund, kind: str, **more: Any) -> None:
    """Mail the customer how a refund went, with a link to the order. A merchant tells its own customers."""
    order = orders.held(refund.order_id)
    if order.merchant_id is not None:
        return
    link_id, link = accounts.linking(order.email, "order", order.id)
    context = _context(order, refund) | {"link_id": link_id} | more
    await db.write(link, *mail.draft(kind, order.email, context, about=order.id).writes)


def _context(order: Order, refund: models.Refund) -> dict[str, object]:
    amount = Money(refund.amount, refund.currency)
    return {"order_short_id": orders.short(order.id), "amount": str(amount), "why": refund.reason}


async def find(refund_id: UUID) -> models.Refund:
    refund = await queries.one(refund_id)
    if refund is None:
        raise NoSuchRefund
    return refund


@asynccontextmanager
async def changing(refund_id: UUID) -> AsyncIterator[tuple[Order, models.Refund]]:
    """The unit of work of its order, see ``orders.changing``, and the refund's row as it stands under that lock.

    Raises NoSuchRefund.
    """
    async with orders.changing((await find(refund_id)).order_id) as order:
        assert order is not None
        yield order, await find(refund_id)


async def approve(refund_id: UUID, by: str) -> None:
    """Let the payout begin. Raises NotDecidable: no address yet, no payout login, decided before, or ``uncovered``."""
    async with changing(refund_id) as (order, refund):
        if not settings().pays_out:
            raise NotDecidable("No payout login is set. Send the coins yourself and record the transaction.")
        if refund.checked_at is None:
            raise NotDecidable("The customer has not given an address that passed the check yet.")
        if await queries.uncovered(refund):
            raise NotDecidable(_("Not approved: %(why)s. Reject this refund.", why=_(UNCOVERED)))
        now = clock.now()
        also = {Refund.approved_by: by[:340], Refund.approved_at: now, Refund.next_check_at: now, Refund.checks: 0}
        if await move(Refund, refund_id, RefundStatus.PROCESSING, MOVES, also=also) is None:
            raise NotDecidable(_("It is %(state)s already.", state=refund.status))
        named = str(refund_id)
        await history.record(refund.order_id, "refund.approved", refund=named, refund_id=named)
        await _processing(order, refund_id)
        await post_follow(refund_id, refund.order_id)


async def end_uncovered(refund: models.Refund) -> bool:
    """End a refund unpaid where its money went back already. Under the order's lock. False where it may be sent."""
    if not await queries.uncovered(refund):
        return False
    if refund.status == RefundStatus.PENDING:
        await move(Refund, refund.id, RefundStatus.PROCESSING, MOVES)
    await failed(refund, UNCOVERED)
    return True


async def _processing(order: Order, refund_id: UUID) -> None:
    """A merchant is told that its refund is being sent."""
    if order.merchant_id is not None:
        await history.record(order.id, "refund.processing", refund_id=str(refund_id))


async def post_follow(refund_id: UUID, order_id: UUID) -> None:
    args = {"refund_id": str(refund_id)}
    await jobs.post("refunds.follow", args, subject=order_id, dedupe=f"refunds.follow:{refund_id}")


async def record(refund_id: UUID, tx_hash: str, by: str) -> None:
    """A person has sent the coins: keep the transaction. Raises NotDecidable unless it still waits."""
    tx_hash = tx_hash.strip()
    if not TX_HASH.fullmatch(tx_hash):
        raise Invalid("Paste the transaction's hash: 16 to 200 letters and digits.", field="tx_hash")
    async with changing(refund_id) as (order, refund):
        also = {Refund.approved_by: by[:340], Refund.approved_at: clock.now(), Refund.by_hand: True}
        if await move(Refund, refund_id, RefundStatus.PROCESSING, MOVES, also=also) is None:
            raise NotDecidable(_("It is %(state)s: only a pending one can be recorded by hand.", state=refund.status))
        await _processing(order, refund_id)
        await paid(refund, tx_hash=tx_hash)


async def paid(refund: models.Refund, *, tx_hash: str | None, fee: Decimal | None = None) -> None:
    """The money has left: book it, tell the customer, and close the order when all of it went back.

    Under the order's lock. ``fee`` in coins. Does nothing for a refund that is not processing.
    """
    order_id, amount = refund.order_id, Money(refund.amount, refund.currency)
    also = {Refund.tx_hash: tx_hash, Refund.error: None, Refund.next_check_at: None, Refund.ended_at: clock.now()}
    if await move(Refund, refund.id, RefundStatus.PROCESSED, MOVES, also=also) is None:
        return
    await ledger.refunded(order_id, refund.id, amount)
    await orders.resolve_reasons(order_id, {IssueCode.PAYOUT_STUCK})
    if fee and refund.pay_amount:
        cost = Money(amount.amount * fee / refund.pay_amount, amount.currency)
        await ledger.fee(order_id, f"refund:{refund.id}", cost)
    if refund.payment_id is not None:
        await payments.touch(refund.payment_id)
    named = str(refund.id)
    await history.record(order_id, "refund.processed", refund=named, refund_id=named, amount=amount.as_json())
    left = (await books.received(order_id)) - (await books.refunded(order_id)) - (await books.credited(order_id))
    back = None if left.amount > 0 else await orders.refunded(order_id, keep=await store_credit.kept(order_id))
    await _tell(refund, "refund_paid", tx_hash=tx_hash or "", credit=str(back or ""))


async def fail(refund_id: UUID, reason: str, by: str) -> None:
    """A person turns it down, or gives up a payout that the provider has ended. The customer is told why.

    Raises NotDecidable while money may still leave by itself, and ReasonNeeded.
    """
    if not reason.strip():
        raise ReasonNeeded("Say why: the customer will read it.", field="reason")
    async with changing(refund_id) as (order, refund):
        on_its_way = refund.asked_at is not None and refund.payout_status not in SETTLED_WORDS
        if refund.status == RefundStatus.PROCESSING and on_its_way:
            raise NotDecidable("The payout may still go out. Wait for the provider's final status.")
        if refund.status == RefundStatus.PENDING:
            await move(Refund, refund_id, RefundStatus.PROCESSING, MOVES, also={Refund.approved_by: by[:340]})
        if not await _end_unpaid(refund, REJECTED + reason.strip()):
            raise NotDecidable(_("It is %(state)s already.", state=refund.status))
        await _tell(refund, "refund_rejected", why=reason.strip()[:REASON])
        if order.merchant_id is None and not await uses.reserved(order.id, UseKind.REFUND):
            await _release(order.id)
            await orders.choose_anew(order.id)
        await _freed(order, "was turned down")


async def _release(order_id: UUID) -> None:
    """The keys are the customer's again, as far as they are still ours to give."""
    await orders.unfreeze(order_id)
    if not await keys.unlock(order_id):
        said = "refund turned down, but its keys went back to the supplier"
        await orders.open_reason(order_id, IssueCode.KEYS_WENT_BACK, said)


async def _freed(order: Order, how: str) -> None:
    """Money is free again, as its refund ended unpaid: the order takes its price of it, or its customer decides anew.

    The order's page offers it, and a person knows of it; money of units that the customer took back, too: their keys
    don't come any more. A merchant settles with its own customers. ``how`` the refund ended.
    """
    if await reweigh(order.id) or order.merchant_id is not None or order.test:
        return
    left = (await uses.funds(order.id)).undecided
    if left.amount:
        await orders.open_reason(order.id, IssueCode.REFUND_NOT_SENT, f"{left} is owed back: its refund {how}")


async def failed(refund: models.Refund, error: str) -> bool:
    """It ends unpaid and may be retried; its keys stay locked. False if it was not processing."""
    if ended := await _end_unpaid(refund, error):
        await _freed(orders.held(refund.order_id), "failed")
    return ended


async def _end_unpaid(refund: models.Refund, error: str) -> bool:
    also = {Refund.error: error[:REASON], Refund.next_check_at: None, Refund.ended_at: clock.now()}
    if await move(Refund, refund.id, RefundStatus.FAILED, MOVES, also=also) is None:
        return False
    await uses.release(refund.order_id, UseKind.REFUND, reference(refund.id))
    await orders.resolve_reasons(refund.order_id, {IssueCode.PAYOUT_STUCK})
    named = str(refund.id)
    await history.record(refund.order_id, "refund.failed", refund=named, refund_id=named, why=error[:REASON])
    return True


async def retry(refund_id: UUID, by: str) -> None:
    """An admin puts a failed refund back, under a new name at the provider; if that much is still refundable."""
    async with changing(refund_id) as (order, refund):
        if refund.status != RefundStatus.FAILED:
            raise NotDecidable(_("It is %(state)s: only a failed one can be retried.", state=refund.status))
        funds, amount = await uses.funds(order.id), Money(refund.amount, refund.currency)
        _within(amount, funds)
        if refund.payment_id is not None and amount.amount > await queries.left_of_payment(refund.payment_id):
            raise TooMuch("That is more than can still be refunded of this payment.", field="amount")
        if await evidence.shown_since(refund):
            raise NotDecidable("A key of this order was shown since. Ask for a new refund, and say why.")
        await uses.reserve(order.id, UseKind.REFUND, amount, reference(refund_id))
        blank = (
            Refund.asked_at, Refund.batch_id, Refund.payout_id, Refund.payout_status, Refund.error, Refund.ended_at,
            Refund.approved_at, Refund.approved_by,
        )  # fmt: skip
        also: dict[Any, Any] = dict.fromkeys(blank) | {Refund.attempt: refund.attempt + 1, Refund.codes: 0}
        await move(Refund, refund_id, RefundStatus.PENDING, MOVES, also=also)
        if amount == funds.returnable and not funds.top_up and order.merchant_id is None:
            await _hold(order.id)
        await promised(order)
        await history.record(order.id, "refund.retried", refund=str(refund_id), by=by)
        if order.merchant_id is not None:
            await history.record(order.id, "refund.pending", refund=str(refund_id), refund_id=str(refund_id))
        nameless = refund.payment_id is not None and refund.coin and refund.claimed_at is None
        if order.test and not nameless:
            await simulate(refund_id, order.id)
        elif refund.claimed_at is None:
            await invite(refund_id, order, "refund_asked")
