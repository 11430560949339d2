"""The guides that Sphinx built from the folder ``docs``: a page for browsers, Markdown for whoever asks for text."""

from typing import Any

from litestar import Request, Response, get

from app.core.errors import NotFound
from app.web.kernel.render import page
from app.web.manual.navigation import sections
from app.web.manual.site import site

Req = Request[Any, Any, Any]
ROOT = "/docs"


class NoSuchGuide(NotFound):
    title = "There is no such page in the documentation"


@get([ROOT, "/docs/{name:str}", "/docs/{folder:str}/{name:str}"], include_in_schema=False)
async def show(request: Req) -> Response[bytes]:
    """A guide, by its path. Nothing but the pages of the build can be asked for: no file is looked up."""
    path = request.url.path.rstrip("/")
    pages = site().pages
    if not pages:
        return page(request, "manual/unbuilt.html", {"sections": sections()}, status=404)
    if path not in pages:
        raise NoSuchGuide("All pages are listed at /docs.")
    guide = pages[path]
    if path != ROOT and "text/html" not in request.headers.get("accept", ""):
        return text(guide.source.encode())
    merchants = {entry.path for entry in site().sections[0].pages}
    context = {"guide": guide, "sections": sections(), "found": path == ROOT or path in merchants}
    return page(request, "manual/guide.html", context)


def text(body: bytes) -> Response[bytes]:
    return Response(body, media_type="text/plain", headers={"cache-control": "no-cache"})
