"""All doors of the API, to be mounted below ``/api/v1``."""

from app.web.api import deliveries, endpoints, events, orders, payments, refunds

API = [
    orders.create, orders.index, orders.show, orders.cancel, payments.create, payments.index, payments.show,
    payments.cancel, refunds.create, refunds.index, refunds.show, events.index, endpoints.create, endpoints.index,
    endpoints.show, endpoints.update, endpoints.destroy, endpoints.rotate, endpoints.test, endpoints.retries,
    deliveries.index, deliveries.show, deliveries.retry,
]  # fmt: skip
