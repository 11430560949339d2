"""``/merchant``, whole: pages of a merchant's people alone, but for an invitation, which is for who holds its link."""

from litestar import Router

from app.web.merchant import (
    context,
    context_switches,
    dashboard,
    deliveries,
    endpoints,
    guide,
    invitations,
    keys,
    orders,
    payment_refunds,
    payments,
    people,
    refunds,
    webhook_tests,
)

MEMBERS_ONLY = (
    dashboard.show, context_switches.index, context_switches.create, people.index, people.invite, people.remove,
    keys.index, keys.create, keys.rotate, keys.rotate_publishable, keys.revoke, keys.allow, guide.show, guide.issue,
    webhook_tests.show, webhook_tests.create, orders.index, orders.show, payments.index, payments.show,
    payment_refunds.new, payment_refunds.create, refunds.index, refunds.show, endpoints.index, endpoints.create,
    endpoints.show, endpoints.update, endpoints.try_out, endpoints.rotate, endpoints.disable, endpoints.enable,
    endpoints.remove, endpoints.resend, deliveries.index, deliveries.show, deliveries.retry,
)  # fmt: skip

router = Router(
    "/",
    route_handlers=[
        invitations.show,
        invitations.accept,
        Router("/", guards=[context.members_only, context.context_unchanged], route_handlers=MEMBERS_ONLY),
    ],
)
