"""All doors of the API, to be mounted below ``/api/v1``."""

from collections.abc import Iterable

from litestar import Response, route
from litestar.handlers import HTTPRouteHandler

from app.web.api import currencies, deliveries, endpoints, events, orders, payments, refunds

DOORS: list[HTTPRouteHandler] = [
    orders.create, orders.index, orders.show, orders.cancel, payments.create, payments.index, payments.show,
    payments.cancel, refunds.create, refunds.index, refunds.show, events.index, endpoints.create, endpoints.index,
    endpoints.show, endpoints.update, endpoints.destroy, endpoints.rotate, endpoints.test, endpoints.retries,
    deliveries.index, deliveries.show, deliveries.retry, currencies.index, currencies.offered,
]  # fmt: skip


def _options(path: str, methods: Iterable[str]) -> HTTPRouteHandler:
    """The framework's own answer to OPTIONS names the methods of one handler of a path, not those of all."""
    allowed = ", ".join(sorted({*methods, "OPTIONS"}))

    @route(path, http_method=["OPTIONS"], include_in_schema=False, status_code=204)
    async def options() -> Response[None]:
        return Response(None, status_code=204, headers={"allow": allowed})

    return options


def _every_path() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for door in DOORS:
        for path in door.paths:
            found.setdefault(path, set()).update(door.http_methods)
    return found


API = [*(_options(path, methods) for path, methods in _every_path().items()), *DOORS]  # the first of a path counts
