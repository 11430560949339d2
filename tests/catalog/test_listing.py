"""Reading the supplier's listing: what is missing is not gone, and one odd row is nobody else's fault."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.catalog import listing
from app.catalog import service as catalog
from app.catalog.listing import ListingIncomplete
from app.core import db
from app.providers.http import ProviderProtocolError
from app.queue import service as jobs
from tests.builders import claimed, job_names, rows
from tests.catalog.listing import Supplier, on_sale, ours, row, told

TWENTY = [row(number) for number in range(1, 21)]
IDS = [f"{number:024x}" for number in range(1, 21)]


@pytest.fixture
async def supplier(app) -> AsyncIterator[Supplier]:
    """Twenty products of a supplier of our own, all on sale, and nothing else."""
    await db.fetch("UPDATE product SET active = false, updated_at = now()")
    made = Supplier(*(dict(one) for one in TWENTY))
    assert await made.sync() == 20
    yield made
    await db.fetch("DELETE FROM product WHERE platform = 'Oddbox'")
    await db.fetch("UPDATE product SET updated_at = now()")


async def stands(supplier: Supplier) -> None:
    """The reading fails, nothing is taken off sale, and the owner is told."""
    with pytest.raises(ListingIncomplete):
        await supplier.sync()
    assert await on_sale() == IDS
    assert "Nothing was taken off sale" in (await told("catalog:kinguin"))["listing_incomplete"]


@pytest.mark.parametrize("promised", [20, 21, 70, ...])
async def test_an_empty_listing_takes_nothing_off_sale(supplier, promised: Any) -> None:
    supplier.rows, supplier.promised = [], promised
    await stands(supplier)


async def test_a_listing_that_says_it_is_empty_takes_nothing_off_sale(supplier) -> None:
    supplier.rows = []
    await stands(supplier)


async def test_a_page_one_row_short_takes_nothing_off_sale(supplier) -> None:
    del supplier.rows[7]
    supplier.promised = 20
    await stands(supplier)


async def test_a_short_page_in_the_middle_does_not_end_the_reading(supplier) -> None:
    supplier.rows += [row(number) for number in range(100, 300)]
    supplier.promised = 220
    supplier.spoil = lambda page, limit, body: _without_last(body) if page == 1 else body
    with pytest.raises(ListingIncomplete, match="promised 220 products, but 219 arrived"):
        await supplier.sync()
    assert len(await on_sale()) == 219, "the pages behind the short one were read all the same"


def _without_last(body: bytes) -> bytes:
    page = json.loads(body)
    page["results"].pop()
    return json.dumps(page).encode()


async def test_a_page_that_repeats_itself_is_not_the_listing(supplier) -> None:
    supplier.rows += [row(number) for number in range(100, 180)]
    supplier.promised = 200
    first = json.dumps({"results": supplier.rows[:100], "item_count": 200}).encode()
    supplier.spoil = lambda page, limit, body: first
    with pytest.raises(ListingIncomplete, match="promised 200 products, but 100 arrived"):
        await supplier.sync()


async def test_many_missing_at_once_take_nothing_off_sale_until_a_person_says_so(supplier) -> None:
    gone = supplier.rows[:6]
    supplier.rows = supplier.rows[6:]
    supplier.gone = {one["productId"] for one in gone}
    await stands(supplier)
    assert "Of 20 products on sale 6 are missing" in (await told("catalog:kinguin"))["listing_incomplete"]
    assert await supplier.sync(accept_losses=True) == 14
    assert await on_sale() == IDS[6:]
    assert await told("catalog:kinguin") == {}


async def test_one_that_is_missing_is_asked_for_and_stays_if_it_is_there(supplier) -> None:
    missing = supplier.rows.pop(3)
    assert await supplier.sync() == 19
    assert await on_sale() == IDS
    supplier.gone = {missing["productId"]}
    await supplier.sync()
    assert await on_sale() == [name for name in IDS if name != missing["productId"]]
    assert (await ours())[missing["productId"]]["stock"] == 0


async def test_a_reading_that_is_whole_again_settles_the_issue(supplier) -> None:
    supplier.promised = 40
    await stands(supplier)
    supplier.promised = None
    assert await supplier.sync() == 20
    assert await told("catalog:kinguin") == {}


async def test_a_long_listing_is_read_in_several_jobs_and_no_reading_begins_beside_it(supplier) -> None:
    supplier.rows += [row(number) for number in range(1000, 1980)]
    args: dict[str, Any] = {}
    for first, done in ((500, False), (1000, True)):
        rest = await catalog.sync_on(args, listing=supplier.listing)
        assert (len(await on_sale()), rest is None) == (first, done)
        args = rest or {}
    await claimed("catalog.sync")
    await db.fetch("UPDATE job SET args = '{\"page\": 6}'")
    supplier.asked.clear()
    assert await catalog.sync_on({}, listing=supplier.listing) is None
    assert supplier.asked == []


async def test_a_reading_that_waits_is_found_by_an_index_among_all_jobs_that_wait(supplier) -> None:
    await db.fetch(
        """INSERT INTO job (id, name, queue, args, status, run_at, created_at) SELECT gen_random_uuid(), 'mail.send',
             'mail', '{"mail_id": "x"}', 'pending', now() + interval '1 hour', now() FROM generate_series(1, 20000)"""
    )
    await db.fetch("ANALYZE job")
    plan = await db.fetch("EXPLAIN SELECT FROM job WHERE dedupe = 'catalog.sync:rest:kinguin' AND status = 'pending'")
    assert "Index" in plan[0][0], plan
    await jobs.post("catalog.sync", {"page": 6}, dedupe=catalog.rest_of("kinguin"))
    supplier.asked.clear()
    assert await catalog.sync_on({}, listing=supplier.listing) is None
    assert supplier.asked == []


async def test_the_job_fails_where_the_listing_is_short_and_its_dead_letter_tells(app, box, drain) -> None:
    before = await db.fetch("SELECT id, active, stock, price FROM product ORDER BY id")
    await box.fault("kinguin", "short_listing")
    await db.fetch("DELETE FROM job")
    await catalog_job()
    await drain(only="catalog.sync", later=True)
    assert await job_names("failed") == ["catalog.sync"]
    assert await db.fetch("SELECT id, active, stock, price FROM product ORDER BY id") == before
    await box.no_faults()
    await box.fault("kinguin", "empty_listing")
    await catalog_job()
    await drain(only="catalog.sync", later=True)
    assert await db.fetch("SELECT id, active, stock, price FROM product ORDER BY id") == before


async def catalog_job() -> None:
    await jobs.post("catalog.sync", {}, dedupe="catalog.sync")


ODD = {
    "the same number under a new id": row(7, productId="f" * 24),
    "a lone surrogate in the description": row(50, description="half \ud800 of it"),
    "a lone surrogate in the name": row(50, name="half \udfff of it"),
    "a NUL in the text": row(50, description="nul \x00 here"),
    "a NUL in the id": row(50, productId="nul\x00here"),
    "a surrogate in the id": row(50, productId="half \ud800"),
    "an id that is too long": row(50, productId="e" * 60),
    "no id": row(50, productId=None),
    "no name": row(50, name=None, originalName=""),
    "a name that is a list": row(50, name=["a"]),
    "a stock that is a text": row(50, qty="plenty"),
    "half a key": row(50, qty=2.5),
    "less than no key": row(50, textQty=-3),
    "a limit nobody can read": row(50, countryLimitation={"DE": True}),
    "a date that is an object": row(50, releaseDate={"year": 2026}),
    "a number instead of a row": 7,
    "nothing instead of a row": None,
    "a list instead of a row": [],
    "an empty row": {},
    "a row that stands there twice": TWENTY[3],
    "no price": row(50, price=None),
    "a price of zero": row(50, price=0),
    "a price below zero": row(50, price=-4),
    "a price that is a word": row(50, price="free"),
    "a price beyond all measure": row(50, price=1e300),
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD.keys())
async def test_one_odd_row_stops_no_other_and_is_named(supplier, odd: Any) -> None:
    for place, one in enumerate(supplier.rows):
        one |= {"price": 12, "qty": 3 + place, "textQty": 3 + place}
    supplier.rows.insert(4, odd)
    await supplier.sync()
    found = await ours()
    for place, name in enumerate(IDS):
        assert (found[name]["cost"], found[name]["stock"], found[name]["active"]) == (12, 3 + place, True)
    said = (await told("catalog:kinguin"))["odd_rows"]
    assert said.startswith("1 of our supplier’s rows")
    if isinstance(odd, dict) and len(str(odd.get("productId"))) == 24:
        assert odd["productId"] in said
    supplier.rows.remove(odd)
    await supplier.sync()
    assert await told("catalog:kinguin") == {}


@pytest.mark.parametrize("key", ["description", "name", "activationDetails"])
async def test_a_text_that_cannot_be_stored_costs_no_sale(supplier, key: str) -> None:
    supplier.rows.append(row(50, **{key: "All \ud83d of \x00it"}))
    await supplier.sync()
    kept = (await ours())[f"{50:024x}"]
    assert kept["active"]
    assert "All of it" in f"{kept['name']} {kept['description']} {kept['details']}"


@pytest.mark.parametrize(
    "spoiled",
    [b'"price": 1e999999', b'"price": NaN', b'"price": 9, "price": 1', b'"price": ' + b"9" * 5000,
     b'"price": 12, "description": "\xff\xfe"', b'"price": 12, "description": "tab\there"'],
)  # fmt: skip
async def test_a_row_that_strict_json_refuses_spoils_itself_alone(supplier, spoiled: bytes) -> None:
    for one in supplier.rows:
        one["price"] = 12
    supplier.rows.append(row(50, price=777))
    supplier.spoil = lambda page, limit, body: body.replace(b'"price": 777', spoiled)
    await supplier.sync()
    assert [(await ours())[name]["cost"] for name in IDS] == [12] * 20


async def test_a_page_that_cannot_be_read_is_searched_for_the_row_that_spoils_it(supplier) -> None:
    for one in supplier.rows:
        one["price"] = 12
    supplier.rows.insert(13, row(50, name="spoiler"))
    supplier.spoil = lambda page, limit, body: body[:-9] if b"spoiler" in body else body
    await supplier.sync()
    assert [(await ours())[name]["cost"] for name in IDS] == [12] * 20
    assert "row 14 of the listing: it can't be read" in (await told("catalog:kinguin"))["odd_rows"]


async def test_a_listing_of_which_nothing_can_be_read_changes_nothing(supplier) -> None:
    before = await rows()
    supplier.spoil = lambda page, limit, body: b"<html>Just a moment...</html>"
    with pytest.raises(ProviderProtocolError):
        await supplier.sync()
    assert await rows() == before


async def test_a_product_under_a_new_id_stays_the_same_product_once_the_old_id_is_gone(supplier) -> None:
    before = (await ours())[IDS[6]]
    supplier.rows[6] = row(7, productId="f" * 24, price=11)
    supplier.gone = {IDS[6]}
    await supplier.sync()
    assert "f" * 24 in (await told("catalog:kinguin"))["odd_rows"]
    await supplier.sync()
    found = (await ours())["f" * 24]
    assert (found["id"], found["slug"], found["cost"], found["active"]) == (before["id"], before["slug"], 11, True)
    assert await told("catalog:kinguin") == {}


async def test_a_row_that_would_not_change_is_not_written_again(supplier) -> None:
    before = {name: product["updated_at"] for name, product in (await ours()).items()}
    supplier.rows[2]["qty"] = supplier.rows[2]["textQty"] = 4
    await supplier.sync()
    after = {name: product["updated_at"] for name, product in (await ours()).items()}
    assert [name for name in IDS if after[name] != before[name]] == [IDS[2]]


async def test_one_product_that_cannot_be_read_stays_and_is_told_until_it_can(supplier) -> None:
    supplier.rows[0]["name"] = {"no": "text"}
    await supplier.refresh(IDS[0])
    kept = (await ours())[IDS[0]]
    assert (kept["active"], kept["stock"], kept["cost"]) == (True, 5, 10)
    subject = f"product:{kept['id']}"
    assert "Odd Game 1" in (await told(subject))["product_unreadable"]
    supplier.rows[0]["name"] = "Odd Game 1"
    await supplier.refresh(IDS[0])
    assert await told(subject) == {}


async def test_pages_are_read_to_the_promised_end_however_many_there_are(supplier) -> None:
    assert listing.PAGE == 100
    supplier.rows += [row(number) for number in range(500, 1110)]
    assert await supplier.sync() == 630
    assert len([path for path in supplier.asked if path.endswith("/v1/products")]) == 1 + 7
