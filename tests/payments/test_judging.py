"""What a report means: one verdict for every report, and paid only for the right order, price, coin and amount."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.payments.notices import IN_FLIGHT, MONEY_MOVED, Effect, Expected, Verdict, judge
from app.payments.states import MOVES, PaymentStatus
from app.providers.nowpayments import PaymentReport, read_report

P = PaymentStatus
ONE = Decimal(1)
EXPECTED = Expected("o-1", P.WAITING, Decimal("20.00"), "USD", Decimal("0.5"), "ltc", Decimal(0))
TOLERANCE = ONE


def report(status: str = "finished", **change: Any) -> PaymentReport:
    plain = {
        "payment_id": 1, "payment_status": status, "order_id": "o-1", "price_amount": "20", "price_currency": "usd",
        "pay_amount": "0.5", "pay_currency": "ltc", "actually_paid": "0.5",
    }  # fmt: skip
    return read_report(plain | change)


def verdict(said: PaymentReport, tolerance: Decimal = TOLERANCE, **change: Any) -> Verdict:
    return judge(replace(EXPECTED, **change), said, tolerance)


TABLE: list[tuple[str, PaymentReport, dict[str, Any], Effect, PaymentStatus | None, str]] = [
    ("paid in full", report(), {}, Effect.PAID, P.FINISHED, "in full"),
    ("paid late", report(), {"status": P.EXPIRED}, Effect.PAID, P.FINISHED, "in full"),
    ("paid after it failed", report(), {"status": P.FAILED}, Effect.PAID, P.FINISHED, "in full"),
    ("the coin in capitals", report(pay_currency="LTC"), {}, Effect.PAID, P.FINISHED, "in full"),
    ("called partial, yet enough", report("partially_paid"), {}, Effect.PAID, P.PARTIALLY_PAID, "in full"),
    ("within the tolerance", report(actually_paid="0.495"), {}, Effect.PAID, P.FINISHED, "in full"),
    ("a hair too much", report(actually_paid="0.505"), {}, Effect.PAID, P.FINISHED, "in full"),
    ("too much", report(actually_paid="0.75"), {}, Effect.PAID, P.FINISHED, "excess"),
    ("just below the tolerance", report(actually_paid="0.4949"), {}, Effect.UNDERPAID, P.FINISHED, "less"),
    ("half", report("partially_paid", actually_paid="0.25"), {}, Effect.UNDERPAID, P.PARTIALLY_PAID, "less"),
    ("called finished, but half", report(actually_paid="0.25"), {}, Effect.UNDERPAID, P.FINISHED, "less"),
    ("called finished, but nothing", report(actually_paid=0), {}, Effect.PARK, P.FINISHED, "no money"),
    ("nothing said of the money", report(actually_paid=None), {}, Effect.PARK, P.FINISHED, "no money"),
    ("no price said", report(price_amount=None), {}, Effect.PARK, P.FINISHED, "no price"),
    ("the wrong coin", report(pay_currency="btc"), {}, Effect.PARK, P.FINISHED, "btc instead of ltc"),
    ("no coin", report(pay_currency=None), {}, Effect.PARK, P.FINISHED, "instead of ltc"),
    ("we asked for nothing yet", report(), {"pay_amount": None}, Effect.PARK, P.FINISHED, "no money"),
    ("another order", report(order_id="o-2"), {}, Effect.NONE, None, "another order"),
    ("no order", report(order_id=None), {}, Effect.NONE, None, "another order"),
    ("another price", report(price_amount="19.99"), {}, Effect.NONE, None, "another amount"),
    ("another currency", report(price_currency="eur"), {}, Effect.NONE, None, "another amount"),
    ("no currency", report(price_currency=None), {}, Effect.NONE, None, "another amount"),
    ("a second deposit", report(parent_payment_id=7), {}, Effect.PARK, P.FINISHED, "second deposit"),
    ("one on its way", report("confirming", parent_payment_id=7), {}, Effect.NONE, None, "further deposit"),
    ("one that tops up", report(parent_payment_id=7), {"top_up": True}, Effect.PAID, P.FINISHED, "in full"),
    ("seen", report("confirming"), {}, Effect.CONFIRMING, P.CONFIRMING, "seen"),
    ("confirmed is not paid", report("confirmed"), {}, Effect.CONFIRMING, P.CONFIRMED, "seen"),
    ("sending is not paid", report("sending"), {}, Effect.CONFIRMING, P.SENDING, "seen"),
    ("nothing came", report("expired"), {}, Effect.EXPIRED, P.EXPIRED, "in time"),
    ("it failed", report("failed"), {}, Effect.FAILED, P.FAILED, "failed"),
    ("sent back", report("refunded"), {}, Effect.PARK, P.REFUNDED, "sent the money back"),
    ("sent back later", report("refunded"), {"status": P.FINISHED}, Effect.PARK, P.REFUNDED, "sent the money back"),
    ("an unknown word", report("on_the_moon"), {}, Effect.PARK, None, "on_the_moon"),
    ("a repeat", report(), {"status": P.FINISHED}, Effect.NONE, None, "repeat"),
    ("a stale one", report("confirming"), {"status": P.FINISHED}, Effect.NONE, None, "stale"),
    ("expired after money", report("expired"), {"status": P.CONFIRMING}, Effect.NONE, None, "stale"),
    ("a partial one has grown", report("partially_paid", actually_paid="0.5"),
     {"status": P.PARTIALLY_PAID, "actually_paid": Decimal("0.2")}, Effect.PAID, None, "in full"),
    ("it has not grown", report("partially_paid", actually_paid="0.2"),
     {"status": P.PARTIALLY_PAID, "actually_paid": Decimal("0.2")}, Effect.NONE, None, "repeat"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "change", "effect", "to", "why"), [t[1:] for t in TABLE], ids=[t[0] for t in TABLE])
def test_a_report_means(said: PaymentReport, change: dict[str, Any], effect: Effect, to: P | None, why: str) -> None:
    found = verdict(said, **change)
    assert (found.effect, found.to) == (effect, to)
    assert why in found.why


def test_what_is_missing_and_what_is_owed_back_is_said_exactly() -> None:
    assert verdict(report(actually_paid="0.2")).missing == Decimal("0.3")
    assert verdict(report(actually_paid="0.75")).owed_back == Decimal("0.25")
    assert verdict(report(actually_paid="0.495")).missing == verdict(report()).owed_back == 0


def test_without_a_tolerance_every_unit_counts() -> None:
    assert verdict(report(actually_paid="0.49999999"), Decimal(0)).effect is Effect.UNDERPAID
    assert verdict(report(), Decimal(0)).effect is Effect.PAID


amounts = st.none() | st.sampled_from(["0", "0.25", "0.4949", "0.495", "0.5", "0.505", "0.75", "1000000"])
reports = st.builds(
    report,
    status=st.sampled_from([*P, "cancelled", "on_the_moon"]) | st.from_regex(r"[a-z_]{5,40}", fullmatch=True),
    order_id=st.sampled_from(["o-1", "o-1", "o-1", "o-2", None]),
    price_amount=st.sampled_from(["20", "20.00", "20", "19.99", "0", None]),
    price_currency=st.sampled_from(["usd", "USD", "usd", "eur", None]),
    pay_currency=st.sampled_from(["ltc", "LTC", "ltc", "btc", "", None]),
    pay_amount=amounts,
    actually_paid=amounts,
    parent_payment_id=st.sampled_from([None, None, None, 7]),
)
expectations = st.builds(
    Expected,
    order_id=st.just("o-1"),
    status=st.sampled_from(P),
    price_amount=st.just(Decimal("20.00")),
    price_currency=st.just("USD"),
    pay_amount=st.sampled_from([None, Decimal("0.5"), Decimal("0.5")]),
    pay_currency=st.just("ltc"),
    actually_paid=st.sampled_from([Decimal(0), Decimal("0.25"), Decimal("0.5")]),
    top_up=st.booleans(),
)
tolerances = st.sampled_from([Decimal(0), Decimal(1), Decimal(10)])


@given(expectations, reports, tolerances)
def test_every_report_gets_one_verdict_and_a_move_only_by_the_table(e: Expected, r: PaymentReport, t: Decimal) -> None:
    found = judge(e, r, t)
    assert isinstance(found.effect, Effect)
    assert found.why
    assert found.to is None or (found.to == r.status and MOVES.allows(e.status, found.to))
    assert (found.missing > 0) == (found.effect is Effect.UNDERPAID)
    assert found.owed_back >= 0


@given(expectations, reports, tolerances)
def test_only_the_right_order_price_coin_and_amount_pay(e: Expected, r: PaymentReport, t: Decimal) -> None:
    found = judge(e, r, t)
    if found.effect is not Effect.PAID:
        return
    assert r.order_id == e.order_id
    assert r.status in MONEY_MOVED
    assert (r.price_amount, (r.price_currency or "").upper()) == (e.price_amount, e.price_currency)
    assert (r.pay_currency or "").lower() == e.pay_currency
    assert e.pay_amount is not None
    assert r.actually_paid is not None
    assert r.actually_paid >= e.pay_amount * (100 - t) / 100 > 0
    assert r.parent_payment_id is None or e.top_up


@given(expectations, reports, tolerances)
def test_a_report_about_something_else_moves_nothing(e: Expected, r: PaymentReport, t: Decimal) -> None:
    about_us = r.order_id == e.order_id and r.price_amount in {None, e.price_amount}
    found = judge(e, r, t)
    if not about_us:
        assert (found.effect, found.to, found.owed_back, found.missing) == (Effect.NONE, None, 0, 0)


@given(st.lists(reports, max_size=12), st.booleans())
def test_a_payment_never_comes_back_to_a_state_it_has_left(reports: list[PaymentReport], top_up: bool) -> None:
    here, left = replace(EXPECTED, top_up=top_up), set[P]()
    for said in reports:
        found = judge(here, said, TOLERANCE)
        if found.to is not None:
            left.add(here.status)
            assert found.to not in left
            here = replace(here, status=found.to)


@pytest.mark.parametrize("status", IN_FLIGHT | {P.WAITING, P.EXPIRED, P.FAILED, P.REFUNDED})
def test_no_word_but_those_of_money_ever_pays(status: P) -> None:
    for here in P:
        assert verdict(report(status, actually_paid="1000"), status=here).effect is not Effect.PAID
