"""Files of ours that a merchant's developer reads or runs: the page about webhooks, the sample shop."""

from litestar import Response, get

from app.core.files import shipped


@get("/docs/webhooks", include_in_schema=False)
async def webhooks() -> Response[bytes]:
    """``docs/webhooks.md`` as it is: Markdown reads well as text."""
    return _text(shipped("docs/webhooks.md").read_bytes())


@get("/examples/shop.py", include_in_schema=False)
async def sample_shop() -> Response[bytes]:
    """The sample shop, to be saved and run."""
    return _text(shipped("examples/shop.py").read_bytes())


def _text(body: bytes) -> Response[bytes]:
    return Response(body, media_type="text/plain", headers={"cache-control": "no-cache"})
