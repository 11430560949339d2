"""The API's description is complete, and its examples and the doors' answers are of the shapes it names."""

import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs

from app.core.errors import Problem
from app.web.api import router
from app.web.api.error_codes import CATALOG
from tests.api.conftest import Till, card

METHODS = {"get", "post", "patch", "delete"}


def operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method, path.removeprefix("/api/v1")): operation
        for path, operations in document["paths"].items()
        if path.startswith("/api/v1/")
        for method, operation in operations.items()
        if method in METHODS
    }


def fits(document: dict[str, Any], schema: dict[str, Any], value: Any) -> list[str]:
    """What of ``value`` is not as the schema says; members that no schema knows are wrong, too."""
    whole = closed({**schema, "components": document["components"]})
    faults = jsonschema_rs.Draft202012Validator(whole, validate_formats=True).iter_errors(value)
    return [f"{fault.instance_path}: {fault.message}" for fault in faults]


def closed(schema: Any) -> Any:
    """The same, with every object closed to members that it does not name."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    shut = {"additionalProperties": False} if isinstance(schema.get("properties"), dict) else {}
    return shut | {name: closed(part) for name, part in schema.items()}


def content(part: dict[str, Any]) -> dict[str, Any]:
    [found] = part["content"].values()
    return dict(found)


async def test_every_door_is_described_with_all_that_a_client_needs(document) -> None:
    described = operations(document)
    routes = {(m.lower(), path.replace(":str", "")) for r in router.ROUTES for path in r.paths for m in r.http_methods}
    assert described.keys() == routes
    assert document["openapi"].startswith("3.1")
    assert len({operation["operationId"] for operation in described.values()}) == len(described)
    for (method, path), operation in described.items():
        assert operation["summary"], path
        assert operation["security"] == [{"ApiKey": [], "ApiSecret": []}], path
        named = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
        assert named == set(re.findall(r"\{(\w+)\}", path)), path
        assert ("Idempotency-Key" in {p["name"] for p in operation["parameters"]}) == (method == "post"), path
        assert ("requestBody" in operation) == (method in {"post", "patch"}), path
        assert {"401", "403", "429", "500"} <= operation["responses"].keys(), path
        assert ("404" in operation["responses"]) == (bool(named) or (method, path) == ("post", "/payments")), path
        for status, part in operation["responses"].items():
            if status[0] in "45":
                codes = content(part)["schema"]["properties"]["code"]["enum"]
                assert {CATALOG[code].status for code in codes} == {int(status)}, (path, status)
    assert {"ApiKey", "ApiSecret"} <= document["components"]["securitySchemes"].keys()


def texts(document: dict[str, Any], schema: Any, at: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema of a text within ``schema``, and where it stands."""
    if isinstance(schema, list):
        for part in schema:
            yield from texts(document, part, at)
    if not isinstance(schema, dict):
        return
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        yield from texts(document, document["components"]["schemas"][name], f"{at}/{name}")
    if schema.get("type") == "string":
        yield at, schema
    for name, part in schema.items():
        yield from texts(document, part, f"{at}/{name}")


async def test_what_no_text_can_hold_is_said_by_the_schema_of_every_text_that_is_sent(document) -> None:
    seen = 0
    for operation in operations(document).values():
        if "requestBody" not in operation:
            continue
        for at, schema in texts(document, content(operation["requestBody"])["schema"]):
            shaped = schema.keys() & {"enum", "const", "format"}
            assert shaped or not re.search(schema.get("pattern", ""), "a text with a \0 in it"), at
            seen += 1
    assert seen > 20


async def test_every_example_is_of_its_shape(document) -> None:
    shown = 0
    for where, operation in operations(document).items():
        parts = [operation.get("requestBody"), *operation["responses"].values()]
        for part in filter(None, parts):
            found = content(part)
            examples = [e["value"] for e in found.get("examples", {}).values()]
            for example in [*examples, *([found["example"]] if "example" in found else [])]:
                assert fits(document, found["schema"], example) == [], where
                shown += 1
    assert shown > 200


async def test_every_answer_is_of_the_shape_that_is_described(document, till: Till, drain) -> None:
    described = operations(document)
    seen: set[tuple[str, str]] = set()

    async def ask(method: str, path: str, body: Any = None, **ids: str) -> dict[str, Any]:
        answer = await till.http.request(method, path.format(**ids), json=body)
        part = described[method, path]["responses"][str(answer.status_code)]
        said: dict[str, Any] = answer.json()
        assert fits(document, content(part)["schema"], said) == [], (method, path)
        for name in part["headers"]:
            assert name == "Idempotent-Replayed" or name in answer.headers, (path, name)
        if answer.status_code < 300:
            seen.add((method, path))
        return said

    url = "https://shop.example.com/hooks"
    endpoint = await ask("post", "/webhooks/endpoints", {"url": url, "name": "a"})
    whose = {"endpoint_id": endpoint["id"]}
    await ask("post", "/webhooks/endpoints/{endpoint_id}/test", {}, **whose)
    order = await ask("post", "/orders", {"amount": "5", "currency": "USD", "reference": "r", "metadata": {"a": "b"}})
    await ask("post", "/payments", {"order_id": order["id"], "method": "crypto", "metadata": {"test": "failed"}})
    payment = await ask("post", "/payments", {"order_id": order["id"], "method": "card", "card": card()})
    await ask("post", "/payments/{payment_id}/cancel", {}, payment_id=payment["id"])
    again = await ask("post", "/payments", {"order_id": order["id"], "method": "upi", "upi": {"vpa": "success@test"}})
    await drain(later=True)
    refund = await ask("post", "/payments/{payment_id}/refunds", {"reason": "x"}, payment_id=again["id"])
    await drain(later=True)
    other = await ask("post", "/orders", {"amount_minor": 500, "currency": "EUR", "reference": "r"})
    await ask("post", "/orders/{order_id}/cancel", {}, order_id=other["id"])
    for path in ("/orders", "/payments", "/refunds", "/events", "/webhooks/endpoints", "/webhooks/deliveries",
                 "/currencies", "/coins"):  # fmt: skip
        assert (await ask("get", path))["data"], path
    await ask("get", "/orders/{order_id}", order_id=order["id"])
    await ask("get", "/payments/{payment_id}", payment_id=payment["id"])
    await ask("get", "/refunds/{refund_id}", refund_id=refund["id"])
    delivery = {"delivery_id": (await ask("get", "/webhooks/deliveries"))["data"][0]["id"]}
    await ask("get", "/webhooks/deliveries/{delivery_id}", **delivery)
    await ask("get", "/webhooks/endpoints/{endpoint_id}", **whose)
    await ask("patch", "/webhooks/endpoints/{endpoint_id}", {"types": ["order.paid"], "disabled": True}, **whose)
    await ask("post", "/webhooks/endpoints/{endpoint_id}/rotate", {}, **whose)
    await ask("post", "/webhooks/endpoints/{endpoint_id}/retries", {"since": "2026-01-01T00:00:00Z"}, **whose)
    await ask("delete", "/webhooks/endpoints/{endpoint_id}", **whose)
    await ask("post", "/webhooks/deliveries/{delivery_id}/retry", {}, **delivery)
    assert described.keys() - seen <= {("post", "/webhooks/deliveries/{delivery_id}/retry")}


async def test_every_refusal_that_a_merchant_may_meet_has_its_own_code() -> None:
    def all_of(kind: type[Problem]) -> set[type[Problem]]:
        return {kind}.union(*(all_of(sub) for sub in kind.__subclasses__()))

    found = [kind for kind in all_of(Problem) if kind.__module__.startswith(("app.merchants", "app.web.api"))]
    codes = [kind().code for kind in found]
    assert len(set(codes)) == len(codes) > 10
