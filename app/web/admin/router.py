"""``/admin``, whole: every page is staff's alone, but for the one where they sign in."""

from litestar import Router

from app.web.admin import (
    acceptances,
    dashboard,
    dead_letters,
    issues,
    jobs,
    key_audit,
    letters,
    merchants,
    orders,
    own_stock,
    products,
    refunds,
    staff,
    webhooks,
    write_offs,
)
from app.web.kernel import guards

STAFF_ONLY = (
    dashboard.show, orders.index, orders.show, orders.retry_item, write_offs.create, letters.resend,
    acceptances.create, acceptances.create_part, refunds.index, refunds.show, refunds.create, refunds.approve,
    refunds.record, refunds.reject, refunds.retry, issues.index, issues.resolve, products.show, products.accept,
    own_stock.index, own_stock.create, own_stock.show, own_stock.update, own_stock.create_import, merchants.index,
    merchants.create, merchants.show, merchants.invite, merchants.remove, merchants.close, jobs.index, jobs.show,
    jobs.retry, dead_letters.index, dead_letters.preview, dead_letters.retry, webhooks.index, webhooks.show,
    webhooks.replay, key_audit.index, key_audit.show, key_audit.export,
)  # fmt: skip

router = Router(
    "/",
    route_handlers=[
        staff.new,
        staff.create,
        staff.destroy,
        Router("/", guards=[guards.admin_only], route_handlers=STAFF_ONLY),
    ],
)
