"""A refund's payout: asked for once, verified by a one-time code, followed until the provider's last word.

The provider has no idempotency (nowpayments.md, 10). The attempt is written down before it is asked for; a lost answer
is looked for by our own id; what is absent after the hour in which an unverified payout dies may be asked for again.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
from msgspec.structs import replace

from app.core import clock, db, log, totp
from app.core.settings import settings
from app.issues.codes import IssueCode
from app.orders import service as orders
from app.providers.http import ProviderDown, ProviderRefused
from app.providers.nowpayments_payouts import CodeRefused, Payout, Payouts
from app.queue.backoff import growing
from app.queue.polling import take_due
from app.refunds import models, queries, service
from app.refunds.states import RefundStatus
from app.refunds.tables import Refund

Commit = Callable[[], AbstractAsyncContextManager[None]]

UNVERIFIED_LIVES = timedelta(hours=1)  # an unverified payout is rejected after this long (nowpayments.md, 10)
SLACK = timedelta(minutes=5)  # between their clock and ours
FIRST_CHECK, CHECK_FACTOR, LONGEST_CHECK = 5.0, 1.5, 1800.0  # seconds between looks at a payout
CHECKS_A_SWEEP = 20
RECHECK_LEASE = timedelta(minutes=2)  # a look that got lost is posted again after this long
MOST_CODES = 8  # of the ten tries the provider gives a batch
ON_ITS_WAY = {"creating", "waiting", "processing", "sending"}


async def follow(refund_id: UUID, *, payouts: Payouts, commit: Commit) -> None:
    """Take a payout one step on: ask for it, find it, verify it, or read how it stands."""
    refund = await queries.one(refund_id)
    if refund is None or refund.status != RefundStatus.PROCESSING or refund.by_hand:
        return
    if refund.payout_id is not None and refund.batch_id is not None:
        found: Payout | None = await payouts.show(refund.batch_id, refund.payout_id)
    else:
        found = await _look(refund, payouts)
    try:
        if found is None and _may_ask(refund):
            found = await _ask(refund, payouts)
    except ProviderRefused as refused:
        async with commit(), service.changing(refund_id):
            await service.failed(refund, f"the payout provider refused it: {refused.detail}")
        return
    if found is not None and found.status == "creating" and await _verify(refund, found, payouts):
        found = await payouts.show(found.batch_id, found.id)
    async with commit(), service.changing(refund_id) as (_, now):
        await _apply(replace(refund, pay_amount=now.pay_amount), found)  # of an attempt that was made just now


def _external_id(refund: models.Refund) -> str:
    return f"{refund.id}-{refund.attempt}"


async def _look(refund: models.Refund, payouts: Payouts) -> Payout | None:
    """The payout of an attempt that was written down, if its answer was lost."""
    if refund.asked_at is None:
        return None
    found = await payouts.find(_external_id(refund), refund.asked_at - SLACK)
    # A rejected one paid nothing and never will; the same attempt may be asked for again.
    return None if found is not None and found.status == "rejected" and _may_ask(refund) else found


def _may_ask(refund: models.Refund) -> bool:
    """Never asked, or so long ago that what was lost on the way is dead."""
    return refund.payout_id is None and (
        refund.asked_at is None or clock.now() > refund.asked_at + UNVERIFIED_LIVES + SLACK
    )


async def _ask(refund: models.Refund, payouts: Payouts) -> Payout | None:
    """Ask for the payout, at the rate of the moment. Raises ProviderRefused.

    None when somebody else is asking, or where the money went back already: then the refund ends unpaid.
    """
    assert refund.address is not None
    assert refund.coin is not None
    amount = await payouts.worth(refund.amount, refund.currency, refund.coin)
    async with service.changing(refund.id) as (_, now):
        # Of one that was asked for meanwhile, the payout decides.
        if now.asked_at != refund.asked_at or now.payout_id or await service.end_uncovered(now):
            return None
        mine = await db.fetch_value(
            """UPDATE refund SET asked_at = $2, pay_amount = $4 WHERE id = $1 AND status = 'processing'
               AND payout_id IS NULL AND asked_at IS NOT DISTINCT FROM $3 RETURNING true""",
            refund.id, clock.now(), refund.asked_at, amount,
        )  # fmt: skip
    if not mine:
        return None
    try:
        return await payouts.create(
            address=refund.address, coin=refund.coin, amount=amount, external_id=_external_id(refund),
            memo=refund.memo, description=f"Refund for order {orders.short(refund.order_id)}",
        )  # fmt: skip
    except (ProviderDown, ProviderRefused) as error:
        if not error.may_have_happened:  # nothing was asked: the next try need not look and wait
            await db.fetch("UPDATE refund SET asked_at = NULL WHERE id = $1 AND payout_id IS NULL", refund.id)
        raise


async def _verify(refund: models.Refund, found: Payout, payouts: Payouts) -> bool:
    """Confirm a payout by the code of this half minute, which no other payout has used or will use."""
    secret = settings().nowpayments_totp_secret.get_secret_value()
    if not secret or refund.codes >= MOST_CODES or await queries.uncovered(refund):
        return False  # without its code, a payout dies unpaid
    step = totp.step_at(clock.now())
    try:
        mine = await db.fetch_value(
            """UPDATE refund SET code_step = $2, codes = codes + 1 WHERE id = $1 AND status = 'processing'
               AND coalesce(code_step, 0) < $2 RETURNING true""",
            refund.id, step,
        )  # fmt: skip
    except asyncpg.UniqueViolationError:
        return False  # another payout took this step: the next look has the next code
    if not mine:
        return False
    try:
        await payouts.verify(found.batch_id, totp.code(secret, step))
    except CodeRefused as refused:
        log.get("bitloot.refunds").warning("refund.code_refused", refund=str(refund.id), why=refused.detail)
        return False
    return True


async def _apply(refund: models.Refund, found: Payout | None) -> None:
    """Keep what the provider says, under the order's lock, and act on its last word."""
    if found is None:
        await _note(refund, None)
    elif found.status == "finished":
        await _note(refund, found)
        await service.paid(refund, tx_hash=found.hash, fee=found.fee)
    elif found.status == "rejected":
        await _note(refund, found)
        await service.failed(
            refund, "the payout provider ended it unpaid" + (f": {found.error}" if found.error else "")
        )
    else:
        await _note(refund, found)
        if (why := _trouble(refund, found)) is None:
            await orders.resolve_reasons(refund.order_id, {IssueCode.PAYOUT_STUCK})
        else:
            await orders.open_reason(refund.order_id, IssueCode.PAYOUT_STUCK, f"refund: {why}")


def _trouble(refund: models.Refund, found: Payout) -> str | None:
    """What a person has to do about a payout that is neither paid nor dead."""
    if found.status == "failed":
        return "its payout failed, but may still go through: ask the provider's support before paying again"
    if found.status not in ON_ITS_WAY:
        return f"the payout provider used an unknown status: {found.status[:32]}"
    secret = settings().nowpayments_totp_secret.get_secret_value()
    if found.status == "creating" and secret and refund.codes >= MOST_CODES:
        return "the payout provider refuses our one-time codes: check NOWPAYMENTS_TOTP_SECRET and the clock"
    if found.status == "creating" and not secret:
        return "its payout waits for its code: confirm it in the provider's dashboard within the hour"
    return None


async def _note(refund: models.Refund, found: Payout | None) -> None:
    wait = growing(refund.checks, first=FIRST_CHECK, factor=CHECK_FACTOR, longest=LONGEST_CHECK)
    said: dict[Any, Any] = {Refund.next_check_at: clock.now() + wait, Refund.checks: refund.checks + 1}
    if found is not None:
        said |= {
            Refund.batch_id: found.batch_id,
            Refund.payout_id: found.id,
            Refund.payout_status: found.status[:16],
            Refund.error: found.error[:300] if found.error else None,
        }
    await Refund.update(said).where(Refund.id == refund.id, Refund.status == "processing")


async def post_due_checks() -> int:
    """Post a look at each payout that is due for one; the clock's sweep. Returns how many."""
    async with db.transaction():
        found = await take_due(Refund, put_off=RECHECK_LEASE, most=CHECKS_A_SWEEP)
        for due in found:
            await service.post_follow(due.id, due.order_id)
    return len(found)
