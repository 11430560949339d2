"""The catalog: what it lists, and that every address of it answers."""

from decimal import Decimal
from urllib.parse import quote

import pytest

MEMBERS = {"productId", "slug", "name", "platform", "region", "price", "stock"}


async def listed(client, query: str = "") -> dict:
    answer = await client.get(f"/{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_the_json_list_has_exactly_the_shape_of_the_design(client) -> None:
    answer = await client.get("/")
    said = answer.json()
    assert answer.headers["content-type"] == "application/json"
    assert set(said) == {"items", "total", "next"}
    assert all(set(item) == MEMBERS for item in said["items"])
    assert set(said["items"][0]["price"]) == {"amount", "currency"}
    assert isinstance(said["items"][0]["price"]["amount"], str)
    assert len(said["items"]) == 24
    assert said["total"] >= 60


async def test_following_next_shows_every_product_once(client) -> None:
    said = await listed(client)
    seen, total = [item["slug"] for item in said["items"]], said["total"]
    while said["next"]:
        said = (await client.get(said["next"])).json()
        seen += [item["slug"] for item in said["items"]]
    assert len(seen) == len(set(seen)) == total


async def test_a_browser_gets_a_page_with_the_same_games(client, browser_client) -> None:
    slugs = [item["slug"] for item in (await listed(client))["items"]]
    page = await browser_client.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "<!doctype html>" in page.text
    assert all(page.text.count(f'href="/products/{slug}"') == 1 for slug in slugs)
    assert 'rel="next" href="/?page=2"' in page.text
    assert {"HX-Request", "Accept", "Cookie"} <= set(page.headers["vary"].replace(",", " ").split())


async def test_htmx_gets_the_results_alone(browser_client) -> None:
    part = await browser_client.get("/?q=a", headers={"hx-request": "true"})
    assert part.status_code == 200
    assert "<html" not in part.text
    assert 'id="results"' not in part.text
    assert part.text.count('class="card"') == 24


async def test_search_finds_all_words_in_any_case_and_order(client) -> None:
    name = (await listed(client))["items"][0]["name"]
    words = " ".join(reversed(name.upper().split()))
    found = await listed(client, f"?q={quote(words)}")
    assert found["total"] >= 1
    assert all(set(name.lower().split()) <= set(item["name"].lower().split()) for item in found["items"])


async def test_signs_of_sql_are_searched_for_as_they_stand(client) -> None:
    for wild in ("%", "_", "\\", "%%%", "a%b", "'; DROP TABLE product; --"):
        assert await listed(client, f"?q={quote(wild)}") == {"items": [], "total": 0, "next": None}, wild


async def test_filters_and_prices_hold_for_every_product_shown(client) -> None:
    some = (await listed(client))["items"][0]
    found = await listed(client, f"?platform={quote(some['platform'])}&region={quote(some['region'])}&min=1&max=60")
    assert found["total"] >= 1
    for item in found["items"]:
        assert (item["platform"], item["region"]) == (some["platform"], some["region"])
        assert 1 <= Decimal(item["price"]["amount"]) <= 60


@pytest.mark.parametrize(("sort", "key", "falling"), [
    ("name", lambda i: i["name"].lower(), False),
    ("price", lambda i: Decimal(i["price"]["amount"]), False),
    ("-price", lambda i: Decimal(i["price"]["amount"]), True),
])  # fmt: skip
async def test_sorting_orders_the_list(client, sort, key, falling) -> None:
    keys = [key(item) for item in (await listed(client, f"?sort={sort}"))["items"]]
    assert keys == sorted(keys, reverse=falling)
    assert len(keys) == 24


async def test_paging_keeps_what_was_asked_for(client, browser_client) -> None:
    found = await listed(client, "?q=e&sort=price&max=90")
    assert found["next"] == "/?q=e&max=90&sort=price&page=2"
    page = await browser_client.get("/?q=e&sort=price&max=90")
    assert 'href="/?q=e&amp;max=90&amp;sort=price&amp;page=2"' in page.text
    assert '<option value="price" selected>' in page.text


async def test_a_search_without_results_says_what_to_do(browser_client) -> None:
    page = await browser_client.get("/?q=zzzzzz")
    assert page.status_code == 200
    assert "No games found" in page.text


async def test_what_was_searched_is_shown_as_text(browser_client) -> None:
    page = await browser_client.get("/?q=" + quote('"><script>alert(1)</script>'))
    assert "<script>alert(1)" not in page.text
    assert "&lt;script&gt;alert(1)" in page.text


ABSURD = [
    "page=-1", "page=0", "page=99999999", "page=9999", "page=1.5", "page=NaN", "page=%D9%A1", "page=" + "9" * 5000,
    "min=NaN", "min=-NaN", "max=sNaN", "min=Infinity", "min=1e400", "min=1e-400", "min=1e-99999", "min=1e999999",
    "min=-5", "max=0.000000000000000000000000000001", "min=0." + "1" * 9000, "min=9999999.999", "min=%00", "min=",
    "q=%00", "q=%00%00a", "q=%FF%FE", "q=%ED%A0%80", "q=" + "a" * 10_000, "q=" + "%20" * 3000, "q=%F0%9F%8E%AE",
    "platform=%00", "platform=" + "x" * 9000, "region=%00%FF", "sort=%00", "sort=price;DROP", "sort=__class__",
    "q=a&q=b&page=1&page=2", "&&&===", "%", "q", "q[]=1", "a=" + "b" * 9000,
]  # fmt: skip


async def test_absurd_queries_still_show_a_list(browser_client) -> None:
    for query in ABSURD:
        for headers in ({"accept": "application/json"}, {"accept": "text/html"}, {"hx-request": "true"}):
            answer = await browser_client.get(f"/?{query}", headers=headers)
            assert answer.status_code == 200, (query[:40], headers, answer.text[:500])


async def test_a_page_behind_the_last_is_empty_and_knows_the_total(client) -> None:
    total = (await listed(client))["total"]
    assert await listed(client, "?page=9999") == {"items": [], "total": total, "next": None}
