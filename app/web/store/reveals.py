"""Opening an item's keys: the plaintext is in this answer and nowhere else."""

import uuid
from datetime import datetime
from typing import Any

import msgspec
from litestar import Request, Response, post

from app.core import metrics
from app.core.errors import Invalid, Problem
from app.core.ids import parse_id
from app.keys import reveal as keys
from app.web.kernel import guards
from app.web.kernel.body import read_form, read_json
from app.web.kernel.described import json_answer, json_body
from app.web.kernel.rate_limits import bucket
from app.web.kernel.render import answer, by_htmx, page, sent_json, wants_json
from app.web.kernel.viewer import visitor
from app.web.store import order_view
from app.web.store.answers import Revealed, RevealedKey

Req = Request[Any, Any, Any]


class WhichItem(Invalid):
    title = "Say which item"


class RevealRequest(msgspec.Struct, rename="camel"):
    """`reason` is for staff, who opens a customer's key."""

    item_id: uuid.UUID
    reason: str = ""


@post(
    "/fulfillment/{order_id:str}/reveal",
    summary="Reveal an item's keys",
    tags=["fulfillment"],
    status_code=200,
    opt=bucket("reveals") | json_body(RevealRequest),
    responses=json_answer(Revealed),
)
async def create(request: Req) -> Response[bytes]:
    """Open an item's keys for its owner. The plaintext is in this answer and nowhere else; the act is logged.

    Staff gives a `reason`: it is logged as staff's, is no reveal of the customer's, and a refund stays possible.
    """
    order = guards.order_of(request)
    staff = await guards.by_staff(request, order)
    item_id, reason = await _asked(request)
    try:
        shown = await keys.reveal(
            order.id, item_id, visitor(request), store=request.app.state.store,
            staff_reason=reason if staff else None,
        )  # fmt: skip
    except Problem as refused:
        metrics.REVEALS.labels(refused.code).inc()
        raise
    metrics.REVEALS.labels("ok").inc()
    if not _as_page(request):
        return answer(Revealed(item_id, [_json(key) for key in shown]))
    view = await order_view.build(order)
    item = next(i for i in view.items if i.item_id == item_id)
    context = {
        "order": view,
        "item": item,
        "keys": [_shown(key) for key in shown],
        "activation": item.activation,
        "staff": staff,
    }
    return page(request, "store/orders/revealed.html", context, partial="store/orders/_revealed.html")


def _as_page(request: Req) -> bool:
    return by_htmx(request) or not (sent_json(request) or wants_json(request))


async def _asked(request: Req) -> tuple[uuid.UUID, str]:
    """The item, and the reason that staff gives."""
    if sent_json(request):
        asked = await read_json(request, RevealRequest)
        return asked.item_id, asked.reason
    form = await read_form(request)
    found = parse_id(form.get("item_id") or form.get("itemId") or "")
    if found is None:
        raise WhichItem("Choose one of the items on the order page.", field="itemId")
    return found, form.get("reason", "")


def _text(key: keys.Revealed) -> tuple[str, bool]:
    """The key's text, and whether it is an image: those come and stay in base64 (suppliers.models)."""
    return key.value.reveal().decode("utf-8", "replace"), key.media_type.startswith("image/")


def _json(key: keys.Revealed) -> RevealedKey:
    return RevealedKey(key.key_id, key.media_type, _text(key)[0], key.first, key.revealed_at)


class ShownKey(msgspec.Struct, frozen=True):
    """An open key for ``store/orders/_revealed.html``: ``value``, or an image as ``data_uri``."""

    key_id: uuid.UUID
    value: str
    is_image: bool
    data_uri: str
    first_reveal: bool
    revealed_at: datetime | None

    def __repr__(self) -> str:
        return f"ShownKey({self.key_id})"  # the key itself is nobody's to log


def _shown(key: keys.Revealed) -> ShownKey:
    value, image = _text(key)
    return ShownKey(
        key_id=key.key_id,
        value="" if image else value,
        is_image=image,
        data_uri=f"data:{key.media_type};base64,{value}" if image else "",
        first_reveal=key.first,
        revealed_at=key.revealed_at,
    )
