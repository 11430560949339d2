"""A page is as old as the cursor it listens from: else it would wait for news that it has missed."""

import asyncio
import re

from dev.up_environment import UpEnvironment
from tests.journeys.shopper import Shopper

STATE = re.compile(r'data-phase="(\w+)" data-seq="(\d+)"')
ORDERS, READERS = 15, 4


async def test_a_page_asked_for_while_its_order_moves_never_shows_less_than_its_cursor_says(env: UpEnvironment) -> None:
    seen: set[tuple[str, int]] = set()

    async def read(order: Shopper) -> None:
        """Look at the page again and again, until the address is there."""
        while True:
            page = await env.http.get(order.page, headers={**order.bearer, "Accept": "text/html"})
            found = STATE.search(page.text)
            assert found is not None
            seen.add((found[1], int(found[2])))
            if found[1] == "pay":
                return

    async def place_and_read() -> None:
        order = await Shopper.orders(env)
        await asyncio.gather(*(read(order) for _ in range(READERS)))

    await asyncio.gather(*(place_and_read() for _ in range(ORDERS)))
    # Two events lead there: the order was placed, its payment is ready.
    assert seen <= {("preparing", 1), ("pay", 1), ("pay", 2)}
