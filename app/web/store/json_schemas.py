"""The shapes of our JSON, for the API's description. Money is `{amount, currency}`, times are RFC 3339 in UTC."""

import uuid
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from app.contract import json_schema
from app.contract.problem import ProblemDetails
from app.web.store.checkout import NewOrder
from app.web.store.fulfillment import RevealRequest
from app.web.store.payments import NewChoice, NewPayment


class _Shape(msgspec.Struct, rename="camel"):
    pass


class Amount(_Shape):
    amount: Annotated[str, Meta(examples=["19.99"])]
    currency: Annotated[str, Meta(examples=["USD"])]


class CatalogItem(_Shape):
    product_id: uuid.UUID
    slug: str
    name: str
    platform: str
    region: str
    price: Amount
    stock: int


class Catalog(_Shape):
    items: list[CatalogItem]
    total: int
    next: str | None


class OrderPlaced(_Shape):
    """`accessToken` opens this order: send it as Bearer. It is not shown again."""

    order_id: uuid.UUID
    status: str
    total: Amount
    access_token: str
    job_id: uuid.UUID
    links: dict[str, str]


class PaymentAsked(_Shape):
    job_id: uuid.UUID
    order_id: uuid.UUID


class JobState(_Shape):
    job_id: uuid.UUID
    status: str
    progress: Annotated[int, Meta(ge=0, le=100)]
    error: str | None


class PaymentState(_Shape):
    payment_id: str
    status: str
    pay_address: str | None
    pay_amount: str
    pay_currency: str
    memo: str | None
    actually_paid: str
    invoice_url: str | None
    expires_at: datetime | None


class KeyState(_Shape):
    key_id: uuid.UUID
    revealed_at: datetime | None


class ItemState(_Shape):
    item_id: uuid.UUID
    product_id: uuid.UUID
    name: str
    quantity: int
    status: str
    keys: list[KeyState]


class Choices(_Shape):
    """Money that bought nothing: what could be had back, what is missing at today's price, and the ways to choose."""

    held: Amount
    missing: Amount | None
    missing_coin: str | None
    pay_currency: str | None
    ways: list[str]


class ChoiceMade(_Shape):
    order_id: uuid.UUID
    choice: str
    job_id: uuid.UUID | None


class OrderState(_Shape):
    order_id: uuid.UUID
    status: str
    fulfillment_status: str
    progress: Annotated[int, Meta(ge=0, le=100)]
    total: Amount
    payment: PaymentState | None
    choices: Choices | None
    items: list[ItemState]


class Link(_Shape):
    key_id: uuid.UUID
    url: str
    expires_at: datetime


class Links(_Shape):
    links: list[Link]


class RevealedKey(_Shape):
    """`value` is the key, or the image in base64 where `type` is one."""

    key_id: uuid.UUID
    type: str
    value: str
    first_reveal: bool
    revealed_at: datetime | None


class Revealed(_Shape):
    item_id: uuid.UUID
    keys: list[RevealedKey]


class AuditEntry(_Shape):
    at: datetime
    action: str
    key_id: uuid.UUID | None
    actor: str
    ip: str
    user_agent: str


class Audit(_Shape):
    entries: list[AuditEntry]


class Component(_Shape):
    status: str
    latency_ms: float
    error: str | None


class Health(_Shape):
    status: str
    components: dict[str, Component]
    timestamp: datetime


ANSWERS: dict[tuple[str, str], tuple[int, type]] = {
    ("get", "/"): (200, Catalog),
    ("post", "/orders"): (201, OrderPlaced),
    ("get", "/orders/{order_id}"): (200, OrderState),
    ("post", "/payments/create"): (202, PaymentAsked),
    ("post", "/orders/{order_id}/choices"): (202, ChoiceMade),
    ("get", "/payments/jobs/{job_id}/status"): (200, JobState),
    ("get", "/fulfillment/{order_id}/status"): (200, OrderState),
    ("get", "/fulfillment/{order_id}/download-link"): (200, Links),
    ("post", "/fulfillment/{order_id}/reveal"): (200, Revealed),
    ("get", "/fulfillment/{order_id}/audit"): (200, Audit),
    ("get", "/health"): (200, Health),
}
BODIES: dict[tuple[str, str], type] = {
    ("post", "/orders"): NewOrder,
    ("post", "/payments/create"): NewPayment,
    ("post", "/orders/{order_id}/choices"): NewChoice,
    ("post", "/fulfillment/{order_id}/reveal"): RevealRequest,
}


SCHEMES: dict[str, dict[str, str]] = {
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


def complete(schema: dict[str, Any]) -> dict[str, Any]:
    """The framework's OpenAPI document of the shop's paths with the shapes of bodies, answers and errors filled in."""
    types = [*BODIES.values(), *(shape for _, shape in ANSWERS.values()), ProblemDetails]
    by_type, components = json_schema.components(types)
    parts = schema.setdefault("components", {})
    parts.setdefault("schemas", {}).update(components)
    parts["securitySchemes"] = SCHEMES
    schema["security"] = [{}, *({name: []} for name in SCHEMES)]
    schema["tags"] = [{"name": name, "description": about} for name, about in TAGS.items()]
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            if not isinstance(operation, dict):
                continue
            if (body := BODIES.get((method, path))) is not None:
                operation["requestBody"] = {"required": True, "content": _json(by_type[body])}
            if (answer := ANSWERS.get((method, path))) is not None:
                status, shape = answer
                operation["responses"][str(status)] = {"description": "Done", "content": _json(by_type[shape])}
            operation["responses"].pop("400", None)  # Litestar's own words, which nobody is answered with
            problem = {"application/problem+json": {"schema": by_type[ProblemDetails]}}
            operation["responses"]["4XX"] = {"description": "Refused; nothing was changed", "content": problem}
    return schema


def _json(ref: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": ref}}
