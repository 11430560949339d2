"""``/api/v1``, whole: what all its routes share is declared here, what one needs beside its handler."""

from collections.abc import Iterable, Mapping, Sequence

from litestar import Response, Router, route
from litestar.handlers import HTTPRouteHandler

from app.web.api import (
    answers,
    authentication,
    currencies,
    deliveries,
    endpoints,
    events,
    orders,
    payments,
    query_parameters,
    refunds,
)

ROUTES: Sequence[HTTPRouteHandler] = (
    orders.create, orders.index, orders.show, orders.cancel, payments.create, payments.index, payments.show,
    payments.cancel, refunds.create, refunds.index, refunds.show, events.index, endpoints.create, endpoints.index,
    endpoints.show, endpoints.update, endpoints.destroy, endpoints.rotate, endpoints.test, endpoints.retries,
    deliveries.index, deliveries.show, deliveries.retry, currencies.index, currencies.offered,
)  # fmt: skip


def _options(path: str, methods: Iterable[str]) -> HTTPRouteHandler:
    """The framework's own answer to OPTIONS names the methods of one handler of a path, not those of all."""
    allowed = ", ".join(sorted({*methods, "OPTIONS"}))

    @route(path, http_method=["OPTIONS"], include_in_schema=False, status_code=204, opt=authentication.OPEN)
    async def options() -> Response[None]:
        return Response(None, status_code=204, headers={"allow": allowed})

    return options


def _methods() -> Mapping[str, set[str]]:
    """All methods of each path."""
    found: dict[str, set[str]] = {}
    for each in ROUTES:
        for path in each.paths:
            found.setdefault(path, set()).update(each.http_methods)
    return found


router = Router(
    answers.PREFIX,
    # The first handler of a path counts, so those of OPTIONS come before the framework's own.
    route_handlers=[*(_options(path, methods) for path, methods in _methods().items()), *ROUTES],
    guards=[authentication.by_key, query_parameters.declared_only],
    middleware=[answers.AnswerHeaders()],
    security=[{"ApiKey": [], "ApiSecret": []}],
)
