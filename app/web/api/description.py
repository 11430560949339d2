"""The OpenAPI document of the merchants' API: what Litestar writes of the routes, with all that they declare filled in.

Litestar names each answer's Struct by the handler's return type. Here come the exact schemas of these, the parameters
and bodies that we read ourselves, the errors of each route by their codes, and an example of everything.
"""

from collections.abc import Mapping, Sequence
from inspect import cleandoc
from typing import Any

import msgspec
from litestar.handlers import HTTPRouteHandler

from app.contract import examples, json_schema
from app.contract.event import KINDS
from app.contract.problem import ProblemDetails
from app.web.api import declared, error_codes, query_parameters
from app.web.api.answers import PREFIX, PROBLEM
from app.web.api.bodies import schema_of
from app.web.api.declared import Declared
from app.web.api.error_codes import CATALOG
from app.web.api.router import ROUTES

Schema = dict[str, Any]
SCHEMES = {
    "ApiKey": {
        "type": "apiKey", "in": "header", "name": "X-Api-Key",
        "description": "`bl_test_…` or `bl_live_…`: a key belongs to one mode and sees nothing of the other.",
    },
    "ApiSecret": {
        "type": "apiKey", "in": "header", "name": "X-Api-Secret",
        "description": "`bls_…`, shown once when the key is made.",
    },
}  # fmt: skip
TAGS = {
    "orders": "What your customers are to pay for.",
    "payments": "Attempts to pay an order.",
    "refunds": "Money of a payment that goes back.",
    "events": "The feed of all that happened.",
    "webhooks": "Where events are sent to, and each one's way there.",
}
HEADERS = {
    "RateLimit-Policy": ("How many requests the key may make in how many seconds.", '"key";q=600;w=60'),
    "RateLimit": ("How many of them are left, and for how many seconds.", '"key";r=599;t=42'),
}
REPLAYED = ("`true` if this is the first answer again, for a repeated Idempotency-Key.", "true")
KEY = {
    "name": "Idempotency-Key", "in": "header", "required": False,
    "description": "A name of your own for this request, such as a random UUID. If you send it again with the same "
    "key within 24 hours, nothing happens twice and you get exactly the first answer. We compare what is asked for, "
    "not how it is written. A refusal that depends on a state that may change is not kept.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}  # fmt: skip
STATUSES = {
    400: "The body, a parameter or a header can't be used; `field` names it",
    401: "No key, or one that can't be used",
    403: "The key lacks the scope",
    404: "Unknown, or not in this merchant and mode",
    409: "Not possible in the current state, or the same request is in progress",
    413: "More than 64 kB",
    415: "The body is not JSON",
    422: "Well-formed, but a value can't be used; or the Idempotency-Key belongs to another request",
    429: "Too many requests; `Retry-After` says how long to wait",
    500: "Our fault: send it again with the same Idempotency-Key",
    503: "We can't answer right now: send it again with the same Idempotency-Key",
}
ANY = ("api_key_missing", "invalid_api_key", "scope_missing", "rate_limited", "internal_error", "unavailable")
CHANGE = (*ANY, "malformed_body", "body_too_large", "unsupported_media_type", "bad_request")
COMMON = {
    "get": (*ANY, "bad_parameter", "bad_request"),
    "post": (
        *CHANGE, "idempotency_key_unusable", "idempotency_key_reused", "request_in_progress", "answer_unreadable",
    ),
    "patch": CHANGE,
    "delete": (*ANY, "bad_request"),
}  # fmt: skip
CHOICES: dict[str, Schema] = {  # members of which one is sent
    "OrderRequest": {"oneOf": [{"required": ["amount"]}, {"required": ["amount_minor"]}]},
    "UpiPaymentRequest": {"oneOf": [{"required": ["upi"]}, {"required": ["vpa"]}]},
    "RefundRequest": {"not": {"required": ["amount", "amount_minor"]}},
}
QUERY: dict[str, tuple[str, Schema]] = {
    "after": ("The `next` of an earlier page.", {"type": "string", "pattern": "^[A-Za-z0-9_-]{22}$"}),
    "limit": (
        "How many at most.",
        {"type": "integer", "minimum": 1, "maximum": query_parameters.MOST, "default": query_parameters.USUAL},
    ),
    "created_from": ("Created at or after this time.", {"type": "string", "format": "date-time"}),
    "created_to": ("Created before this time.", {"type": "string", "format": "date-time"}),
    "reference": ("The order's reference.", {"type": "string", "maxLength": 128, "pattern": "^[^\\x00]*$"}),
    "customer_email": ("The order's email.", {"type": "string", "maxLength": 254, "pattern": "^[^\\x00]*$"}),
}


def answer_of(handler: HTTPRouteHandler) -> Any:
    """The Struct that a handler answers with, by its signature."""
    returned = handler.parsed_fn_signature.return_type
    return returned.inner_types[0].annotation if returned.inner_types else returned.annotation


def complete(document: Schema) -> Schema:
    """The document, all of whose paths are the API's, with everything filled in."""
    bodies = [declared.of(handler).body for handler in ROUTES]
    types = [ProblemDetails, *KINDS, *map(answer_of, ROUTES), *(body for body in bodies if body)]
    refs, components = json_schema.components(types, hook=schema_of)
    for name, choice in CHOICES.items():
        components[name] |= choice
    document["components"] = {"schemas": components, "securitySchemes": SCHEMES}
    document["tags"] = [{"name": name, "description": about} for name, about in TAGS.items()]
    for handler in ROUTES:
        [path], [method] = handler.paths, (name.lower() for name in handler.http_methods)
        operation = document["paths"][PREFIX.rstrip("/") + path.replace(":str", "")][method]
        _fill(operation, handler, method, refs)
    return document


def _fill(operation: Schema, handler: HTTPRouteHandler, method: str, refs: Mapping[Any, Schema]) -> None:
    said, answer = declared.of(handler), answer_of(handler)
    example = said.answer or examples.ANSWERS[answer]
    named = [part[1:-1].removesuffix(":str") for path in handler.paths for part in path.split("/") if "{" in part]
    parameters = [_in_path(name) for name in named] + [_in_query(name, said) for name in said.query]
    operation["description"] = cleandoc(handler.fn.__doc__ or "")
    operation["parameters"] = parameters + ([KEY] if method == "post" else [])
    if said.body:
        operation["requestBody"] = _body(said, refs)
    headers = HEADERS | ({"Idempotent-Replayed": REPLAYED} if method == "post" else {})
    done = {
        "description": "Done",
        "headers": {name: _header(*header) for name, header in headers.items()},
        "content": {"application/json": {"schema": refs[answer], "example": msgspec.to_builtins(example)}},
    }
    codes = error_codes.by_status([*COMMON[method], *(refusal().code for refusal in said.refusals)])
    refused = {str(status): _refusal(status, found) for status, found in codes.items()}
    operation["responses"] = {str(handler.status_code): done, **refused}


def _body(said: Declared, refs: Mapping[Any, Schema]) -> Schema:
    shown = {title: {"summary": title, "value": value} for title, value in said.bodies.items()}
    content = {"schema": refs[said.body]} | ({"examples": shown} if shown else {})
    return {"required": said.needed or not _may_be_left_out(said.body), "content": {"application/json": content}}


def _may_be_left_out(body: Any) -> bool:
    """Whether all of it may, so that no body is a body, too."""
    return isinstance(body, type) and not any(field.required for field in msgspec.structs.fields(body))


def _header(description: str, example: str) -> Schema:
    return {"description": description, "schema": {"type": "string"}, "example": example}


def _refusal(status: int, codes: Sequence[str]) -> Schema:
    """The answers of one status: which codes there can be, and an example of each."""
    fault = msgspec.json.schema(ProblemDetails)["$defs"]["ProblemDetails"]
    schema = fault | {"properties": fault["properties"] | {"code": {"enum": list(codes)}}}
    content = {"schema": schema, "examples": {code: {"value": _example(code)} for code in codes}}
    headers = {"Retry-After": _header("Seconds to wait.", "42")} if status == 429 else {}
    if status == 401:
        headers = {"WWW-Authenticate": _header("The scheme that is asked for.", 'ApiKey realm="BitLoot"')}
    description = f"{STATUSES[status]}: {', '.join(f'`{code}`' for code in codes)}"
    return {"description": description, "headers": headers, "content": {PROBLEM: content}}


def _example(code: str) -> Schema:
    told = CATALOG[code]
    said = {"type": f"https://pay.example/docs/errors/{code}", "title": told.title, "status": told.status}
    return said | {"detail": told.do, "code": code}


def _in_path(name: str) -> Schema:
    schema = {"type": "string", "format": "uuid"}
    about = f"The {name.removesuffix('_id')}'s id."
    return {
        "name": name, "in": "path", "required": True, "description": about, "schema": schema,
        "example": str(examples.PATHS[name]),
    }  # fmt: skip


def _in_query(name: str, said: Declared) -> Schema:
    schema: Mapping[str, object]
    if name in said.words:
        description, schema = "Only these.", {"type": "string", "enum": [str(word) for word in said.words[name]]}
    else:
        by_id = (f"Those of this {name.removesuffix('_id')}.", {"type": "string", "format": "uuid"})
        description, schema = said.parameters.get(name) or QUERY.get(name, by_id)
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}
