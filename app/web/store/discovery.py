"""What search engines and browsers ask every site for: robots.txt, the sitemap, the icon."""

from datetime import datetime
from xml.sax.saxutils import escape

from litestar import Response, get
from litestar.params import FromPath

from app.catalog import queries as catalog
from app.core.errors import NotFound
from app.web.kernel import static_files
from app.web.kernel.render import absolute, iso

PART = 10_000  # products in one part; the protocol allows 50,000
KEPT = "public, max-age=3600"  # seconds; a product that comes or goes is told within the hour
PAGES = ("/", "/docs", "/docs/webhooks", "/docs/errors", "/docs/events", "/api/docs")
# What is somebody's own, changes nothing for a reader, or is a form.
PRIVATE = (
    "/admin", "/merchant", "/account", "/cart", "/checkout$", "/orders", "/login", "/links/", "/refunds/", "/embed/",
    "/fulfillment/", "/payments/", "/blobs/", "/api/v1/", "/*?*after=", "/*?*page=",
)  # fmt: skip
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
SPACE = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'


class NoSuchPart(NotFound):
    title = "There is no such part of the sitemap"


@get("/robots.txt", include_in_schema=False)
async def robots() -> Response[bytes]:
    """RFC 9309."""
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in PRIVATE), "", f"Sitemap: {absolute('/sitemap.xml')}"]
    return _kept("\n".join(lines) + "\n", "text/plain")


@get("/sitemap.xml", include_in_schema=False)
async def index() -> Response[bytes]:
    """The sitemap's parts: our own pages, and the products by ranges of their slugs."""
    starts = await catalog.every_nth_slug(PART)
    parts = ["/sitemap/pages.xml", *(f"/sitemap/products/{slug}.xml" for slug in starts)]
    found = "".join(f"<sitemap><loc>{escape(absolute(path))}</loc></sitemap>" for path in parts)
    return _kept(f"{HEAD}<sitemapindex {SPACE}>{found}</sitemapindex>", "application/xml")


@get("/sitemap/pages.xml", include_in_schema=False)
async def pages() -> Response[bytes]:
    return _kept(_urls([(path, None) for path in PAGES]), "application/xml")


@get("/sitemap/products/{name:str}", include_in_schema=False)
async def products(name: FromPath[str]) -> Response[bytes]:
    """One part: the products from the named slug on."""
    if not name.endswith(".xml"):
        raise NoSuchPart
    found = await catalog.slugs_from(name.removesuffix(".xml"), PART)
    if not found:
        raise NoSuchPart
    return _kept(_urls([(f"/products/{slug}", changed) for slug, changed in found]), "application/xml")


@get("/favicon.ico", include_in_schema=False)
async def icon() -> Response[bytes]:
    """For whoever asks without having read a page; pages name the SVG."""
    body = (static_files.ROOT / "img" / "favicon.ico").read_bytes()
    return Response(body, media_type="image/x-icon", headers={"cache-control": KEPT})


def _urls(found: list[tuple[str, datetime | None]]) -> str:
    rows = (
        f"<url><loc>{escape(absolute(path))}</loc>{f'<lastmod>{iso(changed)}</lastmod>' if changed else ''}</url>"
        for path, changed in found
    )
    return f"{HEAD}<urlset {SPACE}>{''.join(rows)}</urlset>"


def _kept(text: str, kind: str) -> Response[bytes]:
    return Response(text.encode(), media_type=kind, headers={"cache-control": KEPT})
