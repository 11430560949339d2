"""The cases a person or a test can run on a payment: each a sentence about one deposit."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import msgspec

from dev.sandbox.nowpayments import ipn
from dev.sandbox.nowpayments.case_run import CaseRun, Impossible, other_asset
from dev.sandbox.records import Payment
from dev.sandbox.times import now_ms
from dev.sandbox.world import World

UNICODE = 'Größe 42 / “Ключ” 鍵 \u2028🎮 <b>&amp;</b> \\ "quoted"'
SMALL_FEES = (Decimal("0.000002"), Decimal("0.0000001"))  # 0.000002 and 1e-7 in JavaScript's spelling


def _success(run: CaseRun) -> None:
    """confirming, confirmed, sending, finished: an IPN each"""
    if run.closed:
        run.repeat()
    elif run.payment.status == "expired":
        _late(run)
    else:
        run.arrive()
        run.walk()


def _finished(run: CaseRun) -> None:
    """straight to finished, one IPN; a partly paid one is finished by hand, as on the dashboard"""
    if run.payment.status == "partially_paid":
        run.step("finished")
    elif run.closed:
        run.repeat()
    else:
        run.arrive()
        run.step(run.ending())


def _halt_at(status: str) -> Callable[[CaseRun], None]:
    def halt(run: CaseRun) -> None:
        run.must_be_open()
        run.arrive()
        run.walk(status)

    halt.__doc__ = f"up to {status}, and no further for now"
    return halt


def _partially_paid(run: CaseRun) -> None:
    """too little arrives (half, unless a fraction is given)"""
    run.fraction = run.fraction if run.fraction < 1 else Decimal("0.5")
    _success(run)


def _overpaid(run: CaseRun) -> None:
    """too much arrives (1.25 times, unless a fraction is given)"""
    run.fraction = run.fraction if run.fraction > 1 else Decimal("1.25")
    _success(run)


def _wrong_coin(run: CaseRun) -> None:
    """another coin arrives: a new, partly paid payment; this one goes on waiting"""
    run.repeat(other_asset(run.payment))


def _late(run: CaseRun) -> None:
    """expires first; then the money comes after all"""
    run.must_be_open()
    if run.payment.status != "expired":
        run.step("expired")
    run.arrive()
    run.step(run.ending())


def _twice(run: CaseRun) -> None:
    """paid in full, and then once more: the second deposit is a new payment"""
    if not run.closed:
        _success(run)
    run.repeat(fraction=Decimal(1))


def _failed(run: CaseRun) -> None:
    """processing fails"""
    _end_open(run, "failed")


def _expired(run: CaseRun) -> None:
    """nothing arrives in time"""
    if run.payment.actually_paid:
        raise Impossible("money has arrived, so it can't expire")
    _end_open(run, "expired")


def _end_open(run: CaseRun, status: str) -> None:
    run.must_be_open()
    if run.payment.status == status:
        raise Impossible(f"the payment is {status} already")
    run.step(status)


def _refunded(run: CaseRun) -> None:
    """the money goes back to the customer"""
    if run.payment.status == "refunded":
        raise Impossible("the payment is refunded already")
    run.arrive()
    run.step("refunded")


def _zero(run: CaseRun) -> None:
    """finished, though actually_paid is 0"""
    run.must_be_open()
    run.step("finished")


def _settled_low(run: CaseRun) -> None:
    """finished and paid in full, but the merchant is credited with 1 coin"""
    run.must_be_open()
    run.arrive()
    run.move("finished")
    run.payment.outcome_amount = Decimal(1)
    run.tell(ipn.body(run.payment))


def _lie(dress: str, doc: str) -> Callable[[CaseRun], None]:
    def lie(run: CaseRun) -> None:
        payment = run.payment
        claim = {"actually_paid": payment.pay_amount, "payment_status": "finished"}
        run.tell(ipn.body(payment) | claim, dress)

    lie.__doc__ = doc
    return lie


def _unsorted(run: CaseRun) -> None:
    """finished, in a pretty, unsorted body whose signature fits the sorted compact form"""
    _jump(run, ipn.UNSORTED)


def _small_numbers(run: CaseRun) -> None:
    """finished, with fees of 0.000002 and 1e-7"""
    run.payment.deposit_fee, run.payment.service_fee = SMALL_FEES
    _jump(run)


def _unicode(run: CaseRun) -> None:
    """finished, with an order description full of unusual letters"""
    run.payment.terms = msgspec.structs.replace(run.payment.terms, order_description=UNICODE)
    _jump(run)


def _extra_ids(run: CaseRun) -> None:
    """finished, with a list in payment_extra_ids"""
    run.payment.extra_ids = ["5513339153", "5513339154"]
    _jump(run)


def _jump(run: CaseRun, dress: str = ipn.GENUINE) -> None:
    run.must_be_open()
    run.arrive()
    run.step(run.ending(), dress)


def _reordered(run: CaseRun) -> None:
    """the IPN of finished arrives before that of confirming"""
    run.must_be_open()
    run.arrive()
    earlier = run.move("confirming")
    run.step(run.ending())
    run.tell(earlier)


def _doubled(run: CaseRun) -> None:
    """as success, with every IPN sent twice"""
    run.copies = 2
    _success(run)


CASES: dict[str, Callable[[CaseRun], None]] = {
    "success": _success,
    "finished": _finished,
    "confirming": _halt_at("confirming"),
    "confirmed": _halt_at("confirmed"),
    "sending": _halt_at("sending"),
    "partially_paid": _partially_paid,
    "overpaid": _overpaid,
    "wrong_coin": _wrong_coin,
    "late": _late,
    "twice": _twice,
    "failed": _failed,
    "expired": _expired,
    "refunded": _refunded,
    "zero": _zero,
    "settled_low": _settled_low,
    "forged": _lie(ipn.FORGED, "a forged IPN says finished; the payment doesn't change"),
    "unsigned": _lie(ipn.UNSIGNED, "an IPN without signature says finished; the payment doesn't change"),
    "unsorted": _unsorted,
    "small_numbers": _small_numbers,
    "unicode": _unicode,
    "extra_ids": _extra_ids,
    "reordered": _reordered,
    "doubled": _doubled,
}
CASE_NAMES = frozenset(CASES)


def run(world: World, payment: Payment, case: str, fraction: Decimal = Decimal(1)) -> CaseRun:
    """Play a case on a payment; its IPNs are queued when this returns.

    Raises:
        Impossible: the payment's state doesn't allow it.
    """
    acts = CaseRun(world, payment, fraction)
    payment.pending_case = None
    CASES[case](acts)
    world.storage.payments.put(payment)
    return acts


def schedule(world: World, payment: Payment) -> None:
    """Set the timers of a waiting payment: its `case` on creation, and its expiry."""

    def run_case() -> None:
        if (case := payment.pending_case) and _is_current(world, payment):
            run(world, payment, case)

    def expire() -> None:
        if payment.status == "waiting" and not payment.actually_paid and _is_current(world, payment):
            run(world, payment, "expired")

    if payment.pending_case:
        world.timers.after(float(world.storage.settings.case_delay), run_case)
    world.timers.after((payment.valid_until - now_ms()) / 1000, expire)


def resume(world: World) -> None:
    """Set the timers again after a restart."""
    for payment in list(world.storage.payments):
        if payment.status == "waiting":
            schedule(world, payment)


def _is_current(world: World, payment: Payment) -> bool:
    return world.storage.payments.get(payment.id) is payment
