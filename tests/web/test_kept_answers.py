"""What caches may keep: an address means its bytes, and nothing of a person is in them."""

import json
import re
from urllib.parse import urlsplit

import pytest
from litestar import Litestar

from app.catalog import queries
from app.core import db
from app.web.kernel import static_files
from tests.conftest import ROOT
from tests.web import builders
from tests.web.pages import Page, crawl

FOR_EVER = "public, max-age=31536000, immutable"
FILLED = {"version:str": "2.0.1", "order_id:str": "x", "name:str": "order.paid", "code:str": "bad_email"}


def kept(answer) -> bool:
    """Whether a shared cache may keep it without asking again."""
    told = answer.headers.get("cache-control", "")
    return "public" in told or ("max-age=" in told and "private" not in told and "no-store" not in told)


async def test_a_file_is_kept_for_ever_by_the_address_that_names_its_digest_and_by_no_other(client) -> None:
    good = static_files.address("js/app.js")
    assert re.fullmatch(r"/static/js/app\.js\?v=[0-9a-f]{10}", good)
    right = await client.get(good)
    assert right.headers.get_list("cache-control") == [FOR_EVER]
    for wrong in (
        "",
        "?v=",
        "?v=anything",
        f"?v={good[-10:].upper()}x",
        f"?v={good[-10:]}&v=other",
        "?w=1",
        "?v=0000000000",
    ):
        answer = await client.get(f"/static/js/app.js{wrong}")
        assert answer.status_code == 200, wrong
        assert answer.content == right.content
        assert answer.headers.get_list("cache-control") == ["no-cache"], wrong
    missing = await client.get("/static/js/nothing.js?v=anything")
    assert missing.status_code == 404
    assert not kept(missing)


async def test_every_file_that_pages_and_styles_name_is_named_by_its_digest(browser_client) -> None:
    seen = await crawl(browser_client, "/", "/cart", "/login", "/orders", "/orders/lookup", "/admin/login")
    files = {path for path in seen if path.startswith("/static/")}
    assert len(files) > 15
    for style in sorted((ROOT / "static").rglob("*.css")):
        if style.name == "sandbox.css":
            continue
        for link in re.findall(r'url\("\.\./([^"]+)"\)', style.read_text()):
            files.add(f"/static/{link}")
    assert any("woff2" in file for file in files)
    for file in files:
        assert (await browser_client.get(file)).headers["cache-control"] == FOR_EVER, file


async def test_a_cover_is_kept_by_the_address_of_its_edition_alone_and_sets_no_cookie(browser_client) -> None:
    page = await browser_client.get("/")
    covers = {link for link in Page(page.text).links if link.startswith("/covers/")}
    assert len(covers) >= 20
    browser_client.cookies.clear()
    for cover in covers:
        answer = await browser_client.get(cover)
        assert answer.headers["cache-control"] == FOR_EVER
        assert "set-cookie" not in answer.headers
        for wrong in (cover.partition("?")[0], cover[:-1], f"{cover}&v=x"):
            assert (await browser_client.get(wrong)).headers["cache-control"] == "no-cache", wrong
    assert not browser_client.cookies


async def test_a_new_title_has_a_new_address_of_its_cover(client, app) -> None:
    row = await db.fetch_one("SELECT id, slug, name FROM product WHERE active ORDER BY slug LIMIT 1")
    addresses = []
    try:
        for name in (row["name"], "Another title"):
            await db.fetch("UPDATE product SET name = $2 WHERE id = $1", row["id"], name)
            html = (await client.get(f"/products/{row['slug']}", headers={"accept": "text/html"})).text
            addresses.append(re.search(rf"/covers/{row['slug']}\.svg\?v=\w+", html)[0])
    finally:
        await db.fetch("UPDATE product SET name = $2 WHERE id = $1", row["id"], row["name"])
    assert addresses[0] != addresses[1]
    assert (await client.get(addresses[0])).headers["cache-control"] == FOR_EVER
    assert (await client.get(addresses[1])).headers["cache-control"] == "no-cache"


def gets(app: Litestar) -> list[str]:
    """Every path that answers GET, with something in the place of its parameters."""
    found = []
    for route in app.routes:
        if "GET" in getattr(route, "methods", ()):
            path = re.sub(r"\{([^}]+)\}", lambda part: FILLED.get(part[1], "x"), route.path)
            found.append(path)
    return sorted(set(found))


async def test_whatever_may_be_kept_by_all_is_the_same_for_all_and_sets_no_cookie(app, visitor, ready) -> None:
    owner, stranger = visitor(), visitor()
    owner.cookies.set("bitloot_orders", ready.token)
    slug = await db.fetch_value("SELECT slug FROM product WHERE active ORDER BY slug LIMIT 1")
    await builders.submit(owner, "/cart", {"slug": slug, "quantity": "3"})
    paths = [path for path in gets(app) if not path.endswith("/events")]
    paths += [f"/products/{slug}", f"/sitemap/products/{slug}.xml", static_files.address("css/base.css")]
    paths += [link for link in Page((await stranger.get("/")).text).links if link.startswith("/covers/")][:3]
    stranger.cookies.clear()
    found = set()
    for path in paths:
        mine, theirs = await owner.get(path), await stranger.get(path)
        for answer in (mine, theirs):
            if kept(answer):
                found.add(path)
                assert "set-cookie" not in answer.headers, path
                assert "cookie" not in answer.headers.get("vary", "").lower(), path
                assert mine.content == theirs.content, path
        stranger.cookies.clear()
    assert {"/checkout.js", "/robots.txt", "/sitemap.xml", "/favicon.ico", "/sdk/2.0.1/checkout.js"} <= found
    private = ("/orders", "/cart", "/admin", "/merchant", "/login", "/embed/", "/api/v1", "/fulfillment", "/account")
    assert not [path for path in found if path.startswith(private)]


async def test_robots_are_kept_out_of_what_is_private_and_shown_the_sitemap(client) -> None:
    text = (await client.get("/robots.txt")).text
    assert text.startswith("User-agent: *\n")
    for path in ("/admin", "/merchant", "/cart", "/orders", "/login", "/embed/", "/api/v1/"):
        assert f"\nDisallow: {path}\n" in text
    assert "Disallow: /\n" not in text
    (sitemap,) = re.findall(r"^Sitemap: (\S+)$", text, re.M)
    assert urlsplit(sitemap).path == "/sitemap.xml"


async def test_the_sitemap_names_every_product_once_in_parts(client, app) -> None:
    slugs = [row["slug"] for row in await db.fetch("SELECT slug FROM product WHERE active ORDER BY slug")]
    index = (await client.get("/sitemap.xml")).text
    parts = [urlsplit(url).path for url in re.findall(r"<loc>([^<]+)</loc>", index)]
    assert parts == ["/sitemap/pages.xml", f"/sitemap/products/{slugs[0]}.xml"]
    listed = (await client.get(parts[1])).text
    assert [urlsplit(url).path for url in re.findall(r"<loc>([^<]+)</loc>", listed)] == [
        f"/products/{s}" for s in slugs
    ]
    assert listed.count("<lastmod>2") == len(slugs)
    assert "/docs/events</loc>" in (await client.get(parts[0])).text
    for nothing in ("/sitemap/products/zzzzzz.xml", "/sitemap/products/x", "/sitemap/nothing.xml"):
        assert (await client.get(nothing)).status_code == 404


async def test_a_sitemap_of_many_parts_begins_each_where_the_last_one_ended(app) -> None:
    slugs = [row["slug"] for row in await db.fetch("SELECT slug FROM product WHERE active ORDER BY slug")]
    starts = await queries.every_nth_slug(7)
    assert starts == slugs[::7]
    assert [slug for start in starts for slug, _ in await queries.slugs_from(start, 7)] == slugs


async def test_a_product_tells_search_engines_what_it_tells_people(browser_client) -> None:
    row = await db.fetch_one("SELECT * FROM product WHERE active AND stock > 0 ORDER BY slug LIMIT 1")
    html = (await browser_client.get(f"/products/{row['slug']}?utm_source=x")).text
    base = str(browser_client.base_url).rstrip("/")
    assert f'<link rel="canonical" href="{base}/products/{row["slug"]}">' in html
    assert '<meta property="og:type" content="product">' in html
    assert f'<meta property="og:url" content="{base}/products/{row["slug"]}">' in html
    assert 'name="robots"' not in html
    found = re.search(r'<script type="application/ld\+json">(.*?)</script>', html, re.S)
    data = json.loads(found[1])
    assert (data["@type"], data["name"], data["sku"]) == ("Product", row["name"], str(row["id"]))
    assert data["offers"] == {
        "@type": "Offer", "url": f"{base}/products/{row['slug']}", "price": str(row["price"]), "priceCurrency": "USD",
        "availability": "https://schema.org/InStock", "itemCondition": "https://schema.org/NewCondition",
    }  # fmt: skip
    image = urlsplit(re.search(r'property="og:image" content="([^"]+)"', html)[1])
    picture = await browser_client.get(f"{image.path}?{image.query}")
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/png")
    assert picture.headers["cache-control"] == FOR_EVER


@pytest.mark.parametrize("name", ["</script><script>alert(1)</script>", "Tom & “Jerry” <3"])
async def test_a_title_with_any_signs_stays_data(browser_client, app, name: str) -> None:
    row = await db.fetch_one("SELECT id, slug, name FROM product WHERE active ORDER BY slug LIMIT 1")
    await db.fetch("UPDATE product SET name = $2 WHERE id = $1", row["id"], name)
    try:
        html = (await browser_client.get(f"/products/{row['slug']}")).text
    finally:
        await db.fetch("UPDATE product SET name = $2 WHERE id = $1", row["id"], row["name"])
    assert Page(html).faults == []
    assert json.loads(re.search(r'ld\+json">(.*?)</script>', html, re.S)[1])["name"] == name


async def test_pages_of_ones_own_ask_not_to_be_found_and_filters_lead_to_the_shelf(visitor, ready) -> None:
    browser = visitor(**ready.bearer)
    for path in ("/cart", "/login", f"/orders/{ready.id}", "/nowhere"):
        assert '<meta name="robots" content="noindex">' in (await browser.get(path)).text, path
    base = str(browser.base_url).rstrip("/")
    for path in ("/", "/?q=a&sort=name"):
        assert f'<link rel="canonical" href="{base}/">' in (await browser.get(path)).text, path
