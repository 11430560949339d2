"""A product's page, and the covers we draw."""

from functools import lru_cache
from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath
from msgspec.structs import asdict

from app.catalog import queries as catalog
from app.catalog import rates
from app.catalog.covers.address import edition
from app.catalog.covers.drawing import draw_cover
from app.core.errors import NotFound
from app.core.i18n import _
from app.orders import promised_times
from app.orders.service import MOST_OF_ONE
from app.queue import breaker_queries as breakers
from app.web.kernel.render import answer, page, wants_json
from app.web.store.product_data import product_data


class ProductNotFound(NotFound):
    title = "We don't sell that game"

    def __init__(self) -> None:
        super().__init__(_("It may have been withdrawn. Search the shop for others like it."))


@get("/products/{slug:str}", summary="Product", tags=["shop"])
async def show(request: Request[Any, Any, Any], slug: FromPath[str]) -> Response[bytes]:
    """One product with what it is and how it is activated."""
    product = await catalog.by_slug(slug)
    if product is None:
        raise ProductNotFound
    listed, details = product.listed, product.details
    if wants_json(request):
        return answer(
            {
                "productId": listed.id, "slug": slug, "name": listed.name, "platform": listed.platform,
                "region": listed.region, "price": listed.price, "stock": listed.stock,
                "description": product.description, **asdict(details), "conditions": listed.conditions.lines,
            }
        )  # fmt: skip
    selling, usual = await rates.selling(), await promised_times.key_time()
    return page(
        request,
        "store/products/show.html",
        {
            "product": {
                "slug": slug, "name": listed.name, "original_name": listed.name, "platform": listed.platform,
                "where": listed.where, "conditions": listed.conditions.lines, "price": listed.price,
                "stock": listed.stock, "cover": listed.cover,
                "description": product.description, "genres": details.genres, "languages": details.languages,
                "release_date": product.released_on, "activation": details.activation,
                "developers": details.developers, "max_quantity": min(MOST_OF_ONE, listed.stock),
                "data": product_data(product, selling=selling),
            },
            "related": await catalog.related(product),
            "supplier_away": await breakers.away(product.supplier),
            "sales_stopped": not selling,
            "key_time": promised_times.in_words(usual) if usual else None,
        },
    )  # fmt: skip


@get("/covers/{name:str}", include_in_schema=False)
async def cover(request: Request[Any, Any, Any], name: FromPath[str]) -> Response[bytes]:
    """A cover as SVG, drawn from the product's title; kept for ever by the address that names its edition, ``?v=``."""
    slug = name.removesuffix(".svg")
    title = await catalog.name_of(slug)
    if title is None or not name.endswith(".svg"):
        raise ProductNotFound
    asked = request.query_params.getall("v", [])
    kept = "public, max-age=31536000, immutable" if asked == [edition(title)] else "no-cache"
    return Response(_drawn(title), media_type="image/svg+xml", headers={"cache-control": kept})


@lru_cache(maxsize=512)
def _drawn(title: str) -> bytes:
    return draw_cover(title).encode()
