"""The pure heart: one named outcome for every report, and paid only for the right order, price, coin and amount."""

import random
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ledger.tolerance import Tolerance
from app.orders.states import MOVES as ORDER_MOVES
from app.orders.states import OrderStatus
from app.payments.classify import (
    BOUGHT,
    COUNTS,
    ENDS,
    IN_FLIGHT,
    MONEY_MOVED,
    NEEDS_REVIEW,
    NOTHING,
    OPEN,
    PAYS,
    Classification,
    Expected,
    OrderMoney,
    Outcome,
    classify,
)
from app.payments.states import MOVES, PaymentStatus
from app.providers.nowpayments import PaymentReport, read_report

P, S, Out = PaymentStatus, OrderStatus, Outcome
TWENTY = Decimal("20.00")
ORDER = OrderMoney(S.WAITING, TWENTY)
EXPECTED = Expected("o-1", P.WAITING, TWENTY, "USD", Decimal("0.5"), "ltc", Decimal(0))
TOLERANCE = Tolerance(Decimal(1), Decimal("0.50"))
NONE = Tolerance(Decimal(0), Decimal(0))


def report(status: str = "finished", **change: Any) -> PaymentReport:
    plain = {
        "payment_id": 1, "payment_status": status, "order_id": "o-1", "price_amount": "20", "price_currency": "usd",
        "pay_amount": "0.5", "pay_currency": "ltc", "actually_paid": "0.5",
    }  # fmt: skip
    return read_report(plain | change)


def verdict(said: PaymentReport, tolerance: Tolerance = TOLERANCE, **change: Any) -> Classification:
    """Judged for the usual order and payment, but for ``change``; those of the order are in ``order``."""
    order = replace(ORDER, **change.pop("order", {}))
    return classify(order, replace(EXPECTED, **change), said, tolerance)


NO_MOVE = {
    Out.UNKNOWN_WORD,
    Out.OTHER_ORDER,
    Out.OTHER_AMOUNT,
    Out.CONTRADICTED,
    Out.UNVALUED,
}  # said again, named again
BOUGHT_BY_IT = {
    "status": P.PARTIALLY_PAID,
    "actually_paid": Decimal("0.5"),
    "value": TWENTY,
    "order": {"status": S.PAID},
}
HALF = {"status": P.PARTIALLY_PAID, "actually_paid": Decimal("0.25"), "value": Decimal(10)}
LATE = {"status": S.EXPIRED, "late": True}
TABLE: list[tuple[str, PaymentReport, dict[str, Any], Outcome, PaymentStatus | None, str]] = [
    ("paid in full", report(), {}, Out.PAID, P.FINISHED, "in full"),
    ("paid after it failed", report(), {"status": P.FAILED}, Out.PAID, P.FINISHED, "in full"),
    ("the coin in capitals", report(pay_currency="LTC"), {}, Out.PAID, P.FINISHED, "in full"),
    ("called partial, yet enough", report("partially_paid"), {}, Out.PAID, P.PARTIALLY_PAID, "in full"),
    ("within the tolerance", report(actually_paid="0.495"), {}, Out.PAID_NEARLY, P.FINISHED, "tolerance"),
    ("a hair too much", report(actually_paid="0.50001"), {}, Out.PAID, P.FINISHED, "in full"),
    ("a cent too much", report(actually_paid="0.50025"), {}, Out.OVERPAID, P.FINISHED, "excess"),
    ("too much", report(actually_paid="0.75"), {}, Out.OVERPAID, P.FINISHED, "excess"),
    ("just below the tolerance", report(actually_paid="0.4949"), {}, Out.UNDERPAID, P.FINISHED, "less"),
    ("half", report("partially_paid", actually_paid="0.25"), {}, Out.UNDERPAID, P.PARTIALLY_PAID, "less"),
    ("called finished, but half", report(actually_paid="0.25"), {}, Out.UNDERPAID, P.FINISHED, "less"),
    ("0.01 for 20.00", report(actually_paid="0.00025"), {}, Out.UNDERPAID, P.FINISHED, "less"),
    ("called finished, but nothing", report(actually_paid=0), {}, Out.NO_MONEY, P.FINISHED, "no money"),
    ("nothing said of the money", report(actually_paid=None), {}, Out.NO_MONEY, P.FINISHED, "no money"),
    ("we asked for nothing yet", report(), {"pay_amount": None}, Out.NO_MONEY, P.FINISHED, "no money"),
    ("no price said", report(price_amount=None), {}, Out.NO_PRICE, P.FINISHED, "no price"),
    ("an absurd amount", report(actually_paid="1e30"), {}, Out.UNBELIEVABLE, P.FINISHED, "can't be"),
    ("the wrong coin", report(pay_currency="btc", outcome_amount=19, outcome_currency="usdttrc20"), {},
     Out.WRONG_COIN, P.FINISHED, "BTC instead of LTC"),
    ("the wrong coin, of no worth that we know", report(pay_currency="btc"), {},
     Out.UNVALUED, P.FINISHED, "0.5 of it, and we can't tell what that is worth"),
    ("its worth is told later", report(pay_currency="btc", outcome_amount=19, outcome_currency="usdttrc20"),
     {"status": P.FINISHED, "actually_paid": Decimal("0.5"), "outcome": "wrong_coin_unvalued"}, Out.WRONG_COIN, None,
     "owed back"),
    ("no coin", report(pay_currency=None), {}, Out.UNVALUED, P.FINISHED, "instead of LTC"),
    ("a first deposit in the wrong coin", report("partially_paid", pay_currency="usdcsol", parent_payment_id=7), {},
     Out.WRONG_COIN, P.PARTIALLY_PAID, "USDCSOL instead of LTC"),
    ("another order", report(order_id="o-2"), {}, Out.OTHER_ORDER, None, "another order: 'o-2'"),
    ("no order", report(order_id=None), {}, Out.OTHER_ORDER, None, "another order"),
    ("another price", report(price_amount="19.99"), {}, Out.OTHER_AMOUNT, None, "for 19.99 USD instead of 20.00"),
    ("another currency", report(price_currency="eur"), {}, Out.OTHER_AMOUNT, None, "for 20 EUR instead of 20.00"),
    ("no currency", report(price_currency=None), {}, Out.OTHER_AMOUNT, None, "for 20 NO CURRENCY instead of"),
    ("a cent off", report(price_amount="20.005"), {}, Out.OTHER_AMOUNT, None, "for 20.005 USD instead of 20.00"),
    ("an absurd price", report(price_amount="1e30"), {}, Out.OTHER_AMOUNT, None, "instead of 20.00"),
    *((f"the price spelt {spelt!r}", report(price_amount=spelt), {}, Out.PAID, P.FINISHED, "in full")
      for spelt in ("20.0000", "19.9999999999", "20.0000000001", "2e1", 20, Decimal("20.00"), " 20 ")),
    ("one dollar credited of twenty", report(outcome_amount=1, outcome_currency="usdttrc20"), {},
     Out.SETTLED_LOW, P.FINISHED, "only 1 USDTTRC20 of 20.00 USD"),
    ("nothing credited", report(outcome_amount=0, outcome_currency="USDCERC20"), {},
     Out.SETTLED_LOW, P.FINISHED, "only 0 USDCERC20 of 20.00 USD"),
    ("a tenth of the very coin credited", report(outcome_amount="0.05", outcome_currency="ltc"), {},
     Out.SETTLED_LOW, P.FINISHED, "only 0.05 LTC of 20.00 USD"),
    ("the usual fees", report(outcome_amount="19.70", outcome_currency="usdttrc20"), {}, Out.PAID, P.FINISHED, "full"),
    ("a quarter lost", report(outcome_amount="15.00", outcome_currency="usdttrc20"), {}, Out.PAID, P.FINISHED, "full"),
    ("more than a quarter lost", report(outcome_amount="14.99", outcome_currency="usdttrc20"), {},
     Out.SETTLED_LOW, P.FINISHED, "only 14.99 USDTTRC20"),
    ("credited in a coin of another worth", report(outcome_amount="0.0001", outcome_currency="btc"), {},
     Out.PAID, P.FINISHED, "in full"),
    ("credited far too little, corrected later", report(outcome_amount="19.7", outcome_currency="usdttrc20"),
     {"status": P.FINISHED, "actually_paid": Decimal("0.5"), "outcome": "settled_far_below"}, Out.PAID, None,
     "in full"),
    ("credited far too little, as before", report(outcome_amount="1", outcome_currency="usdttrc20"),
     {"status": P.FINISHED, "actually_paid": Decimal("0.5"), "outcome": "settled_far_below"}, Out.REPEATED, None,
     "already"),
    ("paid after it was sent back", report(), {"status": P.REFUNDED}, Out.CONTRADICTED, None, "sent the money back"),
    ("partly paid after it failed", report("partially_paid", actually_paid="0.25"), {"status": P.FAILED},
     Out.UNDERPAID, P.PARTIALLY_PAID, "less"),
    ("a further deposit", report(parent_payment_id=7), {}, Out.FURTHER_DEPOSIT, P.FINISHED, "further deposit"),
    ("one on its way", report("confirming", parent_payment_id=7), {}, Out.DEPOSIT_SEEN, P.CONFIRMING, "on its way"),
    ("one that tops up", report(parent_payment_id=7), {"top_up": True}, Out.PAID, P.FINISHED, "in full"),
    ("seen", report("confirming"), {}, Out.SEEN, P.CONFIRMING, "seen"),
    ("confirmed is not paid", report("confirmed"), {}, Out.SEEN, P.CONFIRMED, "seen"),
    ("sending is not paid", report("sending"), {}, Out.SEEN, P.SENDING, "seen"),
    ("nothing came", report("expired"), {}, Out.EXPIRED, P.EXPIRED, "in time"),
    ("it failed", report("failed", actually_paid=0), {}, Out.FAILED, P.FAILED, "failed"),
    ("it failed with money in it", report("failed"), {}, Out.FAILED_WITH_MONEY, P.FAILED, "money had arrived"),
    ("sent back", report("refunded"), {}, Out.SENT_BACK, P.REFUNDED, "sent the money back"),
    ("sent back later", report("refunded"), {"status": P.FINISHED}, Out.SENT_BACK, P.REFUNDED, "sent the money back"),
    ("an unknown word", report("on_the_moon"), {}, Out.UNKNOWN_WORD, None, "on_the_moon"),
    ("a repeat", report(), {"status": P.FINISHED, "actually_paid": Decimal("0.5")}, Out.REPEATED, None, "already"),
    ("a stale one", report("confirming"), {"status": P.FINISHED}, Out.STALE, None, "already"),
    ("expired after money", report("expired"), {"status": P.CONFIRMING}, Out.STALE, None, "already"),
    ("a partial one has grown", report("partially_paid"), HALF, Out.PAID, None, "in full"),
    ("it has not grown", report("partially_paid", actually_paid="0.25"), HALF, Out.REPEATED, None, "already"),
    ("a partial one is finished by hand", report(), HALF, Out.PAID, P.FINISHED, "in full"),
    ("one finished without money has some now", report(), {"status": P.FINISHED}, Out.PAID, None, "in full"),
    ("late, and still sold", report(), {"status": P.EXPIRED, "order": LATE}, Out.PAID_LATE, P.FINISHED, "still sold"),
    ("late, sold out or dearer", report(), {"status": P.EXPIRED, "order": LATE | {"sellable": False}},
     Out.LATE, P.FINISHED, "customer is asked"),
    ("late and too little", report(actually_paid="0.25"), {"status": P.EXPIRED, "order": LATE | {"sellable": False}},
     Out.UNDERPAID, P.FINISHED, "less"),
    ("what paid an order is finished, too", report(), BOUGHT_BY_IT, Out.REPEATED, P.FINISHED, "known"),
    ("what paid an order has grown", report(actually_paid="0.75"), BOUGHT_BY_IT, Out.OVERPAID, P.FINISHED, "excess"),
    ("the rest, of another payment", report(price_amount="8", pay_amount="0.2", actually_paid="0.2"),
     {"price_amount": Decimal(8), "pay_amount": Decimal("0.2"), "top_up": True, "order": {"brought": Decimal(12)}},
     Out.PAID, P.FINISHED, "in full"),
    *((f"money for an order that is {status}", report(), {"order": {"status": status}}, Out.NOT_NEEDED, P.FINISHED,
       f"already {status}") for status in (S.PAID, S.FULFILLED, S.REFUNDED, S.CANCELLED, S.FAILED)),
    ("money after a refund was chosen", report(), {"order": LATE | {"given_back": True}}, Out.NOT_NEEDED, P.FINISHED,
     "given up"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "change", "outcome", "to", "why"), [t[1:] for t in TABLE], ids=[t[0] for t in TABLE])
def test_a_report_means(said: PaymentReport, change: dict[str, Any], outcome: Out, to: P | None, why: str) -> None:
    found = verdict(said, **change)
    assert (found.outcome, found.to) == (outcome, to)
    assert why in found.why


def test_every_outcome_is_in_the_table_and_has_one_effect_on_its_order() -> None:
    assert {line[3] for line in TABLE} == set(Outcome)
    ways = [NOTHING, {Out.SEEN}, {Out.DEPOSIT_SEEN}, PAYS, {Out.UNDERPAID}, ENDS - NEEDS_REVIEW, NEEDS_REVIEW]
    for outcome in Outcome:
        assert sum(outcome in way for way in ways) == 1, outcome


def test_what_is_missing_and_what_is_owed_back_is_said_exactly() -> None:
    short = verdict(report(actually_paid="0.2"))
    assert (short.value, short.missing, short.missing_coin) == (Decimal(8), Decimal(12), Decimal("0.3"))
    over = verdict(report(actually_paid="0.75"))
    assert (over.value, over.excess, over.owed_back) == (Decimal(30), Decimal(10), Decimal("0.25"))
    assert verdict(report(actually_paid="0.495")).missing == verdict(report()).excess == 0


@pytest.mark.parametrize(
    ("said", "value"),
    [
        # Of 0.0001 BTC its own rate says $10; a quarter, or two dollars, may be fees.
        ({"outcome_amount": "9.80", "outcome_currency": "usdttrc20"}, "10.00"),
        ({"outcome_amount": "7.50", "outcome_currency": "USDTTRC20"}, "10.00"),
        ({"outcome_amount": "7.49", "outcome_currency": "usdttrc20"}, "7.49"),
        ({"outcome_amount": "0.2", "outcome_currency": "ltc"}, "10.00"),  # $8 at the $40 of which we asked half a coin
        ({"outcome_amount": "0.18", "outcome_currency": "ltc"}, "7.20"),
        ({"outcome_amount": "0.0001", "outcome_currency": "btc"}, None),  # says nothing of dollars
        ({"outcome_amount": "9.80", "outcome_currency": "eurc"}, None),
        ({"outcome_currency": "usdttrc20"}, None),
        ({}, None),
        ({"pay_currency": "usdcsol", "pay_amount": "20", "actually_paid": "10"}, "10.00"),
        ({"pay_currency": "usdcsol", "pay_amount": "2", "actually_paid": "10"}, "10.00"),  # its own rate says $100
        ({"outcome_amount": "9.80", "outcome_currency": "usd", "pay_amount": None}, "9.80"),
        ({"pay_amount": "0.00000002", "outcome_amount": "4.20", "outcome_currency": "usdttrc20"}, "4.20"),
    ],
)
def test_a_wrong_coin_is_worth_its_own_rate_only_as_far_as_we_can_check_it(said: dict[str, Any], value: str) -> None:
    coin = {"pay_currency": "btc", "pay_amount": "0.0002", "actually_paid": "0.0001", "parent_payment_id": 7}
    found = verdict(report(**coin | said))
    if value is None:
        assert (found.outcome, found.value) == (Out.UNVALUED, None)
    else:
        assert (found.outcome, found.value) == (Out.WRONG_COIN, Decimal(value))


def test_a_further_deposits_credit_is_measured_by_the_rate_of_the_first() -> None:
    said = report(pay_amount="0.1", actually_paid="0.1", outcome_amount="0.1", outcome_currency="ltc")
    deposit = replace(said, parent_payment_id="7")
    assert verdict(deposit, pay_amount=Decimal("0.1"), rate=Decimal(40)).outcome is Out.SETTLED_LOW
    assert verdict(deposit, pay_amount=Decimal("0.1"), rate=Decimal(160)).outcome is Out.FURTHER_DEPOSIT


def test_without_a_tolerance_every_cent_counts() -> None:
    assert verdict(report(actually_paid="0.49975"), NONE).outcome is Out.UNDERPAID
    assert verdict(report(actually_paid="0.4999999"), NONE).outcome is Out.PAID
    assert verdict(report(), NONE).outcome is Out.PAID


@pytest.mark.parametrize(
    ("percent", "amount", "paid", "outcome"),
    [
        ("1", "0.50", "0.495", Out.PAID_NEARLY),
        ("1", "0.19", "0.495", Out.UNDERPAID),  # the share would do, the sum is too large
        ("0.9", "0.50", "0.495", Out.UNDERPAID),  # the other way round
        ("10", "0.50", "0.4875", Out.PAID_NEARLY),
        ("10", "0.50", "0.4874", Out.UNDERPAID),
    ],
)
def test_both_tolerances_must_hold(percent: str, amount: str, paid: str, outcome: Out) -> None:
    assert verdict(report(actually_paid=paid), Tolerance(Decimal(percent), Decimal(amount))).outcome is outcome


amounts = st.none() | st.sampled_from(["0", "0.25", "0.4949", "0.495", "0.5", "0.505", "0.75", "1000000", "1e59"])
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
    price_amount=st.just(TWENTY),
    price_currency=st.just("USD"),
    pay_amount=st.sampled_from([None, Decimal("0.5"), Decimal("0.5")]),
    pay_currency=st.just("ltc"),
    actually_paid=st.sampled_from([Decimal(0), Decimal("0.25"), Decimal("0.5")]),
    value=st.sampled_from([Decimal(0), Decimal(10), TWENTY]),
    top_up=st.booleans(),
)
standings = st.builds(
    OrderMoney,
    status=st.sampled_from(S),
    total=st.sampled_from([TWENTY, Decimal("25.00"), Decimal("0.01")]),
    brought=st.sampled_from([Decimal(0), Decimal(12), Decimal(40)]),
    late=st.booleans(),
    sellable=st.booleans(),
    given_back=st.booleans(),
)
tolerances = st.sampled_from([NONE, TOLERANCE, Tolerance(Decimal(10), Decimal(100))])


@given(standings, expectations, reports, tolerances)
def test_every_input_has_one_outcome_and_a_move_only_by_the_table(
    o: OrderMoney, e: Expected, r: PaymentReport, t: Tolerance
) -> None:
    found = classify(o, e, r, t)
    assert isinstance(found.outcome, Outcome)
    assert found.why
    assert found.to is None or (found.to == r.status and MOVES.allows(e.status, found.to))
    assert (found.missing > 0) == (found.outcome is Out.UNDERPAID)
    assert min(found.excess, found.owed_back, found.missing_coin) >= 0
    assert classify(o, e, r, t) == found


@given(standings, expectations, reports, tolerances)
def test_only_the_right_order_price_coin_and_amount_pay(
    o: OrderMoney, e: Expected, r: PaymentReport, t: Tolerance
) -> None:
    found = classify(o, e, r, t)
    if found.outcome not in PAYS:
        return
    assert r.order_id == e.order_id
    assert r.status in MONEY_MOVED
    assert (r.price_amount, (r.price_currency or "").upper()) == (e.price_amount, e.price_currency)
    assert (r.pay_currency or "").lower() == e.pay_currency
    assert e.pay_amount is not None
    assert r.actually_paid is not None
    short = o.total - o.brought - e.price_amount * r.actually_paid / e.pay_amount
    assert short < Decimal("0.01") or (short <= t.amount and short <= o.total * t.percent / 100)
    assert r.parent_payment_id is None or e.top_up
    assert o.status in OPEN | BOUGHT
    assert o.status in BOUGHT or not o.late or o.sellable


@given(standings, expectations, reports, tolerances)
def test_a_report_about_something_else_moves_nothing(
    o: OrderMoney, e: Expected, r: PaymentReport, t: Tolerance
) -> None:
    found = classify(o, e, r, t)
    if r.order_id != e.order_id:
        assert found == Classification(Out.OTHER_ORDER, found.why)
    elif r.price_amount not in {None, e.price_amount}:
        assert found == Classification(Out.OTHER_AMOUNT, found.why)


@pytest.mark.parametrize("status", IN_FLIGHT | {P.WAITING, P.EXPIRED, P.FAILED, P.REFUNDED})
def test_no_word_but_those_of_money_ever_pays(status: P) -> None:
    for here in P:
        assert verdict(report(status, actually_paid="1000"), status=here).outcome not in PAYS


@dataclass
class Purchase:
    """An order with its payments, moved by verdicts as the room does it; it keeps what must always be true."""

    tolerance: Tolerance
    status: S = S.WAITING
    payments: list[Expected] = field(default_factory=list)
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    left: dict[int, set[P]] = field(default_factory=dict)
    bought: int = 0

    def __post_init__(self) -> None:
        self.payments = [EXPECTED, replace(EXPECTED, pay_amount=Decimal("0.4"))]

    def brought(self, but: int = -1) -> Decimal:
        counted = (n for n, o in self.outcomes.items() if n != but and o in COUNTS)
        return sum((self.payments[n].value for n in counted), Decimal(0))

    def to(self, status: S) -> None:
        self.status = status if ORDER_MOVES.allows(self.status, status) else self.status

    def tell(self, number: int, said: PaymentReport, sellable: bool) -> Classification:
        asked = self.payments[number]
        order = OrderMoney(self.status, TWENTY, self.brought(number), self.status is S.EXPIRED, sellable)
        found = classify(order, asked, said, self.tolerance)
        if found.to is not None:
            left = self.left.setdefault(number, set())
            left.add(asked.status)
            assert found.to not in left, "a payment came back to a state it had left"
            asked = replace(asked, status=found.to)
        if found.to is not None or found.value is not None:
            asked = replace(asked, actually_paid=said.actually_paid or asked.actually_paid)
        self.payments[number] = replace(asked, value=asked.value if found.value is None else found.value)
        if found.outcome not in NOTHING:
            self.outcomes[number] = found.outcome
        self._affect(found.outcome)
        return found

    def _affect(self, outcome: Outcome) -> None:
        if outcome is Out.SEEN:
            self.to(S.CONFIRMING)
        elif outcome is Out.UNDERPAID:
            self.to(S.UNDERPAID)
        elif outcome is Out.EXPIRED and not self.brought():
            self.to(S.EXPIRED)
        elif outcome in PAYS and self.status not in BOUGHT:
            short = TWENTY - self.brought()
            assert self.tolerance.takes(max(short, Decimal(0)), TWENTY), "paid with too little"
            self.to(S.PAID)
            self.bought += 1
            assert self.status is S.PAID


def test_what_is_credited_is_said_to_its_last_digit_and_the_name_of_its_coin_is_cut() -> None:
    amount = "1." + "1" * 35
    found = verdict(report(outcome_amount=amount, outcome_currency="usdttrc20abcdefghijk"))
    assert found.why == f"only {amount} USDTTRC20ABCDEFG of 20.00 USD is credited to us"


AMOUNTS = ["0", "0.0001", "0.2", "0.25", "0.3", "0.396", "0.4", "0.495", "0.5", "0.75", "3"]


def drawn(random: random.Random) -> PaymentReport:
    """A report as chance has it: mostly about us, in every word, amount and coin."""
    words = [*P, P.FINISHED, P.PARTIALLY_PAID, P.CONFIRMING, "on_the_moon"]
    return report(
        random.choice(words), actually_paid=random.choice(AMOUNTS),
        pay_currency=random.choice(["ltc"] * 8 + ["btc", "usdcsol"]),
        parent_payment_id=random.choice([None] * 9 + [7]), order_id=random.choice(["o-1"] * 15 + ["o-2"]),
        price_amount=random.choice(["20"] * 15 + ["0.01"]),
    )  # fmt: skip


@pytest.mark.parametrize("count", [1500, pytest.param(10_000, marks=pytest.mark.proof)])
def test_ten_thousand_generated_histories_keep_what_must_always_be_true(count: int) -> None:
    """Of two attempts, whatever is told in whatever order: bought at most once, never for too little, never back."""
    seen = set[Outcome]()
    for seed in range(count):
        chance = random.Random(seed)
        purchase, told = Purchase(chance.choice([NONE, TOLERANCE])), []
        for _ in range(chance.randint(2, 14)):
            number, said = chance.randint(0, 1), drawn(chance)
            sellable = chance.random() < 0.7
            first = purchase.tell(number, said, sellable)
            seen.add(first.outcome)
            told.append((number, said, sellable))
            before = (
                purchase.status,
                list(purchase.payments),
                dict(purchase.outcomes),
                purchase.bought,
            )
            again = purchase.tell(number, said, sellable)
            assert again.outcome in NOTHING | NO_MOVE, (seed, first, again)
            after = (
                purchase.status,
                list(purchase.payments),
                dict(purchase.outcomes),
                purchase.bought,
            )
            assert after == before, (seed, "the same input twice changed something")
        was = purchase.status
        for number, said, sellable in reversed(told):
            purchase.tell(number, said, sellable)
        assert purchase.bought <= 1, seed
        assert was not in BOUGHT or purchase.status is was, (seed, "an old report moved a paid order back")
    assert seen >= set(Outcome) - {Out.NO_PRICE, Out.UNBELIEVABLE, Out.SETTLED_LOW}, "the histories leave something out"
