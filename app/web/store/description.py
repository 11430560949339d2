"""The OpenAPI document of the shop's JSON: what Litestar writes of the routes and the Structs that they declare.

Here come the exact schemas of these, the bodies that we read ourselves, and the errors.
"""

from collections.abc import Iterator, Mapping

from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from app.contract import json_schema
from app.contract.json_schema import Schema
from app.contract.problem import ProblemDetails
from app.web.kernel.described import body_of
from app.web.operations.router import router as operations
from app.web.store.router import router as store

SCHEMES: Mapping[str, Mapping[str, str]] = {
    "AccessToken": {
        "type": "http", "scheme": "bearer", "description": "The `accessToken` of an order: it opens this order alone.",
    },
    "Session": {"type": "apiKey", "in": "cookie", "name": "bitloot_session", "description": "Of who is signed in."},
}  # fmt: skip
TAGS = {
    "shop": "The catalog, the cart and orders.",
    "payments": "Paying an order.",
    "fulfillment": "The keys of an order.",
    "account": "Signing in and out.",
    "embed": "The checkout in a merchant's page.",
    "webhooks": "Notices from providers.",
    "operations": "Whether it works.",
}


def complete(document: Schema) -> Schema:
    """The document, all of whose paths are the shop's, with everything filled in."""
    bodies = {where: body for where, handler in _handlers() if (body := body_of(handler))}
    answers = [spec.data_container for _, handler in _handlers() for spec in (handler.responses or {}).values()]
    refs, components = json_schema.components([*bodies.values(), *answers, ProblemDetails])
    parts = document.setdefault("components", {})
    parts.setdefault("schemas", {}).update(components)
    parts["securitySchemes"] = SCHEMES
    document["security"] = [{}, *({name: []} for name in SCHEMES)]
    document["tags"] = [{"name": name, "description": about} for name, about in TAGS.items()]
    for (path, method), body in bodies.items():
        content = {"application/json": {"schema": refs[body]}}
        document["paths"][path][method]["requestBody"] = {"required": True, "content": content}
    refused = {"application/problem+json": {"schema": refs[ProblemDetails]}}
    described = (operation for methods in document["paths"].values() for operation in methods.values())
    for operation in described:
        if isinstance(operation, dict):
            operation["responses"].pop("400", None)  # Litestar's own words, which nobody is answered with
            operation["responses"]["4XX"] = {"description": "Refused; nothing was changed", "content": refused}
    return document


def _handlers() -> Iterator[tuple[tuple[str, str], HTTPRouteHandler]]:
    """Each handler that the document may describe, by its path and method as they stand there."""
    for route in (*store.routes, *operations.routes):
        for handler in route.route_handlers if isinstance(route, HTTPRoute) else ():
            for method in handler.http_methods:
                yield (route.path_format, method.lower()), handler
