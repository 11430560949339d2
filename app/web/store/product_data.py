"""A product for machines that read our pages: schema.org's Product, as JSON-LD."""

from app.catalog.models import SoldProduct
from app.web.kernel.render import absolute

AVAILABLE, SOLD_OUT = "https://schema.org/InStock", "https://schema.org/OutOfStock"


def product_data(product: SoldProduct, *, selling: bool) -> dict[str, object]:
    """``selling``: whether the shop sells just now. Only what the page itself says."""
    listed = product.listed
    found: dict[str, object] = {
        "@context": "https://schema.org",
        "@type": "Product",
        "name": listed.name,
        "sku": str(listed.id),
        "image": absolute(listed.cover),
        "description": product.description,
        "category": "Video games",
        "additionalProperty": [
            {"@type": "PropertyValue", "name": "Platform", "value": listed.platform},
            {"@type": "PropertyValue", "name": "Region", "value": listed.where},
        ],
        "offers": {
            "@type": "Offer",
            "url": absolute(f"/products/{listed.slug}"),
            "price": str(listed.price.amount),
            "priceCurrency": listed.price.currency,
            "availability": AVAILABLE if listed.stock and selling else SOLD_OUT,
            "itemCondition": "https://schema.org/NewCondition",
        },
    }
    return {name: value for name, value in found.items() if value}
