"""Files of ours that a merchant's developer runs: the sample shop."""

from litestar import Response, get

from app.core.files import shipped


@get("/examples/shop.py", include_in_schema=False)
async def sample_shop() -> Response[bytes]:
    """The sample shop, to be saved and run."""
    body = shipped("examples/shop.py").read_bytes()
    return Response(body, media_type="text/plain", headers={"cache-control": "no-cache"})
