"""The supplier's webhooks (kinguin.md, 7): a secret in clear, and an HMAC besides where one is agreed on."""

import hashlib
from typing import Any

from litestar import Request, post

from app.core import log, metrics
from app.core.settings import settings
from app.core.signing import verify_hmac_sha512_hex, verify_shared_secret
from app.inbox import service as inbox
from app.web.hooks.nowpayments import BadSignature, NotStored


@post(["/webhooks/kinguin", "/kinguin/webhooks"], summary="Kinguin webhook", tags=["webhooks"], status_code=204)
async def create(request: Request[Any, Any, Any]) -> None:
    """401 without the secret; 204, as the supplier asks, with it; 503 if it can't be stored."""
    raw = await request.body()
    if not _genuine(request, raw):
        metrics.NOTICES.labels("kinguin", "refused").inc()
        log.get("bitloot.hooks").warning("notice.refused", provider="kinguin", bytes=len(raw))
        raise BadSignature("Send the webhook secret as X-Event-Secret.")
    event = request.headers.get("x-event-name", "")[:64]
    # There is no event id: the same bytes are the same news, as they carry the time of the change.
    dedupe = f"{event}:{hashlib.sha256(raw).hexdigest()}"
    try:
        fresh = await inbox.keep("kinguin", dedupe, {"x-event-name": event}, raw, job="fulfillment.apply_notice")
    except Exception as error:
        log.get("bitloot.hooks").error("notice.not_stored", provider="kinguin", why=type(error).__name__)
        raise NotStored("The database did not answer.") from error
    metrics.NOTICES.labels("kinguin", "stored" if fresh else "repeat").inc()


def _genuine(request: Request[Any, Any, Any], raw: bytes) -> bool:
    s = settings()
    if not verify_shared_secret(request.headers.get("x-event-secret"), s.kinguin_webhook_secret.get_secret_value()):
        return False
    hmac_secret = s.kinguin_signature_secret.get_secret_value()
    return not hmac_secret or verify_hmac_sha512_hex(raw, request.headers.get("x-kinguin-signature"), hmac_secret)
