"""Links to an item's sealed blobs."""

from datetime import timedelta
from typing import Any

from litestar import Request, Response, get

from app.core import clock
from app.core.ids import parse_id
from app.keys import reveal as keys
from app.web.kernel import guards
from app.web.kernel.described import json_answer
from app.web.kernel.rate_limits import TRACES, bucket
from app.web.kernel.render import answer, see_other
from app.web.kernel.viewer import visitor
from app.web.store.answers import Link, Links
from app.web.store.reveals import WhichItem

Req = Request[Any, Any, Any]


@get(
    "/fulfillment/{order_id:str}/download-link",
    summary="Get download links for keys",
    tags=["fulfillment"],
    opt=TRACES | bucket("links"),
    responses=json_answer(Links),
)
async def index(request: Req) -> Response[bytes]:
    """Links to an item's sealed blobs, or to that of `keyId` alone, good for 15 minutes.

    They hold ciphertext: opening is for `reveal`.
    """
    order = guards.order_of(request)
    item_id = parse_id(str(request.query_params.get("itemId", "")))
    if item_id is None:
        raise WhichItem("Send the id of one of this order's items as itemId.", field="itemId")
    key_id = parse_id(str(request.query_params.get("keyId", "")))
    found = await keys.links(order.id, item_id, visitor(request), store=request.app.state.store, key_id=key_id)
    links = [Link(one.key_id, one.url, clock.now() + timedelta(seconds=one.seconds)) for one in found]
    if "text/html" in request.headers.get("accept", "") and len(links) == 1:
        return see_other(links[0].url)
    return answer(Links(links))
