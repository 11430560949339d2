"""A product whose price is held: an admin looks at it and sells it at the price that is asked."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from app.catalog import products
from app.catalog.products import NothingToAccept
from app.core import db
from tests.builders import rows
from tests.catalog.listing import Supplier, ours, row, told
from tests.web.builders import logged, submit

ID = f"{1:024x}"


@pytest.fixture
async def supplier(app) -> AsyncIterator[Supplier]:
    """One product at 12.49 EUR, on sale, and nothing else."""
    await db.fetch("UPDATE product SET active = false, updated_at = now()")
    made = Supplier(row(1, price="12.49"))
    await made.sync()
    yield made
    await db.fetch("DELETE FROM product WHERE platform = 'Oddbox'")
    await db.fetch("UPDATE product SET updated_at = now()")


async def product() -> dict[str, Any]:
    return (await ours())[ID]


async def test_a_person_sells_it_at_the_new_price_and_the_audit_log_says_who(supplier, admin) -> None:
    supplier.rows[0]["price"] = "1.24"
    await supplier.sync()
    found = await product()
    page = (await admin.get(f"/admin/products/{found['id']}")).text
    assert "Sell it at $1.99" in page  # 1.24 EUR at 1.10 are 1.36; with 18 % and 0.35 that is 1.96
    assert "€1.24 for it, before €12.49" in page
    assert f'href="/admin/products/{found["id"]}"' in (await admin.get("/admin/issues")).text
    answer = await submit(admin, f"/admin/products/{found['id']}/accepted-prices")
    assert answer.status_code == 303
    found = await product()
    assert (found["active"], found["cost"], str(found["price"])) == (True, Decimal("1.24"), "1.99")
    assert await told(f"product:{found['id']}") == {}
    assert (await logged()).count("product.price_accepted") == 1
    await supplier.sync()
    assert (await product())["active"], "the next reading agrees"


async def test_a_price_of_nothing_cannot_be_accepted(supplier, admin) -> None:
    supplier.rows[0]["price"] = 0
    await supplier.sync()
    found = await product()
    assert "Sell it at" not in (await admin.get(f"/admin/products/{found['id']}")).text
    before = await rows(but=["audit", "audit_log", "session", "job"])
    with pytest.raises(NothingToAccept):
        await products.accept_price(found["id"], by="admin ann@shop")
    assert await rows(but=["audit", "audit_log", "session", "job"]) == before


async def test_nobody_but_an_admin_looks_or_accepts(supplier, client, browser_client) -> None:
    supplier.rows[0]["price"] = "1.24"
    await supplier.sync()
    found = await product()
    assert (await client.get(f"/admin/products/{found['id']}")).status_code == 401
    assert (await submit(browser_client, f"/admin/products/{found['id']}/accepted-prices")).status_code == 303
    assert not (await product())["active"]


async def test_before_the_first_rate_a_held_product_waits_and_the_page_says_why(supplier, admin) -> None:
    supplier.rows[0]["price"] = "1.24"
    await supplier.sync()
    found = await product()
    kept = await db.fetch("DELETE FROM exchange_rate RETURNING *")
    try:
        shown = await admin.get(f"/admin/products/{found['id']}")
        asked = await submit(admin, f"/admin/products/{found['id']}/accepted-prices")
    finally:
        await db.fetch(
            """INSERT INTO exchange_rate (id, currency, day, rate, fetched_at)
               SELECT * FROM unnest($1::uuid[], $2::text[], $3::date[], $4::numeric[], $5::timestamptz[])""",
            *([row[name] for row in kept] for name in ("id", "currency", "day", "rate", "fetched_at")),
        )
    assert (shown.status_code, asked.status_code) == (503, 503)
    assert "No exchange rate is known yet" in shown.text
    assert await product() == found
