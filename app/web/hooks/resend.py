"""The mail provider's webhooks (resend.md, 7): what became of each letter, signed as Svix signs."""

from typing import Any

from litestar import Request, Response, post

from app.core import clock
from app.core.settings import settings
from app.core.signing import verify_svix
from app.web.hooks import notice

IDS = ("svix-id", "webhook-id")
SIGNATURES = ("svix-signature", "webhook-signature")


@post("/webhooks/resend", summary="Resend webhook", tags=["webhooks"], status_code=200)
async def create(request: Request[Any, Any, Any]) -> Response[bytes]:
    """401 for a bad or old signature, 200 for a good one, also when it is a repeat; 503 if it can't be stored."""
    raw = await notice.body_of(request, "resend")
    secret = settings().resend_webhook_secret.get_secret_value()
    if not verify_svix(raw, request.headers, secret, clock.now()):
        signed = any(request.headers.get(name) for name in SIGNATURES)
        fault = "wrong signature" if signed else "no signature"
        await notice.refuse(request, "resend", fault, raw, "Sign the raw body with the webhook's secret (Svix).")
    # The id stays the same on every retry and replay.
    ident = next(request.headers[name] for name in IDS if request.headers.get(name))
    await notice.keep("resend", ident, {"svix-signature": "verified"}, raw)
    return Response(b'{"received":true}', media_type="application/json", status_code=200)
