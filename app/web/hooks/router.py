"""What providers send: each request proves itself by a signature or a shared secret, which its handler checks."""

from litestar import Router

from app.web.hooks import kinguin, notice, nowpayments, resend

router = Router(
    "/",
    route_handlers=[nowpayments.create, kinguin.create, resend.create],
    request_max_body_size=notice.LARGEST,
)
