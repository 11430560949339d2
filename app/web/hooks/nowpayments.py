"""The payment provider's notices (nowpayments.md, 6): verified on their raw bytes, stored, answered."""

from typing import Any

from litestar import Request, Response, post

from app.core import log, metrics
from app.core.errors import Unauthorized, Unavailable
from app.core.settings import settings
from app.core.signing import read_ipn
from app.inbox import service as inbox

HEADER = "x-nowpayments-sig"
LARGEST = 256 * 1024  # bytes; a genuine notice has about one kB


class BadSignature(Unauthorized):
    title = "The signature does not match"


class NotStored(Unavailable):
    title = "We could not store this notice: send it again"


@post(["/webhooks/nowpayments/ipn", "/payments/ipn"], summary="NOWPayments IPN", tags=["webhooks"], status_code=200)
async def create(request: Request[Any, Any, Any]) -> Response[bytes]:
    """401 for a bad signature, 200 for a good one, also when it is a repeat; 503 if it can't be stored."""
    raw = await request.body()
    signature = request.headers.get(HEADER)
    said = read_ipn(raw, signature, settings().nowpayments_ipn_secret.get_secret_value())
    if said is None:
        metrics.NOTICES.labels("nowpayments", "refused").inc()
        log.get("bitloot.hooks").warning(
            "notice.refused", provider="nowpayments", bytes=len(raw), signed=bool(signature)
        )
        raise BadSignature("Sign the raw body with the IPN secret (HMAC-SHA512).")
    # The sheet's own key of a repeat, with updated_at as its tie-break.
    words = (said.get(name) for name in ("payment_id", "payment_status", "actually_paid", "updated_at"))
    dedupe = ":".join(str(word) for word in words)
    try:
        fresh = await inbox.keep("nowpayments", dedupe, {HEADER: "verified"}, raw, job="payments.apply_notice")
    except Exception as error:
        log.get("bitloot.hooks").error("notice.not_stored", provider="nowpayments", why=type(error).__name__)
        raise NotStored("The database did not answer.") from error
    metrics.NOTICES.labels("nowpayments", "stored" if fresh else "repeat").inc()
    return Response(b'{"received":true}', media_type="application/json", status_code=200)
