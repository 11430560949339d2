"""The kill matrix: whatever fails, and wherever in the pipeline an order stands just then, it ends right.

Each fault strikes thirty orders at once, three in the middle of each outside call; real processes, real signals. The
supplier of this town sells twice to who asks twice: that each order is charged once is our own doing.
"""

from collections.abc import AsyncIterator

import pytest

from chaos.town import Town
from tests.faults.matrix import FAULTS, Strike, play
from tests.faults.stage import LABELS


@pytest.fixture(scope="module")
async def arena() -> AsyncIterator[Town]:
    made = Town("matrix")
    try:
        await made.open()
        yield made
    finally:
        await made.close()


@pytest.fixture(scope="module")
async def goods(arena: Town) -> list[str]:
    """A product a label."""
    rows = await arena.rows(
        "SELECT id::text, supplier_product_id FROM product WHERE active AND text_keys AND price BETWEEN 12 AND 45 ORDER BY slug"
    )
    return rows[: len(LABELS)]


@pytest.mark.parametrize("strike", FAULTS, ids=lambda it: it.__name__)
async def test_every_order_in_flight_ends_right(arena: Town, goods, strike: Strike) -> None:
    outcome = await play(arena, strike, goods)
    print("\n", strike.__name__, outcome.seconds, len(outcome.orders), outcome.unsettled)
    assert not outcome.findings, "\n".join(str(f) for f in outcome.findings)
    assert not outcome.unsettled
