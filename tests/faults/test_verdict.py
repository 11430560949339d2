"""The judge of the matrix and of chaos is judged: an order that is right passes, each planted wrong is found."""

import copy
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

import pytest

from dev.chaos.customer import Customer
from dev.chaos.report import Report
from dev.chaos.verdict import LETTERS, ROAD, RULES, Books, examine

ORDER, RESERVATION, ITEM = "order-1", "reservation-1", "item-1"
BUYER = Customer(ORDER, "token", "delivered+a@resend.dev", {"product-1": 2}, case="finished")


def right() -> Books:
    """The books of one order of two units that went well."""

    def of_order(*rows: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
        return defaultdict(list, {ORDER: list(rows)})

    sold = {
        "products": [{"qty": 2}],
        "status": "completed",
        "keys": [{"id": "k0", "serial": "A"}, {"id": "k1", "serial": "B"}],
    }
    return Books(
        orders={ORDER: {"status": "fulfilled", "fulfillment_status": "fulfilled", "waits": False, "paid_at": "then"}},
        items=of_order({"id": ITEM, "quantity": 2}),
        keys=of_order(*({"item_id": ITEM, "ordinal": n, "supplier_key_id": f"k{n}"} for n in range(2))),
        events=of_order(*({"seq": n, "kind": kind} for n, kind in enumerate(ROAD, 1))),
        jobs=of_order({"name": "mail.send", "status": "completed", "attempt": 1, "error": None}),
        reservations=of_order({"id": RESERVATION, "quantity": 2}),
        supplied={RESERVATION: [sold]},
        letters=defaultdict(list, {BUYER.email: [f"{begin} …" for begin in LETTERS]}),
    )  # fmt: skip


def test_an_order_that_went_well_breaks_no_rule() -> None:
    assert examine(right(), [BUYER]) == []


def _swap(events: list[dict[str, Any]], one: int, other: int) -> None:
    events[one]["kind"], events[other]["kind"] = events[other]["kind"], events[one]["kind"]


WRONG: dict[str, tuple[str, Callable[[Books], Any]]] = {
    "forgotten": ("ended", lambda b: b.orders.clear()),
    "paid and nothing more": ("ended", lambda b: b.orders[ORDER].update(status="paid")),
    "charged twice": ("charge", lambda b: b.supplied[RESERVATION].append(copy.deepcopy(b.supplied[RESERVATION][0]))),
    "never bought": ("charge", lambda b: b.supplied.clear()),
    "too few units bought": ("charge", lambda b: b.supplied[RESERVATION][0]["products"][0].update(qty=1)),
    "a key too few": ("keys", lambda b: b.keys[ORDER].pop()),
    "two keys for one unit": ("keys", lambda b: b.keys[ORDER].append(b.keys[ORDER][0] | {"supplier_key_id": "k2"})),
    "one key for two units": ("keys", lambda b: b.keys[ORDER][1].update(supplier_key_id="k0")),
    "somebody else's key": ("keys", lambda b: b.keys[ORDER][1].update(supplier_key_id="of another order")),
    "a letter too few": ("letters", lambda b: b.letters[BUYER.email].pop()),
    "a letter twice": ("letters", lambda b: b.letters[BUYER.email].append(f"{LETTERS[2]} …")),
    "paid twice on the timeline": ("timeline", lambda b: b.events[ORDER].append({"seq": 5, "kind": "order.paid"})),
    "fulfilled before paid": ("timeline", lambda b: _swap(b.events[ORDER], 2, 3)),
    "a number left out": ("timeline", lambda b: b.events[ORDER][3].update(seq=7)),
    "a job in nobody's hands": ("jobs", lambda b: b.jobs[ORDER][0].update(status="processing")),
    "a dead letter": ("jobs", lambda b: b.jobs[ORDER][0].update(status="failed", error="down")),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_each_planted_wrong_is_found_and_named(wrong: str) -> None:
    rule, plant = WRONG[wrong]
    books = right()
    plant(books)
    found = examine(books, [BUYER])
    assert rule in {it.rule for it in found}, found
    assert all(ORDER in str(it) and RULES[it.rule] in str(it) for it in found)


def test_money_that_did_not_suffice_must_not_count_as_paid() -> None:
    half = Customer(ORDER, "token", BUYER.email, BUYER.units, case="partially_paid")
    assert {it.rule for it in examine(right(), [half])} == {"ended"}


def test_an_order_before_a_person_has_ended_and_must_still_not_be_charged_twice() -> None:
    books = right()
    books.orders[ORDER] |= {"status": "paid", "waits": True}
    assert examine(books, [BUYER]) == []
    books.supplied[RESERVATION] *= 2
    assert {it.rule for it in examine(books, [BUYER])} == {"charge"}


def test_a_dead_letter_is_no_wrong_of_an_order_that_ended_all_the_same_unless_asked() -> None:
    books = right()
    books.jobs[ORDER][0] |= {"status": "failed", "error": "down"}
    assert examine(books, [BUYER], strict=False) == []


def test_the_report_counts_faults_and_says_which_rule_was_broken() -> None:
    """Bought twice, so that there are two sales and four units for an order of two."""
    books = right()
    books.supplied[RESERVATION] *= 2
    text = Report({"seed": 7}, Counter({"Redis flushed": 3}), list(examine(books, [BUYER]))).text()
    assert "**2 violations.**" in text
    assert "| Redis flushed | 3 |" in text
    assert f"| {RULES['charge']} | **broken 2 times** |" in text
    assert f"| {RULES['keys']} | holds |" in text
