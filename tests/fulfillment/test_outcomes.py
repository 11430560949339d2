"""A supplier's order, whatever it calls its end: keys that came are delivered, the rest is decided at once."""

from decimal import Decimal
from typing import Any

import pytest

from app.core import clock, db
from app.fulfillment import failure_reasons, outcomes, queries, replace
from app.issues import queries as issues
from app.orders.models import OrderItem
from app.suppliers.models import KeyState, SupplierOrder
from tests.builders import NOW, buy, check, collect, count, events, order, paid, reservation, supplier_product

D, C, P, R, B = "delivered", "canceled", "processing", "refunded", "returned"


def said(status: str, *keys: str, quantity: int = 3) -> SupplierOrder:
    states = tuple(KeyState(f"k{n}", word) for n, word in enumerate(keys))
    return SupplierOrder("PHS", "x", status, quantity, Decimal(9), None, states)


@pytest.mark.parametrize(
    ("status", "keys", "have", "new", "still", "gone", "ends"),
    [
        ("processing", [P, P, P], set(), 0, 3, 0, None),
        ("processing", [], set(), 0, 3, 0, None),
        ("processing", [D, P, P], set(), 1, 2, 0, None),
        ("processing", [D, D, C], set(), 2, 0, 1, "cancelled"),
        ("processing", [C, C, C], set(), 0, 0, 3, "cancelled"),
        ("processing", [D, C, P], {"k0"}, 0, 1, 1, None),
        ("processing", [D, R, B], {"k0"}, 0, 0, 2, "refunded"),
        ("processing", [D, "pending", "odd"], {"k0"}, 0, 2, 0, None),
        ("completed", [D, D, D], set(), 3, 0, 0, None),
        ("completed", [D, D, C], set(), 2, 0, 1, "cancelled"),
        ("completed", [D, D, "cancelled"], {"k0", "k1"}, 0, 0, 1, "cancelled"),
        ("completed", [D, D, R], {"k0", "k1"}, 0, 0, 1, "refunded"),
        ("completed", [D, C, R], {"k0"}, 0, 0, 2, "cancelled"),
        ("completed", [D, D], {"k0", "k1"}, 0, 0, 1, "cancelled"),
        ("completed", [C, C, C], set(), 0, 0, 3, "cancelled"),
        ("completed", [R, R, R], set(), 0, 0, 3, "refunded"),
        ("completed", [D, D, P], {"k0", "k1"}, 0, 1, 0, None),
        ("completed", [], set(), 0, 3, 0, None),
        ("canceled", [P, P, P], set(), 0, 0, 3, "cancelled"),
        ("cancelled", [], set(), 0, 0, 3, "cancelled"),
        ("canceled", [D, D, D], {"k0", "k1", "k2"}, 0, 0, 0, None),
        ("canceled", [D, C, P], {"k0"}, 0, 0, 2, "cancelled"),
        ("refunded", [R, R, R], set(), 0, 0, 3, "refunded"),
        ("refunded", [D, R, R], {"k0"}, 0, 0, 2, "refunded"),
        ("refunded", [], set(), 0, 0, 3, "refunded"),
        ("completed", [R, R, R], {"k0", "k1", "k2"}, 0, 0, 0, None),
        ("on_hold", [D, P, P], {"k0"}, 0, 2, 0, None),
        ("on_hold", [D, C, C], {"k0"}, 0, 0, 2, "cancelled"),
    ],
)
def test_each_mixture_of_words_is_read_unit_by_unit(
    status: str, keys: list[str], have: set[str], new: int, still: int, gone: int, ends: str | None
) -> None:
    found = outcomes.of(said(status, *keys), 3, have)
    assert (found.new, found.open, found.gone) == (new, still, gone)
    assert found.short == (ends is not None)
    if ends is not None:
        assert found.ending[0] == ends


async def bought(app: Any, box: Any, quantity: int, **change: Any) -> tuple[Any, OrderItem, dict[str, Any]]:
    order_id, (item,) = await paid(app.state.kit, box, quantity)
    await box.set_product(await supplier_product(item), mode="by_hand", **change)
    return order_id, item, await buy(app.state.kit, item)


async def test_two_of_three_keys_came_and_the_third_was_cancelled_is_decided_at_once(app, box, drain) -> None:
    order_id, item, found = await bought(app, box, 3)
    await box.play_order(found["supplier_order_id"], "completed", "DELIVERED", "DELIVERED", "CANCELED")
    await check(app.state.kit, found)
    await collect(app.state.kit, found)
    await drain(only="fulfillment.check")
    ended, now = await reservation(item), await order(order_id)
    assert await count("sealed_key") == 2
    assert (ended["status"], ended["cause"], ended["next_check_at"]) == ("cancelled", failure_reasons.CANCELLED, None)
    assert ended["refunded"] == (ended["charged"] / 3).quantize(Decimal("0.01"))
    assert (now.fulfillment_status, now.items[0].status, now.reasons) == (
        "failed", "failed", [failure_reasons.CANCELLED],
    )  # fmt: skip


@pytest.mark.parametrize("words", [("CANCELED",), ("REFUNDED",), ("RETURNED",)])
async def test_a_completed_order_without_its_key_is_no_day_of_polling(app, box, words: tuple[str, ...]) -> None:
    order_id, item, found = await bought(app, box, 1)
    await box.play_order(found["supplier_order_id"], "completed", *words)
    await check(app.state.kit, found)
    assert (await reservation(item))["next_check_at"] is None
    assert (await order(order_id)).fulfillment_status == "failed"


async def twin_of(item: OrderItem, **change: Any) -> dict[str, Any]:
    """Another supplier's offer of the same game: a product of the sandbox under that game's name."""
    row = await db.fetch_one(
        """UPDATE product o SET name = p.name, platform = p.platform, region = p.region, cost = p.cost,
             updated_at = clock_timestamp()
           FROM product p WHERE p.id = $1 AND o.id = (
             SELECT id FROM product WHERE id <> $1 AND active AND stock >= 20 AND text_keys AND price BETWEEN 10 AND 30
               AND cost <= p.cost ORDER BY cost LIMIT 1) RETURNING o.*""",
        item.product_id,
    )
    assert row is not None
    return dict(row)


async def test_what_was_cancelled_is_bought_from_another_offer_of_the_same_game(app, box, drain) -> None:
    order_id, (item,) = await paid(app.state.kit, box, 3, where="text_keys AND price BETWEEN 20 AND 30")
    twin = await twin_of(item)
    await box.set_product(await supplier_product(item), mode="by_hand")
    found = await buy(app.state.kit, item)
    await box.play_order(found["supplier_order_id"], "completed", "DELIVERED", "DELIVERED", "CANCELED")
    await drain(later=True)
    asked = await db.fetch("SELECT * FROM reservation WHERE item_id = $1 ORDER BY created_at", item.id)
    assert [(r["status"], r["quantity"]) for r in asked] == [("cancelled", 3), ("delivered", 1)]
    assert asked[1]["supplier_product_id"] == twin["supplier_product_id"]
    assert (await order(order_id)).status == "fulfilled"
    assert await count("sealed_key") == 3
    assert (await events(order_id)).count("supply.alternative") == 1
    assert len(await box.orders()) == 2


async def test_no_third_offer_is_bought_without_a_person(app, box) -> None:
    order_id, (item,) = await paid(app.state.kit, box, 1, where="text_keys AND price BETWEEN 20 AND 30")
    await twin_of(item)
    await buy(app.state.kit, item)
    ended = await queries.of_item(item.id)
    assert ended is not None
    for number in range(replace.MOST - 1):
        await db.fetch(
            """INSERT INTO reservation (id, order_id, item_id, status, quantity, price_limit, created_at, updated_at)
               VALUES (gen_random_uuid(), $1, $2, 'cancelled', 1, 9, $3, $3)""",
            order_id, item.id, clock.now() + clock.timedelta(seconds=number),
        )  # fmt: skip
    before = await count("reservation")
    async with NOW():
        assert not await replace.buy_elsewhere(ended)
    assert await count("reservation") == before


async def test_a_word_that_nobody_knows_is_told_to_the_owner_and_still_asked_about(app, box) -> None:
    order_id, item, found = await bought(app, box, 1)
    await box.play_order(found["supplier_order_id"], "on_hold", "PROCESSING")
    await check(app.state.kit, found)
    (issue,) = await issues.open_for(f"order:{order_id}")
    assert issue.code == "supplier_word"
    assert "“on_hold”" in issue.detail
    assert (await reservation(item))["next_check_at"] is not None
