"""What the API's description promises is what the doors answer."""

from datetime import timedelta
from typing import Any

import msgspec
from httpx import AsyncClient, Response

from app.contract.problem import ProblemDetails
from app.core import clock
from app.payments.service import post_due_checks
from app.web.operations import health
from app.web.operations.router import router as operations
from app.web.store import answers
from app.web.store.router import router as shop


def fits(answer: Response, shape: type) -> dict[str, Any]:
    """The answer's JSON, which must have every member of ``shape`` with its type, and no other."""
    said: dict[str, Any] = answer.json()
    found = msgspec.convert(said, shape, strict=True)
    assert msgspec.to_builtins(found).keys() == said.keys()
    return said


async def test_every_answer_on_the_way_of_a_purchase_has_its_described_shape(client: AsyncClient, drain: Any, box: Any):
    catalog = fits(await client.get("/"), answers.Catalog)
    product = next(item for item in catalog["items"] if item["stock"] > 3)
    body = {"email": "delivered+s@resend.dev", "items": [{"productId": product["productId"], "quantity": 2}]}
    placed = fits(await client.post("/orders", json=body), answers.OrderPlaced)
    client.cookies.clear()
    client.headers["authorization"] = f"Bearer {placed['accessToken']}"
    order = placed["orderId"]
    fits(await client.get(f"/payments/jobs/{placed['jobId']}/status"), answers.JobState)
    fits(await client.post("/payments/create", json={"orderId": order, "payCurrency": "ltc"}), answers.PaymentAsked)
    await drain()
    state = fits(await client.get(f"/fulfillment/{order}/status"), answers.OrderState)
    await box.pay(state["payment"]["paymentId"])

    with clock.travelled(timedelta(minutes=2)):
        assert await post_due_checks() >= 1
        await drain()
    state = fits(await client.get(f"/orders/{order}"), answers.OrderState)
    assert state["status"] == "fulfilled"
    item = state["items"][0]["itemId"]
    assert (
        len(fits(await client.post(f"/fulfillment/{order}/reveal", json={"itemId": item}), answers.Revealed)["keys"])
        == 2
    )
    links = await client.get(f"/fulfillment/{order}/download-link", params={"itemId": item})
    assert len(fits(links, answers.Links)["links"]) == 2
    assert len(fits(await client.get(f"/fulfillment/{order}/audit"), answers.Audit)["entries"]) == 4
    fits(await client.get("/health"), health.Health)
    fits(await client.get("/fulfillment/nothing/status"), ProblemDetails)


async def test_the_description_names_the_shapes_of_bodies_answers_and_errors(client: AsyncClient):
    document = (await client.get("/api/docs/shop.json")).json()
    placing = document["paths"]["/orders"]["post"]
    assert placing["requestBody"]["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/NewOrder"}
    assert "application/problem+json" in placing["responses"]["4XX"]["content"]
    schemas, described = document["components"]["schemas"], set[type]()
    assert {"productId", "quantity"} == schemas["OrderedItem"]["properties"].keys()
    for route in (*shop.routes, *operations.routes):
        for handler in route.route_handlers:
            for status, spec in (handler.responses or {}).items():
                [method] = (name.lower() for name in handler.http_methods)
                content = document["paths"][route.path_format][method]["responses"][str(status)]["content"]
                assert content["application/json"]["schema"]["$ref"].endswith(spec.data_container.__name__)
                described.add(spec.data_container)
    assert described >= {answers.Catalog, answers.OrderPlaced, answers.OrderState, answers.Revealed, health.Health}
