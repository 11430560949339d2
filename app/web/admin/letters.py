"""Sending an order's letter again, for admins."""

from typing import Any

from litestar import Request, Response, post
from litestar.params import FromPath

from app.core.ids import parse_id
from app.mail import queries as mail
from app.orders import letters
from app.orders.letters import NoSuchLetter
from app.refunds import claim
from app.refunds import queries as refunds
from app.web.kernel import guards
from app.web.kernel.render import answer, see_other, wants_json

Req = Request[Any, Any, Any]


@post("/admin/orders/{order_id:str}/letters/{mail_id:str}/resends", include_in_schema=False, status_code=200)
async def resend(request: Req, order_id: FromPath[str], mail_id: FromPath[str]) -> Response[bytes]:
    """Write the letter once more, to the order's address of today, with a fresh link."""
    order = await guards.any_order(order_id)
    found = parse_id(mail_id)
    letter = next((row for row in await mail.about(order.id) if row.id == found), None)
    if letter is None or found is None:
        raise NoSuchLetter
    async with guards.recorded(request, "letter.resent", order_id=order.id, details=letter.kind):
        link = parse_id(letter.link_id or "")
        refund = await refunds.by_link(link) if link else None
        if letter.kind in REFUND_LINKS:
            if refund is None:
                raise NoSuchLetter("Its link was replaced by a newer one. Send the newer email again.")
            await claim.send_link_again(refund.id)
        else:
            await letters.resend(order.id, found)
    return answer({"resent": True}) if wants_json(request) else see_other(f"/admin/orders/{order.id}")


REFUND_LINKS = {"refund_asked", "refund_address"}  # letters whose link belongs to a refund
