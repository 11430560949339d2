"""The payment provider's notices (nowpayments.md, 6): verified on their raw bytes, stored, answered."""

from typing import Any

from litestar import Request, Response, post

from app.core.settings import settings
from app.core.signing import read_ipn
from app.web.hooks import notice

HEADER = "x-nowpayments-sig"


@post(["/webhooks/nowpayments/ipn", "/payments/ipn"], summary="NOWPayments IPN", tags=["webhooks"], status_code=200)
async def create(request: Request[Any, Any, Any]) -> Response[bytes]:
    """401 for a bad signature, 200 for a good one, also when it is a repeat; 503 if it can't be stored."""
    raw = await notice.body_of(request, "nowpayments")
    signature = request.headers.get(HEADER)
    said = read_ipn(raw, signature, settings().nowpayments_ipn_secret.get_secret_value())
    if said is None:
        fault = "wrong signature" if signature else "no signature"
        await notice.refuse(request, "nowpayments", fault, raw, "Sign the raw body with the IPN secret (HMAC-SHA512).")
    # The sheet's own key of a repeat, with updated_at as its tie-break.
    words = (said.get(name) for name in ("payment_id", "payment_status", "actually_paid", "updated_at"))
    dedupe = ":".join(str(word) for word in words)
    await notice.keep("nowpayments", dedupe, {HEADER: "verified"}, raw)
    return Response(b'{"received":true}', media_type="application/json", status_code=200)
