"""The kill matrix: whatever fails, and wherever in the pipeline an order stands just then, it ends right.

Each fault strikes thirty orders at once, three in the middle of each outside call; real processes, real signals. The
supplier of this environment sells twice to who asks twice: that each order is charged once is our own doing.
"""

from collections.abc import AsyncIterator

import pytest

from app.orders.reasons import stands
from dev.chaos.verdict import proofs
from dev.environment import Environment
from tests.faults.matrix import FAULTS, Story, Strike
from tests.faults.scenario import AT_EACH, LABELS

QUICK = {"kill_after_the_effect", "restart_redis", "answer_500_after_the_effect"}  # those that every run asks for
STRIKES = [pytest.param(it, id=it.__name__, marks=() if it.__name__ in QUICK else pytest.mark.proof) for it in FAULTS]


@pytest.fixture(scope="module")
async def arena() -> AsyncIterator[Environment]:
    made = Environment("matrix")
    try:
        await made.open()
        yield made
    finally:
        await made.close()


@pytest.fixture(scope="module")
async def story(arena: Environment, request: pytest.FixtureRequest) -> AsyncIterator[Story]:
    """All faults that this run asks for, one after the other; each test waits for its own."""
    asked = [
        it.callspec.params["strike"] for it in request.session.items if "strike" in getattr(it, "fixturenames", ())
    ]
    made = Story(arena, asked)
    yield made
    await made.close()


@pytest.mark.parametrize("strike", STRIKES)
async def test_every_order_in_flight_ends_right(story: Story, strike: Strike) -> None:
    outcome = await story.outcome(strike)
    print(f"\n{strike.__name__}: {outcome}")
    assert not outcome.findings, "\n".join(map(str, outcome.findings))
    assert outcome.settled, "it took longer than it may"
    assert len(outcome.orders) >= AT_EACH * len(LABELS)


async def test_nothing_is_left_over_in_the_shop_afterwards(story: Story) -> None:
    """Counted over all faults together: the supplier's books, dead letters, jobs in nobody's hands."""
    env = story.env
    assert await env.rows("SELECT name, status, attempt, error FROM job WHERE status IN ('processing', 'failed')") == []
    reserved = {row["id"]: row["quantity"] for row in await env.rows("SELECT id::text, quantity FROM reservation")}
    sold = [(o["orderExternalId"], o["products"][0]["qty"]) for o in await env.asks("GET", "/orders")]
    assert sorted(sold) == sorted(reserved.items()), "the supplier sold exactly what is on our books"
    said = await proofs(env)
    assert said["entries"] > 0
    assert (said["ledger"], said["audit"]) == ([], None), "the ledger sums to zero, the audit chain is whole"
    assert await env.rows(f"SELECT id, status FROM customer_order p WHERE status <> 'fulfilled' OR {stands('p')}") == []
