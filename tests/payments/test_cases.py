"""Every case of a deposit at the provider, told by its notices, found by looking, or both: always a named outcome."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from app.ledger import service as ledger
from app.payments import queries
from tests.builders import events, job_names, look, offered, order, rows, sent_notices, tell

OWED = "a further deposit arrived for this order: it is owed back"
SENT_BACK = "the payment provider sent the money back"
NO_MONEY = "the payment provider calls it paid, but no money arrived"
WRONG = "paid in TRX instead of USDTTRC20: it is owed back"


@dataclass(frozen=True)
class End:
    """How order and payments end. ``cause`` begins why a person has to look; ``buys`` counts purchases begun."""

    status: str
    payments: list[str] = field(default_factory=list)
    cause: str | None = None
    buys: int = 0
    events: list[str] = field(default_factory=list)


WALK = ["payment.confirming", "order.confirming", "payment.confirmed", "payment.sending"]
PAID = ["payment.finished", "order.paid"]
PARTLY = ["payment.partially_paid", "order.underpaid"]

CASES = {
    "success": End("paid", ["finished"], None, 1, [*WALK, *PAID]),
    "finished": End("paid", ["finished"], None, 1, PAID),
    "unsorted": End("paid", ["finished"], None, 1, PAID),
    "small_numbers": End("paid", ["finished"], None, 1, PAID),
    "unicode": End("paid", ["finished"], None, 1, PAID),
    "extra_ids": End("paid", ["finished"], None, 1, PAID),
    "reordered": End("paid", ["finished"], None, 1, PAID),
    "doubled": End("paid", ["finished"], None, 1, [*WALK, *PAID]),
    "overpaid": End("paid", ["finished"], "overpaid: $", 1, [*WALK, *PAID, "payment.overpaid"]),
    "late": End("paid", ["finished"], None, 1, ["payment.expired", "order.expired", *PAID]),
    "confirming": End("confirming", ["confirming"], None, 0, WALK[:2]),
    "confirmed": End("confirming", ["confirmed"], None, 0, WALK[:3]),
    "sending": End("confirming", ["sending"], None, 0, WALK),
    "partially_paid": End("underpaid", ["partially_paid"], "underpaid: ", 0, [*WALK[:2], *PARTLY]),
    "expired": End("expired", ["expired"], None, 0, ["payment.expired", "order.expired"]),
    "failed": End("failed", ["failed"], None, 0, ["payment.failed", "order.failed"]),
    "refunded": End("failed", ["refunded"], SENT_BACK, 0, ["payment.refunded", "order.failed", "payment.parked"]),
    "settled_low": End("waiting", ["finished"], "only 1 ", 0, ["payment.finished", "payment.parked"]),
    "zero": End("waiting", ["finished"], NO_MONEY, 0, ["payment.finished", "payment.parked"]),
    "forged": End("waiting", ["waiting"]),
    "unsigned": End("waiting", ["waiting"]),
    "twice": End(
        "paid", ["finished", "finished"], OWED, 1,
        [*WALK, *PAID, "payment.adopted", "payment.finished", "payment.parked"],
    ),
    "wrong_coin": End(
        "waiting", ["partially_paid", "waiting"], WRONG, 0,
        ["payment.adopted", "payment.partially_paid", "payment.parked"],
    ),
}  # fmt: skip
SPELLINGS = {
    "unsorted",
    "small_numbers",
    "unicode",
    "extra_ids",
    "unsigned",
}  # of "finished" and "forged", for the door
STEPS = {*WALK[:1], *WALK[2:], "order.confirming", "payment.expired", "order.expired"}  # a look may skip these


async def ended(order_id: Any) -> End:
    found = await order(order_id)
    statuses = [str(p.status) for p in await queries.of_order(order_id)]
    cause = " · ".join(found.reasons) or None
    return End(found.status, statuses, cause, (await job_names()).count("fulfillment.reserve"),
               (await events(order_id))[2:])  # fmt: skip


async def balanced() -> None:
    """What came in is the price, what is owed back, and what waits for its customer."""
    assert await ledger.prove() == []


def alike(found: End, expected: End) -> None:
    assert (found.cause or "").startswith(expected.cause or "")
    assert (found.cause is None) == (expected.cause is None)
    assert (found.status, found.payments, found.buys) == (expected.status, expected.payments, expected.buys)


@pytest.mark.parametrize("case", CASES)
async def test_the_notices_of_a_case_lead_to_its_end(app, box, case: str) -> None:
    order_id, payment = await offered(app.state.kit)
    await box.pay(payment.provider_payment_id, case)
    for body in await sent_notices(box):
        await tell(app.state.kit, body)
    found = await ended(order_id)
    alike(found, CASES[case])
    await balanced()
    # Money is asked of the provider before it is believed, so a notice can bring news that is younger than itself.
    assert [e for e in found.events if e not in STEPS] == [e for e in CASES[case].events if e not in STEPS]


@pytest.mark.parametrize("case", sorted(CASES.keys() - SPELLINGS))
async def test_with_every_notice_lost_a_look_leads_to_the_same_end(app, box, case: str) -> None:
    order_id, payment = await offered(app.state.kit)
    await box.pay(payment.provider_payment_id, case)
    await look(app.state.kit, payment)
    found = await ended(order_id)
    alike(found, CASES[case])
    await balanced()
    assert [e for e in found.events if e not in STEPS] == [e for e in CASES[case].events if e not in STEPS]


@pytest.mark.parametrize("case", sorted(CASES.keys() - SPELLINGS))
async def test_all_of_it_again_backwards_and_twice_changes_nothing_more(app, box, case: str) -> None:
    kit = app.state.kit
    order_id, payment = await offered(kit)
    await box.pay(payment.provider_payment_id, case)
    bodies = await sent_notices(box)
    for body in bodies:
        await tell(kit, body)
    before, timeline = await rows(but=["inbound_webhook", "job"]), await events(order_id)
    for body in [*reversed(bodies), *bodies, *bodies]:
        await tell(kit, body)
    assert await rows(but=["inbound_webhook", "job"]) == before
    await look(kit, payment)
    assert await events(order_id) == timeline
    assert (await ended(order_id)).buys == CASES[case].buys


@pytest.mark.parametrize("case", ["success", "overpaid", "partially_paid", "failed"])
async def test_a_walk_is_told_step_by_step(app, box, case: str) -> None:
    """Each notice applied the moment it is sent, as in ordinary life."""
    order_id, payment = await offered(app.state.kit)
    steps = {"failed": (), "partially_paid": ("confirming",)}.get(case, ("confirming", "confirmed", "sending"))
    for step in steps:
        await box.pay(payment.provider_payment_id, step, {"overpaid": "1.25", "partially_paid": "0.5"}.get(case, "1"))
        await tell(app.state.kit, (await sent_notices(box))[-1])
    await box.pay(payment.provider_payment_id, case)
    for body in (await sent_notices(box))[-2:]:
        await tell(app.state.kit, body)
    assert (await ended(order_id)).events == CASES[case].events
