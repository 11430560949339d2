"""Our own keys as a supplier: sealed, each once, sold once, oldest first, and given back when nobody saw them."""

import asyncio
import base64
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from app.catalog import queries as catalog
from app.catalog import service as shelves
from app.catalog.reprice import reprice
from app.core import db
from app.core.crypto import MasterKeys, Plaintext
from app.core.ids import new_id
from app.core.money import Money
from app.core.settings import settings
from app.fulfillment import failure_reasons, returns, steps
from app.issues import queries as issues
from app.keys import reveal as keys
from app.keys.reveal import Visitor
from app.orders import service as orders
from app.orders.models import OrderItem
from app.orders.placing import OutOfStock
from app.queue import breakers
from app.queue.breakers import FAILURES
from app.suppliers import own_stock, own_stock_import, own_stock_products, own_stock_rotation
from app.suppliers.errors import DuplicateOrder, NothingToReturn, OrderNotFound, ProductUnavailable
from app.suppliers.own_stock import OwnStock
from app.suppliers.own_stock_files import NewKey
from app.suppliers.own_stock_products import NewProduct
from app.suppliers.registry import open_suppliers
from tests.builders import (
    EMAIL,
    NOW,
    VISITOR,
    Undone,
    ask,
    buy,
    check,
    collect,
    count,
    events,
    look,
    order,
    products,
    reservation,
    rows,
    torn,
)  # fmt: skip
from tests.cli.conftest import bitloot as bitloot

SHOP = OwnStock()
WORTH = Decimal(999)


def text(*serials: str) -> list[NewKey]:
    return [NewKey("text/plain", Plaintext(serial.encode())) for serial in serials]


async def own_product(*serials: str, low_at: int = 0, name: str = "Own Game") -> UUID:
    """A product of our own stock with these keys."""
    product_id = await own_stock_products.create(NewProduct(name, "Ownbox", "Worldwide", Decimal("19.99"), low_at))
    if serials:
        await own_stock_import.import_keys(product_id, text(*serials), by="admin boss@bitloot.test")
    return product_id


async def supplier_id(product_id: UUID) -> str:
    return str((await catalog.for_purchase(product_id)).supplier_product_id)


async def stock(product_id: UUID) -> int:
    return int((await catalog.for_purchase(product_id)).stock)


async def sell(product_id: UUID, quantity: int = 1, *, to: UUID | None = None) -> Any:
    return await SHOP.buy(
        external_id=str(to or new_id()), product_id=await supplier_id(product_id), quantity=quantity,
        max_unit_price=WORTH, text_only=False,
    )  # fmt: skip


async def paid_for(kit: Any, box: Any, *product_ids: UUID) -> tuple[UUID, list[OrderItem]]:
    """An order of one unit of each, paid for: its id and its items."""
    order_id = await ordered(*product_ids)
    return order_id, await pay(kit, box, order_id)


async def ordered(*product_ids: UUID) -> UUID:
    price = await orders.quote([orders.Wanted(product_id, 1) for product_id in product_ids])
    return (await orders.place(EMAIL, price, pay_currency="usdttrc20")).order_id


async def pay(kit: Any, box: Any, order_id: UUID) -> list[OrderItem]:
    payment = await ask(kit, order_id)
    await box.pay(payment.provider_payment_id)
    await look(kit, payment)
    items: list[OrderItem] = (await order(order_id)).items
    return items


async def fulfil(kit: Any, item: OrderItem) -> None:
    found = await buy(kit, item)
    await check(kit, found)
    await collect(kit, found)


async def serials(sale: Any) -> list[str]:
    return [key.serial.reveal().decode() for key in await SHOP.keys(sale.order_id)]


# Importing.


async def test_keys_are_sealed_on_import_and_none_stands_in_the_database_the_audit_log_or_the_issues(app) -> None:
    await own_product("AAAA-BBBB-CCCC-DDDD", "image-like", low_at=9)
    image = NewKey("image/png", Plaintext(base64.b64encode(b"\x89PNG secret picture")))
    product_id = await own_product(name="Pictured Game")
    await own_stock_import.import_keys(product_id, [image], by="admin boss@bitloot.test")
    stored = "\n".join(line for lines in (await rows()).values() for line in lines)
    for secret in ("AAAA-BBBB-CCCC-DDDD", b"AAAA-BBBB-CCCC-DDDD".hex(), "secret picture", image.serial.reveal().hex()):
        assert secret not in stored
    assert "2 keys for product" in stored, "the audit log says how many"
    assert await serials(await sell(product_id)) == [image.serial.reveal().decode()]


async def test_a_key_is_imported_once_however_it_is_written_and_for_whichever_product(app) -> None:
    first = await own_product("AAAA-1111", "AAAA-2222", "AAAA-1111")
    assert await stock(first) == 2
    second = await own_product(name="Other Game")
    done = await own_stock_import.import_keys(second, text("aaaa-1111", "AAAA-3333"), by="admin boss@bitloot.test")
    assert (done.kept, done.doubled, await stock(second)) == (1, 1, 1)
    await sell(first, 2)
    again = await own_stock_import.import_keys(first, text("AAAA-2222"), by="admin boss@bitloot.test")
    assert (again.kept, await stock(first)) == (0, 0), "not even once it was sold"


async def test_the_hash_of_a_key_is_keyed(app) -> None:
    await own_product("AAAA-1111")
    first = await db.fetch_value("SELECT digest FROM own_stock_key")
    await db.fetch("DELETE FROM own_stock_key")
    await db.fetch("DELETE FROM own_stock_secret")
    await own_product("AAAA-1111", name="Again")
    assert await db.fetch_value("SELECT digest FROM own_stock_key") != first


async def test_two_imports_of_the_same_keys_at_once_keep_each_once(app) -> None:
    product_id = await own_product()
    keys_of_both = [f"RACE-{n:04}" for n in range(50)]
    done = await asyncio.gather(
        *(own_stock_import.import_keys(product_id, text(*order), by="admin boss@bitloot.test")
          for order in (keys_of_both, keys_of_both[::-1]))
    )  # fmt: skip
    assert sum(one.kept for one in done) == 50 == await stock(product_id)


# Selling.


async def test_the_oldest_keys_are_sold_first(app) -> None:
    product_id = await own_product("FIRST-1", "FIRST-2")
    await own_stock_import.import_keys(product_id, text("LATER-1"), by="admin boss@bitloot.test")
    assert await serials(await sell(product_id, 2)) == ["FIRST-1", "FIRST-2"]
    assert await serials(await sell(product_id)) == ["LATER-1"]
    assert await stock(product_id) == 0
    with pytest.raises(ProductUnavailable):
        await sell(product_id)


async def test_all_of_them_are_sold_or_none(app) -> None:
    product_id = await own_product("ONLY-1", "ONLY-2")
    before = await rows(but=["process", "job"])
    with pytest.raises(ProductUnavailable) as refused:
        await sell(product_id, 3)
    assert not refused.value.may_have_happened
    assert await rows(but=["process", "job"]) == before
    assert await serials(await sell(product_id, 2)) == ["ONLY-1", "ONLY-2"]


async def test_of_many_that_buy_at_once_each_key_goes_to_one(app) -> None:
    product_id = await own_product(*(f"RUSH-{n:04}" for n in range(20)))
    ended = await asyncio.gather(*(sell(product_id, 2) for _ in range(14)), return_exceptions=True)
    sold = [sale for sale in ended if not isinstance(sale, BaseException)]
    given = [serial for sale in sold for serial in await serials(sale)]
    assert len(given) == len(set(given)) == 2 * len(sold) == 20 - await stock(product_id)
    assert all(isinstance(other, ProductUnavailable) for other in ended if other not in sold)


async def test_one_reservation_buys_once_also_when_two_workers_buy_for_it(app) -> None:
    product_id, to = await own_product("ONCE-1", "ONCE-2"), new_id()
    ended = await asyncio.gather(sell(product_id, to=to), sell(product_id, to=to), return_exceptions=True)
    (refused,) = [it for it in ended if isinstance(it, BaseException)]
    assert isinstance(refused, DuplicateOrder)
    assert refused.may_have_happened
    assert await stock(product_id) == 1


async def test_a_worker_killed_while_it_buys_sells_nothing_and_the_next_sells_each_key_once(app, box) -> None:
    product_id = await own_product("KILL-1")
    _, (item,) = await paid_for(app.state.kit, box, product_id)
    with pytest.raises(Undone):
        async with torn():  # what dies inside the purchase's own transaction
            await sell(product_id)
    assert (await stock(product_id), await count("own_stock_sale")) == (1, 0)
    with pytest.raises(Undone):  # and what dies after it, before our own row says so
        await steps.reserve(item.id, suppliers=open_suppliers(app.state.kit), commit=torn)
    assert (await stock(product_id), (await reservation(item))["status"]) == (0, "requested")
    await fulfil(app.state.kit, item)
    assert (await reservation(item))["status"] == "delivered"
    assert await count("own_stock_sale") == 1


# Orders.


async def test_one_order_of_both_suppliers_is_fulfilled_and_both_keys_are_revealed(app, box, drain) -> None:
    mine, (theirs,) = await own_product("MINE-AND-ONLY"), await products()
    order_id, items = await paid_for(app.state.kit, box, mine, theirs["id"])
    await drain(later=True)
    done = await order(order_id)
    assert done.status == "fulfilled"
    found = {row["supplier"] for row in await db.fetch("SELECT supplier FROM reservation")}
    assert found == {"own_stock", "kinguin"}
    shown = {
        item.product_id: (await keys.reveal(order_id, item.id, VISITOR, store=app.state.kit.store))[0] for item in items
    }
    assert shown[mine].value.reveal() == b"MINE-AND-ONLY"
    assert shown[theirs["id"]].value.reveal() not in {b"", b"MINE-AND-ONLY"}
    assert len(await box.orders()) == 1


async def test_while_the_other_supplier_is_away_our_own_keys_are_delivered(app, box, drain) -> None:
    mine = await own_product("STILL-HERE")
    order_id, _ = await paid_for(app.state.kit, box, mine)
    for _ in range(FAILURES):
        await breakers.failed("kinguin", "500")
    await drain(later=True)
    assert (await order(order_id)).status == "fulfilled"
    assert "supply.waiting" not in await events(order_id)


async def test_of_two_orders_for_the_last_key_one_gets_it_and_the_other_is_sold_out(app, box) -> None:
    product_id = await own_product("LAST-ONE")
    placed = [await ordered(product_id) for _ in range(2)]
    items = [(await pay(app.state.kit, box, order_id))[0] for order_id in placed]
    suppliers = open_suppliers(app.state.kit)
    await asyncio.gather(*(steps.reserve(item.id, suppliers=suppliers, commit=NOW) for item in items))
    ended = [await reservation(item) for item in items]
    assert sorted(row["status"] for row in ended) == ["out_of_stock", "reserved"]
    assert {row["cause"] for row in ended} == {None, failure_reasons.SOLD_OUT}
    assert sorted([(await order(one)).fulfillment_status for one in placed]) == ["failed", "processing"]
    assert await count("own_stock_sale") == 1


async def test_what_has_no_key_is_not_sold(app) -> None:
    product_id = await own_product("GONE-1")
    await sell(product_id)
    with pytest.raises(OutOfStock):
        await orders.quote([orders.Wanted(product_id, 1)])
    with pytest.raises(OutOfStock):
        await orders.quote([orders.Wanted(await own_product(name="Empty"), 1)])


# Giving back.


async def frozen(order_id: UUID) -> None:
    """The order's money goes back, all of it."""
    async with orders.changing(order_id):
        await db.fetch("UPDATE customer_order SET frozen_at = now() WHERE id = $1", order_id)
        await keys.lock(order_id)


async def test_a_key_that_nobody_saw_is_on_sale_again_and_sold_to_another(app, box, drain) -> None:
    product_id = await own_product("BACK-AGAIN")
    order_id, (item,) = await paid_for(app.state.kit, box, product_id)
    await fulfil(app.state.kit, item)
    assert await stock(product_id) == 0
    await frozen(order_id)
    suppliers = open_suppliers(app.state.kit)
    for _ in range(2):
        await returns.give_back(order_id, suppliers=suppliers, commit=NOW)
    assert await stock(product_id) == 1
    with pytest.raises(NothingToReturn):
        await SHOP.return_keys((await reservation(item))["supplier_order_id"])
    with pytest.raises(OrderNotFound):
        await SHOP.keys((await reservation(item))["supplier_order_id"])
    await drain(later=True, only="fulfillment.check_return")
    assert (await events(order_id)).count("supply.returned") == 1
    other, (theirs,) = await paid_for(app.state.kit, box, product_id)
    await fulfil(app.state.kit, theirs)
    (shown,) = await keys.reveal(other, theirs.id, VISITOR, store=app.state.kit.store)
    assert shown.value.reveal() == b"BACK-AGAIN"


async def test_a_key_that_was_shown_is_never_sold_again(app, box) -> None:
    product_id = await own_product("SEEN-ONCE")
    order_id, (item,) = await paid_for(app.state.kit, box, product_id)
    await fulfil(app.state.kit, item)
    await keys.reveal(order_id, item.id, Visitor(EMAIL, "", ""), store=app.state.kit.store)
    await frozen(order_id)
    await returns.give_back(order_id, suppliers=open_suppliers(app.state.kit), commit=NOW)
    assert await stock(product_id) == 0
    assert "supply.return_refused" in await events(order_id)


# Few left, the owner's price, and the years.


async def told(product_id: UUID) -> list[str]:
    return [issue.detail for issue in await issues.open_for(f"product:{product_id}")]


async def test_the_owner_is_told_below_the_number_and_not_any_more_once_there_are_enough(app) -> None:
    product_id = await own_product("LOW-1", "LOW-2", low_at=2)
    assert await told(product_id) == []
    await sell(product_id)
    assert await told(product_id) == ["Own Game: 1 key is left. Import more."]
    await sell(product_id)
    assert await told(product_id) == ["Own Game: no key is left, so it is sold out. Import more."]
    await own_stock_import.import_keys(product_id, text("LOW-3", "LOW-4"), by="admin boss@bitloot.test")
    assert await told(product_id) == []
    await own_stock_products.change(product_id, price=Decimal("20.00"), low_at=3, active=True)
    assert await told(product_id) == ["Own Game: 2 keys are left. Import more."]


async def test_a_new_exchange_rate_leaves_the_owners_price(app) -> None:
    product_id = await own_product("PRICED-1")
    before = await db.fetch("SELECT id, price FROM product")
    try:
        await reprice(Decimal("1.5"))
        assert await db.fetch_value("SELECT price FROM product WHERE id = $1", product_id) == Decimal("19.99")
    finally:
        await db.fetch(
            "UPDATE product p SET price = b.price, updated_at = created_at"
            " FROM unnest($1::uuid[], $2::numeric[]) AS b (id, price) WHERE p.id = b.id",
            *([row[column] for row in before] for column in ("id", "price")),
        )  # fmt: skip


async def test_a_price_in_the_shops_former_currency_is_not_sold_until_its_owner_sets_it_anew(app) -> None:
    product_id = await own_product("FOREIGN-1")
    await db.fetch("UPDATE product SET currency = 'SEK' WHERE id = $1", product_id)
    rate = await db.fetch_value("SELECT rate FROM exchange_rate ORDER BY day DESC LIMIT 1")
    await reprice(rate)
    assert await catalog.listed([product_id]) == {}
    assert await told(product_id) == ["Own Game: its price is in SEK. Set it in USD and sell it again."]
    await own_stock_products.change(product_id, price=Decimal("20.00"), low_at=0, active=True)
    assert (await catalog.listed([product_id]))[product_id].price == Money(Decimal("20.00"), "USD")
    assert await told(product_id) == []


async def test_the_suppliers_listing_says_nothing_about_our_own_products(app) -> None:
    product_id = await own_product("LISTED-1")
    for listing in open_suppliers(app.state.kit).listings:
        assert listing.name == "kinguin"
        await shelves.sync(listing=listing)
    assert await db.fetch_value("SELECT active AND stock = 1 FROM product WHERE id = $1", product_id)


async def test_a_rotation_moves_what_seals_our_stock_and_every_key_opens_under_the_new_master_key(app, bitloot) -> None:
    product_id = await own_product("TURN-1", "TURN-2")
    sale, old, new = await sell(product_id), settings().master_keys.get_secret_value(), MasterKeys.draw("new")
    done = await bitloot("vault", "rotate", env={"MASTER_KEYS": f"{new},{old}"})
    assert "1 data keys of own stock moved to new." in done.stdout
    assert set(await own_stock_rotation.by_master_key()) == {"new"}
    back = await bitloot("vault", "rotate", env={"MASTER_KEYS": f"{old},{new}"})
    assert back.returncode == 0
    assert await serials(sale) == ["TURN-1"]
    again = await own_stock_import.import_keys(product_id, text("TURN-2"), by="admin boss@bitloot.test")
    assert again.doubled == 1


async def test_what_was_sold_years_ago_is_forgotten_and_what_is_for_sale_is_kept(app) -> None:
    product_id = await own_product("OLD-1", "OLD-2")
    await sell(product_id)
    later = await db.fetch_value("SELECT now() + interval '1 day'")
    assert await own_stock.forget(later) == 1
    assert await own_stock.forget(later) == 0
    assert await serials(await sell(product_id)) == ["OLD-2"]
    again = await own_stock_import.import_keys(product_id, text("OLD-1"), by="admin boss@bitloot.test")
    assert again.kept == 0, "its hash stays"
