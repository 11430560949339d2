"""The checkout in a merchant's page: the frame, and the part of it that moves."""

from typing import Any

from litestar import Request, Response, get

from app.web.embed import checkout_session, view
from app.web.kernel.render import fragment, html

THEMES = {"light", "dark"}
Req = Request[Any, Any, Any]
# The frame itself: nothing from elsewhere, no cookie needed, shown by the merchant's own origins alone.
SECURITY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors {ancestors}"
)


@get("/embed/checkout", include_in_schema=False)
async def show(request: Req) -> Response[bytes]:
    """`?key=&order=&origin=`: what the SDK puts into its frame. Whatever can't be shown gets the same page."""
    asked = request.query_params
    theme = asked.get("theme", "") if asked.get("theme") in THEMES else ""
    try:
        found = await checkout_session.find(asked.get("key", ""), asked.get("order", ""), asked.get("origin", ""))
    except checkout_session.NoSuchCheckout:
        # Anybody's page may show it: it says nothing that is anybody's, and has nothing to press.
        refused = html(fragment(request, "embed/checkout/refused.html", {"theme": theme}), status=404)
        return framed(refused, "*")
    context = {
        "checkout": await view.build(found, again=asked.get("again", "")),
        "origin": found.origin,
        "theme": theme,
        "reload": f"/embed/checkout?{request.url.query}",
    }
    return framed(html(fragment(request, "embed/checkout/show.html", context)), found.ancestors)


@get("/embed/checkout/status", include_in_schema=False)
async def status(request: Req) -> Response[bytes]:
    """The part that moves, by the page's `?token=`. Raises CheckoutOver."""
    found = await checkout_session.by_token(request.query_params.get("token", ""))
    shown = await view.build(found, again=request.query_params.get("again", ""))
    return framed(html(fragment(request, "embed/checkout/_status.html", {"checkout": shown})), found.ancestors)


def framed(response: Response[bytes], ancestors: str) -> Response[bytes]:
    response.headers["content-security-policy"] = SECURITY.format(ancestors=ancestors)
    response.headers["cross-origin-resource-policy"] = "cross-origin"
    # A page that isolates itself (COEP) shows only frames that do so, too; ours brings nothing from elsewhere.
    response.headers["cross-origin-embedder-policy"] = "require-corp"
    return response
