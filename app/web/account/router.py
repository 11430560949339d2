"""Signing in and out, and the devices where somebody is signed in."""

from litestar import Router

from app.web.account import devices, links, lookups, sessions

DEVICES = (devices.index, devices.revoke, devices.revoke_all)

router = Router(
    "/",
    route_handlers=[
        sessions.new,
        sessions.create,
        sessions.destroy,
        links.show,
        links.consume,
        lookups.new,
        lookups.create,
        Router("/", guards=[devices.signed_in_only], route_handlers=DEVICES),
    ],
)
