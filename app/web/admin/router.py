"""``/admin``, whole: every page is for staff alone, but for the one where they sign in."""

from litestar import Router

from app.web.admin import (
    acceptances,
    audit_exports,
    dashboard,
    dead_letter_retries,
    dead_letters,
    issues,
    item_retries,
    job_retries,
    jobs,
    key_audit,
    letters,
    merchants,
    orders,
    own_stock,
    own_stock_imports,
    products,
    refund_decisions,
    refunds,
    replays,
    reservations,
    staff,
    webhooks,
    write_offs,
)
from app.web.kernel import guards

STAFF_ONLY = (
    dashboard.show, orders.index, orders.show, item_retries.create, write_offs.create, letters.resend,
    acceptances.create, acceptances.create_part, refunds.index, refunds.show, refunds.create, refund_decisions.approve,
    refund_decisions.record, refund_decisions.reject, refund_decisions.retry, issues.index, issues.resolve,
    products.show, products.accept, own_stock.index, own_stock.create, own_stock.show, own_stock.update,
    own_stock_imports.create, merchants.index, merchants.create, merchants.show, merchants.invite, merchants.remove,
    merchants.close, jobs.index, jobs.show, job_retries.create, dead_letters.index, dead_letters.preview,
    dead_letter_retries.create, webhooks.index, webhooks.show, replays.create, reservations.show, key_audit.index,
    key_audit.show, audit_exports.create,
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
