"""The log of a shop that has just been set up."""

from tests.scratch import Scratch
from tests.scratch import scratch as scratch


async def test_a_new_shop_begins_with_an_empty_chain(scratch: Scratch) -> None:
    await scratch.runs("app.cli", "migrate")
    assert "0 lines, all unchanged" in await scratch.runs("app.cli", "audit", "verify")
