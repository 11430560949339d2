"""The customer names an address, by a mailed link that only the confirming POST uses up; the provider checks it."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any
from uuid import UUID

from app.accounts import service as accounts
from app.accounts.service import LinkSpent
from app.core import clock
from app.core.i18n import _
from app.core.money import Money, plain
from app.core.settings import settings
from app.core.tokens import read_link_token
from app.history import service as history
from app.orders import queries as orders
from app.payments import queries as payments
from app.providers.http import ApiKeyRejected
from app.providers.nowpayments_payouts import AddressRefused, Payouts
from app.queue import service as jobs
from app.refunds import addresses, models, queries, service, test_processor
from app.refunds.addresses import BadAddress, Target
from app.refunds.models import ClaimedRefund
from app.refunds.states import RefundStatus
from app.refunds.tables import Refund

Commit = Callable[[], AbstractAsyncContextManager[None]]


async def look(token: str) -> ClaimedRefund | None:
    """The refund that a claim link is for, without using it up; None when the link or the refund is past."""
    proof, link_id = await accounts.look_at_link(token), read_link_token(token)
    if proof is None or proof.purpose != "refund" or link_id is None:
        return None
    refund = await queries.by_link(link_id)
    open_ = refund is not None and refund.status == RefundStatus.PENDING and refund.claimed_at is None
    return refund if open_ else None


async def parse(coin: str, address: str, memo: str) -> Target:
    """What was typed, as a target of one of our coins. Raises BadAddress."""
    found = next((c for c in await payments.coins() if c.code == coin), None)
    if found is None:
        raise BadAddress("Choose one of the coins listed.", field="coin")
    return addresses.parse(coin, found.name, found.network, address, memo, has_memo=found.has_memo)


async def claim(token: str, target: Target) -> UUID:
    """Keep the address, use the link up, and have the address checked. Raises LinkSpent. Returns the refund's id."""
    found = await look(token)
    if found is None:
        raise LinkSpent("Ask for a new link on your order's page.")
    async with service.changing(found.id) as (_, refund):
        await accounts.consume_link(token)
        await _name(refund, target)
    return UUID(str(found.id))


async def claim_on_page(refund_id: UUID, target: Target) -> None:
    """As ``claim``, by whoever holds the order's page: the mailed link, and the mailbox it went to, are not needed.

    In the surrounding transaction. Raises LinkSpent where the refund has an address, or needs none.
    """
    async with service.changing(refund_id) as (_, refund):
        await _name(refund, target)


async def _name(refund: models.Refund, target: Target) -> None:
    kept = (
        await Refund.update(
            {
                Refund.coin: target.coin,
                Refund.address: target.address,
                Refund.memo: target.memo,
                Refund.claimed_at: clock.now(),
                Refund.error: None,
            }
        )
        .where(Refund.id == refund.id, Refund.status == "pending", Refund.claimed_at.is_null())
        .returning(Refund.id)
    )
    if not kept:
        raise LinkSpent("This refund already has an address.")
    await history.record(refund.order_id, "refund.claimed", refund=str(refund.id), coin=target.coin)
    args = {"refund_id": str(refund.id)}
    await jobs.post("refunds.check_address", args, subject=refund.order_id)


async def check_address(refund_id: UUID, *, payouts: Payouts, commit: Commit) -> None:
    """Ask the provider whether money can be sent there; where not, the customer is asked again and told why."""
    refund = await queries.one(refund_id)
    if refund is None or refund.claimed_at is None or refund.checked_at or refund.status != "pending":
        return
    test_mode = await _is_test(refund)
    why = None if test_mode else await _refusal(refund, payouts)
    async with commit(), service.changing(refund_id) as (order, now):
        if now.claimed_at != refund.claimed_at or now.status != RefundStatus.PENDING:
            return
        if why is None:
            await Refund.update({Refund.checked_at: clock.now()}).where(Refund.id == refund_id)
            await history.record(order.id, "refund.address_checked", refund=str(refund_id))
            if test_mode:
                await test_processor.begin(refund_id, order.id)
            elif now.payment_id is not None and settings().pays_out and not await service.end_uncovered(now):
                await service.approve(refund_id, now.asked_by)  # its merchant's asking allows it
            return
        again: dict[Any, Any] = {Refund.claimed_at: None, Refund.address: None, Refund.memo: None, Refund.error: why}
        await Refund.update(again).where(Refund.id == refund_id)
        await history.record(order.id, "refund.address_refused", refund=str(refund_id), why=why)
        await service.invite(refund_id, order, "refund_address", why=why)


async def _is_test(refund: models.Refund) -> bool:
    order = await orders.one(refund.order_id)
    return order is not None and bool(order.test)


async def _refusal(refund: models.Refund, payouts: Payouts) -> str | None:
    """Why the address or the coin won't do, in a person's words; None when it will."""
    assert refund.address is not None
    assert refund.coin is not None
    try:
        await payouts.validate_address(refund.address, refund.coin, refund.memo)
    except AddressRefused:
        return _(
            "The network did not accept that %(coin)s address. Copy it from your wallet again.",
            coin=refund.coin.upper(),
        )
    except ApiKeyRejected:
        if settings().pays_out:
            raise  # our own account is at fault: buried, and retried once that is healed
        return None  # paid by hand: the person who sends it looks
    try:
        least = await payouts.least(refund.coin)
    except ApiKeyRejected:
        return None  # some accounts may not ask this (nowpayments.md, 10); the payout itself will tell
    worth = await payouts.worth(refund.amount, refund.currency, refund.coin)
    if worth >= least:
        return None
    amount = Money(refund.amount, refund.currency)
    coin = refund.coin.upper()
    return _(
        "%(amount)s is too little to send in %(coin)s: the minimum is %(least)s %(coin)s. Choose another coin.",
        amount=amount,
        coin=coin,
        least=plain(least),
    )


async def invite_again(order_id: UUID) -> None:
    """The order's email has changed: refunds that wait for an address are claimed by a link to the new one."""
    for refund in await queries.of_order(order_id):
        if refund.status == RefundStatus.PENDING and refund.claimed_at is None:
            async with service.changing(refund.id) as (order, _):
                await service.invite(refund.id, order, "refund_asked")


async def send_link_again(refund_id: UUID) -> None:
    """Mail a fresh claim link. Raises NotDecidable when an address is named already."""
    async with service.changing(refund_id) as (order, refund):
        if refund.status != RefundStatus.PENDING or refund.claimed_at is not None:
            raise service.NotDecidable("This refund no longer needs an address.")
        await service.invite(refund_id, order, "refund_asked")
