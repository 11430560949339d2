"""The API's part of the OpenAPI document: every parameter, body, answer and error, each with an example."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from app.contract import examples, json_schema
from app.contract.delivery import Delivery, DeliveryWithLog
from app.contract.endpoint import DeliveriesRetried, Endpoint, EndpointRemoved, EndpointWithSecret, TestEventSent
from app.contract.event import KINDS
from app.contract.order import Order
from app.contract.page import Coins, Currencies, Deliveries, Endpoints, Events, Orders, Payments, Refunds
from app.contract.payment import Payment
from app.contract.problem import ProblemDetails
from app.contract.refund import Refund
from app.orders.merchant_orders import CURRENCIES
from app.web.api import deliveries, error_codes, orders, payments, query_parameters, refunds, request_examples
from app.web.api.answers import PREFIX
from app.web.api.bodies import schema_of
from app.web.api.endpoints import EndpointChange, EndpointRequest, RetriesRequest, RotationRequest
from app.web.api.error_codes import CATALOG
from app.web.api.orders import Nothing, OrderRequest

SECURITY: list[dict[str, list[str]]] = [{"ApiKey": [], "ApiSecret": []}]
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
READ = (*ANY, "bad_parameter", "bad_request")
CHANGE = (*ANY, "malformed_body", "body_too_large", "unsupported_media_type", "bad_request")
POST = (
    *CHANGE, "idempotency_key_unusable", "idempotency_key_reused", "request_in_progress", "answer_unreadable",
)  # fmt: skip
CHOICES: dict[str, dict[str, Any]] = {  # members of which one is sent
    "OrderRequest": {"oneOf": [{"required": ["amount"]}, {"required": ["amount_minor"]}]},
    "UpiPaymentRequest": {"oneOf": [{"required": ["upi"]}, {"required": ["vpa"]}]},
    "RefundRequest": {"not": {"required": ["amount", "amount_minor"]}},
}
COMMON = {"get": READ, "post": POST, "patch": CHANGE, "delete": (*ANY, "bad_request")}


@dataclass(frozen=True)
class Operation:
    """``body``: its shape and the name of its examples. ``filters``: those of a list. ``refusals``: the codes of its
    own, beside those that each door of its method has."""

    name: str
    status: int
    answer: type
    body: tuple[Any, str] | None = None
    filters: Sequence[str] = ()
    words: Mapping[str, Sequence[str]] | None = None
    refusals: Sequence[str] = ()
    example: msgspec.Struct | None = None


_NOTHING = (Nothing, "")
_CANCELLED_ORDER = msgspec.structs.replace(examples.ORDER, status="cancelled")
_CANCELLED = msgspec.structs.replace(examples.CARD_PAYMENT, status="cancelled", failure="cancelled")
_AGAIN = msgspec.structs.replace(examples.DELIVERY, status="pending")
_LIST = ("after", "limit")
_ORDER, _PAYMENT = ("no_such_order",), ("no_such_payment",)
_ENDPOINT, _DELIVERY = ("no_such_endpoint",), ("no_such_delivery",)
OPERATIONS = {
    ("post", "orders"): Operation(
        "create_order", 201, Order, (OrderRequest, "order"),
        refusals=("bad_charge", "bad_email")
    ),
    ("get", "orders"): Operation(
        "list_orders", 200, Orders, None, (*orders.FILTERS, *_LIST), orders.WORDS
    ),
    ("get", "orders/{order_id}"): Operation("get_order", 200, Order, refusals=_ORDER),
    ("post", "orders/{order_id}/cancel"): Operation(
        "cancel_order", 200, Order, _NOTHING, example=_CANCELLED_ORDER,
        refusals=(*_ORDER, "order_not_cancellable"),
    ),
    ("post", "payments"): Operation(
        "create_payment", 201, Payment, (payments.PaymentRequest, "payment"),
        refusals=(*_ORDER, "order_not_payable", "method_not_offered", "coin_not_offered", "bad_card", "bad_vpa",
                  "bad_delay", "bad_charge"),
    ),
    ("get", "payments"): Operation(
        "list_payments", 200, Payments, None, (*payments.FILTERS, *_LIST), payments.WORDS
    ),
    ("get", "payments/{payment_id}"): Operation(
        "get_payment", 200, Payment, example=examples.PAID_PAYMENT, refusals=_PAYMENT
    ),
    ("post", "payments/{payment_id}/cancel"): Operation(
        "cancel_payment", 200, Payment, _NOTHING, example=_CANCELLED, refusals=(*_PAYMENT, "payment_not_cancellable")
    ),
    ("post", "payments/{payment_id}/refunds"): Operation(
        "create_refund", 201, Refund, (refunds.RefundRequest, "refund"),
        refusals=(*_PAYMENT, "payment_not_captured", "too_much", "bad_amount", "bad_reason", "bad_address",
                  "coin_not_offered"),
    ),
    ("get", "refunds"): Operation(
        "list_refunds", 200, Refunds, None, (*refunds.FILTERS, *_LIST), refunds.WORDS
    ),
    ("get", "refunds/{refund_id}"): Operation(
        "get_refund", 200, Refund, refusals=("no_such_refund",)
    ),
    ("get", "events"): Operation("list_events", 200, Events, None, ("number", "limit")),
    ("post", "webhooks/endpoints"): Operation(
        "create_endpoint", 201, EndpointWithSecret, (EndpointRequest, "endpoint"),
        refusals=("bad_endpoint", "too_many_endpoints"),
    ),
    ("get", "webhooks/endpoints"): Operation(
        "list_endpoints", 200, Endpoints,
    ),
    ("get", "webhooks/endpoints/{endpoint_id}"): Operation(
        "get_endpoint", 200, Endpoint, refusals=_ENDPOINT
    ),
    ("patch", "webhooks/endpoints/{endpoint_id}"): Operation(
        "change_endpoint", 200, Endpoint, (EndpointChange, "change"),
        refusals=(*_ENDPOINT, "bad_endpoint"),
    ),
    ("delete", "webhooks/endpoints/{endpoint_id}"): Operation(
        "remove_endpoint", 200, EndpointRemoved,
        refusals=_ENDPOINT,
    ),
    ("post", "webhooks/endpoints/{endpoint_id}/rotate"): Operation(
        "rotate_endpoint_secret", 200, EndpointWithSecret, (RotationRequest, "rotation"),
        refusals=(*_ENDPOINT, "too_many_secrets"),
    ),
    ("post", "webhooks/endpoints/{endpoint_id}/test"): Operation(
        "send_test_event", 202, TestEventSent, _NOTHING, refusals=(*_ENDPOINT, "endpoint_disabled")
    ),
    ("post", "webhooks/endpoints/{endpoint_id}/retries"): Operation(
        "retry_failed_deliveries", 202, DeliveriesRetried, (RetriesRequest, "retries"),
        refusals=_ENDPOINT,
    ),
    ("get", "webhooks/deliveries"): Operation(
        "list_deliveries", 200, Deliveries, None, (*deliveries.FILTERS, *_LIST),
        deliveries.WORDS,
    ),
    ("get", "webhooks/deliveries/{delivery_id}"): Operation(
        "get_delivery", 200, DeliveryWithLog, refusals=_DELIVERY
    ),
    ("post", "webhooks/deliveries/{delivery_id}/retry"): Operation(
        "retry_delivery", 202, Delivery, _NOTHING, example=_AGAIN,
        refusals=(*_DELIVERY, "delivery_in_line", "delivery_undeliverable"),
    ),
    ("get", "currencies"): Operation(
        "list_currencies", 200, Currencies,
    ),
    ("get", "coins"): Operation(
        "list_coins", 200, Coins, None, ("currency",),
        {"currency": CURRENCIES},
    ),
}  # fmt: skip


def complete(schema: dict[str, Any]) -> dict[str, Any]:
    """The document with everything of ``/api/v1`` filled in."""
    types = [
        ProblemDetails,
        *(o.answer for o in OPERATIONS.values()),
        *(o.body[0] for o in OPERATIONS.values() if o.body),
    ]
    by_type, components = json_schema.components([*types, *KINDS], hook=schema_of)
    for name, choice in CHOICES.items():
        components[name] |= choice
    parts = schema.setdefault("components", {})
    parts.setdefault("schemas", {}).update(components)
    parts.setdefault("securitySchemes", {}).update(SCHEMES)
    for (method, path), operation in OPERATIONS.items():
        found = schema["paths"][PREFIX + path][method]
        found |= _described(operation, method, path, by_type)
    return schema


def _described(operation: Operation, method: str, path: str, by_type: Mapping[Any, Any]) -> dict[str, Any]:
    named = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    parameters = [_in_path(name) for name in named]
    parameters += [_in_query(name, (operation.words or {}).get(name)) for name in operation.filters]
    said: dict[str, Any] = {"operationId": operation.name, "security": SECURITY}
    if method == "post":
        parameters.append(KEY)
    if operation.body:
        said["requestBody"] = _body(operation.body, by_type)
    example = msgspec.to_builtins(operation.example or examples.ANSWERS[operation.answer])
    headers = HEADERS | ({"Idempotent-Replayed": REPLAYED} if method == "post" else {})
    done = {
        "description": "Done",
        "headers": {name: _header(*said) for name, said in headers.items()},
        "content": {"application/json": {"schema": by_type[operation.answer], "example": example}},
    }
    codes = error_codes.by_status([*COMMON[method], *operation.refusals])
    refused = {str(status): _fault(status, found) for status, found in codes.items()}
    return said | {"parameters": parameters, "responses": {str(operation.status): done, **refused}}


def _body(body: tuple[Any, str], by_type: Mapping[Any, Any]) -> dict[str, Any]:
    shape, name = body
    shown = {
        title: {"summary": title, "value": value} for title, value in request_examples.BODIES.get(name, {}).items()
    }
    content = {"schema": by_type[shape]} | ({"examples": shown} if shown else {})
    return {"required": shape not in {Nothing, RotationRequest}, "content": {"application/json": content}}


def _header(description: str, example: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string"}, "example": example}


def _fault(status: int, codes: Sequence[str]) -> dict[str, Any]:
    """The answers of one status: which codes there can be, and an example of each."""
    fault = msgspec.json.schema(ProblemDetails)["$defs"]["ProblemDetails"]
    schema = fault | {"properties": fault["properties"] | {"code": {"enum": list(codes)}}}
    content = {"schema": schema, "examples": {code: {"value": _example(code)} for code in codes}}
    headers = {"Retry-After": _header("Seconds to wait.", "42")} if status == 429 else {}
    if status == 401:
        headers = {"WWW-Authenticate": _header("The scheme that is asked for.", 'ApiKey realm="BitLoot"')}
    description = f"{STATUSES[status]}: {', '.join(f'`{code}`' for code in codes)}"
    return {"description": description, "headers": headers, "content": {"application/problem+json": content}}


def _example(code: str) -> dict[str, Any]:
    told = CATALOG[code]
    said = {"type": f"https://pay.example/docs/errors/{code}", "title": told.title, "status": told.status}
    return said | {"detail": told.do, "code": code}


def _in_path(name: str) -> dict[str, Any]:
    schema = {"type": "string", "format": "uuid"}
    return {"name": name, "in": "path", "required": True, "schema": schema, "example": str(examples.PATHS[name])}


QUERY: dict[str, tuple[str, dict[str, Any]]] = {
    "after": ("The `next` of an earlier page.", {"type": "string", "pattern": "^[A-Za-z0-9_-]{22}$"}),
    "number": (
        "The number of the last event you have: the `next` of the answer before.",
        {"type": "integer", "minimum": 0, "maximum": 2**63 - 1, "default": 0},
    ),
    "limit": (
        "How many at most.",
        {"type": "integer", "minimum": 1, "maximum": query_parameters.MOST, "default": query_parameters.USUAL},
    ),
    "created_from": ("Created at or after this time.", {"type": "string", "format": "date-time"}),
    "created_to": ("Created before this time.", {"type": "string", "format": "date-time"}),
    "reference": ("The order's reference.", {"type": "string", "maxLength": 128, "pattern": "^[^\\x00]*$"}),
    "customer_email": ("The order's email.", {"type": "string", "maxLength": 254, "pattern": "^[^\\x00]*$"}),
}


def _in_query(name: str, words: Sequence[str] | None) -> dict[str, Any]:
    about: tuple[str, dict[str, Any]] = ("", {"type": "string", "format": "uuid"})
    if words is not None:
        about = ("Only these.", {"type": "string", "enum": [str(word) for word in words]})
    description, schema = about if words is not None else QUERY.get(name, about)
    name = "after" if name == "number" else name
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}
