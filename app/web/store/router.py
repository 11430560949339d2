"""The shop: its catalog, the cart, and orders with their payments, keys and refunds."""

from litestar import Router

from app.web.kernel import guards
from app.web.store import (
    audits,
    blobs,
    cancellations,
    carts,
    catalog,
    checkout,
    discovery,
    download_links,
    emails,
    fulfillment,
    live,
    money_choices,
    orders,
    payments,
    products,
    refund_addresses,
    refunds,
    reveals,
    withdrawals,
)

OPEN_TO_ALL = (
    catalog.index, products.show, products.cover, carts.show, carts.create, carts.update, checkout.new,
    checkout.email_hint, checkout.create, orders.index, blobs.show, refunds.show, refunds.claim, discovery.robots,
    discovery.index, discovery.pages, discovery.products, discovery.icon,
)  # fmt: skip
BY_BODY_OR_JOB = (payments.create, payments.job_status)  # no path says whose order it is, so they ask themselves
SEE_AN_ORDER = (
    orders.show, orders.status, orders.success, live.events, fulfillment.status, download_links.index, reveals.create,
    audits.show, audits.index, refund_addresses.new, emails.new,
)  # fmt: skip
CHANGE_AN_ORDER = (
    cancellations.create, money_choices.create, refunds.send_link, refund_addresses.create, emails.create,
    withdrawals.create,
)  # fmt: skip

router = Router(
    "/",
    route_handlers=[
        *OPEN_TO_ALL,
        *BY_BODY_OR_JOB,
        Router("/", guards=[guards.may_see_order], route_handlers=SEE_AN_ORDER),
        Router("/", guards=[guards.may_change_order], route_handlers=CHANGE_AN_ORDER),
    ],
)
