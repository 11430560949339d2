"""The catalog: search, filter, sort and page, all in the URL."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from litestar import Request, Response, get
from markupsafe import Markup

from app.catalog import queries as catalog
from app.catalog.models import Listed
from app.catalog.queries import PAGE, SORTS, Browse
from app.core.i18n import _, language
from app.core.money import typed_decimal
from app.queue import breaker_queries as breakers
from app.suppliers.registry import TITLES
from app.web.kernel.described import json_answer
from app.web.kernel.render import answer, by_htmx, fragment, html, page, wants_json
from app.web.store.answers import Amount, Catalog, CatalogItem

LAST_PAGE = 10_000
MOST_SHELVES = 512  # rendered queries kept in memory, some 20 kB each


@dataclass(frozen=True, slots=True)
class Shelf:
    """The catalog as it is rendered for one query: no visitor's own things are in it."""

    whole: Markup
    results: Markup


@dataclass
class _Shelves:
    """Shelves rendered from one version of the catalog; a newer version empties them."""

    version: object = None
    kept: dict[tuple[str, Browse], Shelf] = field(default_factory=dict)


_shelves = _Shelves()


@get("/", include_in_schema=True, summary="Catalog", tags=["shop"], responses=json_answer(Catalog))
async def index(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Products that match; HTML, or JSON `{items, total, next}` where asked for."""
    ask = _asked(request.query_params)
    if wants_json(request):
        products, total = await catalog.browse(ask)
        following = _href(ask, page=ask.page + 1) if ask.page * PAGE < total else None
        return answer(Catalog([_item(p) for p in products], total, following))
    shelf = await _shelf(request, ask)
    if by_htmx(request):
        return html(shelf.results)
    away = any([await breakers.away(supplier) for supplier in TITLES])
    return page(request, "store/catalog/index.html", {"query": ask, "shelf": shelf.whole, "supplier_away": away})


async def _shelf(request: Request[Any, Any, Any], ask: Browse) -> Shelf:
    version = await catalog.version()
    if version != _shelves.version or len(_shelves.kept) >= MOST_SHELVES:
        _shelves.version, _shelves.kept = version, {}
    asked = (language(), ask)
    if asked not in _shelves.kept:
        _shelves.kept[asked] = await _stock(request, ask)
    return _shelves.kept[asked]


async def _stock(request: Request[Any, Any, Any], ask: Browse) -> Shelf:
    products, total = await catalog.browse(ask)
    facets = await catalog.facets()
    shown = {
        "products": products,
        "total": total,
        "page": ask.page,
        "pages": _pages(total),
        "query": ask,
        "platforms": [{"name": n, "count": c} for n, c in facets["platform"]],
        "regions": [{"name": n, "count": c} for n, c in facets["region"]],
        "sorts": [{"value": value, "label": _(label)} for value, (label, _sql) in SORTS.items()],
        "links": _links(ask, total),
    }
    parts = (fragment(request, f"store/catalog/{name}.html", shown) for name in ("_shelf", "_results"))
    return Shelf(*(Markup(part) for part in parts))  # noqa: S704 - rendered by our own templates


def _asked(query: Mapping[str, Any]) -> Browse:
    """What the URL asks for; anything that makes no sense in it is passed over rather than refused."""
    least, most = (_price(query.get(name)) for name in ("min", "max"))
    number = str(query.get("page", "1"))
    sort = str(query.get("sort", "newest"))
    return Browse(
        q=str(query.get("q", "")).replace("\x00", "").strip()[:80],
        platform=str(query.get("platform", "")).replace("\x00", "")[:64],
        region=str(query.get("region", "")).replace("\x00", "")[:64],
        price_min=least,
        price_max=most,
        sort=sort if sort in SORTS else "newest",
        page=min(max(int(number), 1), LAST_PAGE) if number.isascii() and number.isdigit() and len(number) < 6 else 1,
    )


def _price(text: Any) -> Decimal | None:
    value = typed_decimal(str(text or ""), 3)
    return value if value is not None and value < 10_000_000 else None


def _href(ask: Browse, **change: Any) -> str:
    now = replace(ask, **change)
    query: dict[str, object] = {
        "q": now.q,
        "platform": now.platform,
        "region": now.region,
        "min": now.price_min,
        "max": now.price_max,
    }
    query |= {"sort": now.sort if now.sort != "newest" else "", "page": now.page if now.page > 1 else ""}
    text = urlencode({name: value for name, value in query.items() if value not in ("", None)})
    return f"/?{text}" if text else "/"


def _pages(total: int) -> int:
    return max(-(-total // PAGE), 1)


def _links(ask: Browse, total: int) -> dict[str, object]:
    last = _pages(total)
    return {
        "prev": _href(ask, page=min(ask.page - 1, last)) if ask.page > 1 else None,
        "next": _href(ask, page=ask.page + 1) if ask.page < last else None,
        "pages": [
            {"number": n, "href": _href(ask, page=n), "current": n == ask.page}
            for n in range(1, last + 1)
            if n in {1, last} or abs(n - ask.page) <= 2
        ],
    }


def _item(product: Listed) -> CatalogItem:
    return CatalogItem(
        product_id=product.id,
        slug=product.slug,
        name=product.name,
        platform=product.platform,
        region=product.region,
        price=Amount.of(product.price),
        stock=product.stock,
    )
