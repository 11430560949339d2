"""The shop: its catalog, the cart, and orders with their payments, keys and refunds."""

from litestar import Router

from app.web.kernel import guards
from app.web.store import (
    blobs,
    carts,
    catalog,
    checkout,
    discovery,
    emails,
    fulfillment,
    live,
    orders,
    payments,
    products,
    refund_addresses,
    refunds,
    withdrawals,
)

OPEN_TO_ALL = (
    catalog.index, products.show, products.cover, carts.show, carts.create, carts.update, checkout.new,
    checkout.email_hint, checkout.create, orders.index, blobs.show, refunds.show, refunds.claim, discovery.robots,
    discovery.index, discovery.pages, discovery.products, discovery.icon,
)  # fmt: skip
# Whose order it is, they find out from a body or a job; the last is for staff.
OTHERWISE_GUARDED = (payments.create, payments.job_status, fulfillment.reservation)
SEE_AN_ORDER = (
    orders.show, orders.status, orders.success, orders.audit, live.events, fulfillment.status,
    fulfillment.download_link, fulfillment.reveal, fulfillment.audit, refund_addresses.new, emails.new,
)  # fmt: skip
CHANGE_AN_ORDER = (
    orders.cancel, payments.choose, refunds.send_link, refund_addresses.create, emails.create, withdrawals.create,
)  # fmt: skip

router = Router(
    "/",
    route_handlers=[
        *OPEN_TO_ALL,
        *OTHERWISE_GUARDED,
        Router("/", guards=[guards.may_see_order], route_handlers=SEE_AN_ORDER),
        Router("/", guards=[guards.may_change_order], route_handlers=CHANGE_AN_ORDER),
    ],
)
