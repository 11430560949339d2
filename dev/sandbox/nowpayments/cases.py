"""The cases a person or a test can play on a payment: each a sentence about one deposit."""

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


def _success(play: CaseRun) -> None:
    """confirming, confirmed, sending, finished: an IPN each"""
    if play.closed:
        play.repeat()
    elif play.payment.status == "expired":
        _late(play)
    else:
        play.arrive()
        play.walk()


def _finished(play: CaseRun) -> None:
    """straight to finished, one IPN; a partly paid one is finished by hand, as on the dashboard"""
    if play.payment.status == "partially_paid":
        play.step("finished")
    elif play.closed:
        play.repeat()
    else:
        play.arrive()
        play.step(play.ending())


def _halt_at(status: str) -> Callable[[CaseRun], None]:
    def halt(play: CaseRun) -> None:
        play.must_be_open()
        play.arrive()
        play.walk(status)

    halt.__doc__ = f"up to {status}, and no further for now"
    return halt


def _partially_paid(play: CaseRun) -> None:
    """too little arrives (half, unless a fraction is given)"""
    play.fraction = play.fraction if play.fraction < 1 else Decimal("0.5")
    _success(play)


def _overpaid(play: CaseRun) -> None:
    """too much arrives (1.25 times, unless a fraction is given)"""
    play.fraction = play.fraction if play.fraction > 1 else Decimal("1.25")
    _success(play)


def _wrong_coin(play: CaseRun) -> None:
    """another coin arrives: a new, partly paid payment; this one goes on waiting"""
    play.repeat(other_asset(play.payment))


def _late(play: CaseRun) -> None:
    """expires first; then the money comes after all"""
    play.must_be_open()
    if play.payment.status != "expired":
        play.step("expired")
    play.arrive()
    play.step(play.ending())


def _twice(play: CaseRun) -> None:
    """paid in full, and then once more: the second deposit is a new payment"""
    if not play.closed:
        _success(play)
    play.repeat(fraction=Decimal(1))


def _failed(play: CaseRun) -> None:
    """processing fails"""
    _end_open(play, "failed")


def _expired(play: CaseRun) -> None:
    """nothing arrives in time"""
    if play.payment.actually_paid:
        raise Impossible("money has arrived, so it can't expire")
    _end_open(play, "expired")


def _end_open(play: CaseRun, status: str) -> None:
    play.must_be_open()
    if play.payment.status == status:
        raise Impossible(f"the payment is {status} already")
    play.step(status)


def _refunded(play: CaseRun) -> None:
    """the money goes back to the customer"""
    if play.payment.status == "refunded":
        raise Impossible("the payment is refunded already")
    play.arrive()
    play.step("refunded")


def _zero(play: CaseRun) -> None:
    """finished, though actually_paid is 0"""
    play.must_be_open()
    play.step("finished")


def _settled_low(play: CaseRun) -> None:
    """finished and paid in full, but the merchant is credited with 1 coin"""
    play.must_be_open()
    play.arrive()
    play.move("finished")
    play.payment.outcome_amount = Decimal(1)
    play.tell(ipn.body(play.payment))


def _lie(dress: str, doc: str) -> Callable[[CaseRun], None]:
    def lie(play: CaseRun) -> None:
        payment = play.payment
        claim = {"actually_paid": payment.pay_amount, "payment_status": "finished"}
        play.tell(ipn.body(payment) | claim, dress)

    lie.__doc__ = doc
    return lie


def _unsorted(play: CaseRun) -> None:
    """finished, in a pretty, unsorted body whose signature fits the sorted compact form"""
    _jump(play, ipn.UNSORTED)


def _small_numbers(play: CaseRun) -> None:
    """finished, with fees of 0.000002 and 1e-7"""
    play.payment.deposit_fee, play.payment.service_fee = SMALL_FEES
    _jump(play)


def _unicode(play: CaseRun) -> None:
    """finished, with an order description full of unusual letters"""
    play.payment.terms = msgspec.structs.replace(play.payment.terms, order_description=UNICODE)
    _jump(play)


def _extra_ids(play: CaseRun) -> None:
    """finished, with a list in payment_extra_ids"""
    play.payment.extra_ids = ["5513339153", "5513339154"]
    _jump(play)


def _jump(play: CaseRun, dress: str = ipn.GENUINE) -> None:
    play.must_be_open()
    play.arrive()
    play.step(play.ending(), dress)


def _reordered(play: CaseRun) -> None:
    """the IPN of finished arrives before that of confirming"""
    play.must_be_open()
    play.arrive()
    earlier = play.move("confirming")
    play.step(play.ending())
    play.tell(earlier)


def _doubled(play: CaseRun) -> None:
    """as success, with every IPN sent twice"""
    play.copies = 2
    _success(play)


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


def play(world: World, payment: Payment, case: str, fraction: Decimal = Decimal(1)) -> CaseRun:
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
            play(world, payment, case)

    def expire() -> None:
        if payment.status == "waiting" and not payment.actually_paid and _is_current(world, payment):
            play(world, payment, "expired")

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
