"""Files of ours that a merchant's developer reads or runs: the page about webhooks, the sample shop."""

from typing import Any

from litestar import Request, Response, get

from app.core.files import shipped
from app.web.kernel.render import page
from app.web.manual.markdown import rendered

Req = Request[Any, Any, Any]


@get("/docs/webhooks", include_in_schema=False)
async def webhooks(request: Req) -> Response[bytes]:
    """``docs/webhooks.md``: a page for browsers, and as it is for whoever asks for text."""
    body = shipped("docs/webhooks.md").read_bytes()
    if "text/html" not in request.headers.get("accept", ""):
        return _text(body)
    text = body.decode()
    title = text.partition("\n")[0].removeprefix("# ")
    return page(request, "manual/guide.html", {"title": title, "content": rendered(text)})


@get("/examples/shop.py", include_in_schema=False)
async def sample_shop() -> Response[bytes]:
    """The sample shop, to be saved and run."""
    return _text(shipped("examples/shop.py").read_bytes())


def _text(body: bytes) -> Response[bytes]:
    return Response(body, media_type="text/plain", headers={"cache-control": "no-cache"})
