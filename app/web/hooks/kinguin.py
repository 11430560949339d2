"""The supplier's webhooks (kinguin.md, 7): a secret in clear, and an HMAC besides where one is agreed on."""

import hashlib
from typing import Any

from litestar import Request, post

from app.core.settings import settings
from app.core.signing import verify_hmac_sha512_hex, verify_shared_secret
from app.web.hooks import notice

SECRET, SIGNATURE = "x-event-secret", "x-kinguin-signature"


@post(["/webhooks/kinguin", "/kinguin/webhooks"], summary="Kinguin webhook", tags=["webhooks"], status_code=204)
async def create(request: Request[Any, Any, Any]) -> None:
    """401 without the secret; 204, as the supplier asks, with it; 503 if it can't be stored."""
    raw = await notice.body_of(request, "kinguin")
    if fault := _fault(request, raw):
        await notice.refuse(request, "kinguin", fault, raw, "Send the webhook secret as X-Event-Secret.")
    event = request.headers.get("x-event-name", "")[:64]
    # There is no event id: the same bytes are the same news, as they carry the time of the change.
    dedupe = f"{event}:{hashlib.sha256(raw).hexdigest()}"
    await notice.keep("kinguin", dedupe, {"x-event-name": event}, raw)


def _fault(request: Request[Any, Any, Any], raw: bytes) -> str | None:
    """Why it is not genuine; None if it is."""
    s = settings()
    given = request.headers.get(SECRET)
    if not verify_shared_secret(given, s.kinguin_webhook_secret.get_secret_value()):
        return "wrong secret" if given else "no secret"
    hmac_secret = s.kinguin_signature_secret.get_secret_value()
    if hmac_secret and not verify_hmac_sha512_hex(raw, request.headers.get(SIGNATURE), hmac_secret):
        return "wrong signature" if request.headers.get(SIGNATURE) else "no signature"
    return None
