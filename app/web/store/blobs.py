"""The local store's own signed links. With R2 its presigned links are used and this door finds nothing."""

from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath

from app.core import clock
from app.core.errors import Forbidden, NotFound
from app.providers.storage import LocalStore, ObjectMissing


class LinkExpired(Forbidden):
    title = "This download link has expired"


@get("/blobs/{key:path}", include_in_schema=False)
async def show(request: Request[Any, Any, Any], key: FromPath[str]) -> Response[bytes]:
    """A sealed blob, to whoever holds a fresh link to it."""
    store = request.app.state.store
    if not isinstance(store, LocalStore):
        raise NotFound
    name, query = key.lstrip("/"), request.query_params
    if not store.verify_link(name, str(query.get("expires", "")), str(query.get("signature", "")), clock.now()):
        raise LinkExpired("Links work for 15 minutes. Ask for a new one on the order's page.")
    try:
        blob = await store.get(name)
    except ObjectMissing:
        raise NotFound("This file is no longer kept.") from None
    filename = f"bitloot-{name.rpartition('/')[2]}.sealed"
    return Response(
        blob,
        media_type="application/octet-stream",
        headers={"content-disposition": f'attachment; filename="{filename}"', "cache-control": "private, no-store"},
    )
