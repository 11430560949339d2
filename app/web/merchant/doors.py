"""All doors for merchants: their pages, the admin's side of them, and the public manual."""

from app.web.admin import merchants
from app.web.manual import errors as error_pages
from app.web.manual import events as event_pages
from app.web.manual import files
from app.web.merchant import (
    dashboard,
    deliveries,
    endpoints,
    guide,
    keys,
    orders,
    payments,
    people,
    refunds,
    webhook_tests,
)

MERCHANT = [
    merchants.index, merchants.create, merchants.show, merchants.invite, merchants.remove, merchants.close,
    dashboard.show, dashboard.index, dashboard.choose, people.index, people.invite, people.remove, people.show,
    people.accept, keys.index, keys.create, keys.rotate, keys.rotate_publishable, keys.revoke, keys.allow,
    guide.show, guide.issue,
    webhook_tests.show, webhook_tests.create, orders.index, orders.show, payments.index, payments.show,
    payments.preview,
    payments.refund, refunds.index, refunds.show, endpoints.index, endpoints.create,
    endpoints.show, endpoints.update,
    endpoints.try_out, endpoints.rotate, endpoints.disable, endpoints.enable, endpoints.remove, endpoints.resend,
    deliveries.index, deliveries.show, deliveries.retry, error_pages.index, error_pages.show, event_pages.index,
    event_pages.show, event_pages.schema, files.webhooks, files.sample_shop,
]  # fmt: skip
