"""Alive, ready, healthy, measured, and documented."""

import re

import pytest

from app.issues import service as issues
from app.issues.codes import IssueCode
from tests.web.builders import IPN, compact, place, sign, tell
from tests.web.pages import Page

COMPONENTS = {"database", "redis", "nowpayments", "kinguin", "storage", "vault", "mail", "jobs", "clock", "rates"}


async def test_alive_and_ready_answer_200(client) -> None:
    assert (await client.get("/healthz")).json() == {"status": "alive"}
    assert (await client.get("/readyz")).json() == {"status": "ready"}


async def test_health_names_every_component_in_the_shape_of_the_design(client) -> None:
    answer = await client.get("/health")
    said = answer.json()
    assert answer.status_code == 200
    assert set(said) == {"status", "components", "timestamp"}
    assert set(said["components"]) == COMPONENTS
    assert all(set(state) == {"status", "latencyMs", "error"} for state in said["components"].values())
    assert {state["status"] for state in said["components"].values()} == {"healthy"}
    assert said["status"] == "healthy"
    assert all(state["latencyMs"] >= 0 for state in said["components"].values())


@pytest.mark.processes
async def test_health_is_degraded_while_a_provider_fails(shop, outside, box) -> None:
    await box.fault("kinguin", "error500")
    await box.fault("nowpayments", "html_garbage")
    answer = await outside.get(f"{shop.url}/health")
    said = answer.json()
    assert (answer.status_code, said["status"]) == (200, "degraded")
    sick = {name for name, state in said["components"].items() if state["status"] != "healthy"}
    assert sick == {"kinguin", "nowpayments"}
    assert all(said["components"][name]["error"] for name in sick)
    assert "<html" not in answer.text


async def test_metrics_count_requests_notices_reveals_orders_and_jobs(client, ready) -> None:
    body = compact({"payment_id": 1, "payment_status": "waiting"})
    await tell(client, body)
    await client.post(IPN, content=body, headers={"x-nowpayments-sig": sign(body, "x")})
    await client.post(f"/fulfillment/{ready.id}/reveal", json={"itemId": ready.item_id}, headers=ready.bearer)
    answer = await client.get("/metrics")
    assert answer.headers["content-type"].count("charset") == 1
    assert answer.headers["content-type"].startswith("text/plain")
    for name in (
        'bitloot_http_request_seconds_count{method="POST",route="/fulfillment/{order_id}/reveal",status="200"}',
        'bitloot_inbound_webhooks_total{outcome="stored",provider="nowpayments"}',
        'bitloot_inbound_webhooks_total{outcome="refused",provider="nowpayments"}',
        'bitloot_reveals_total{outcome="ok"}', 'bitloot_orders{status="fulfilled"} 1.0',
        'bitloot_jobs{status="pending"} 1.0', "bitloot_live_streams", "bitloot_oldest_due_job_seconds",
        "bitloot_provider_call_seconds_bucket",
    ):  # fmt: skip
        assert name in answer.text, name
    assert ready.id not in answer.text


async def test_metrics_count_open_issues_by_code(client) -> None:
    await issues.open_issue("payment:7", IssueCode.PAYMENT_WITHOUT_ORDER, "…")
    await issues.open_issue("payment:8", IssueCode.PAYMENT_WITHOUT_ORDER, "…")
    assert 'bitloot_issues{code="payment_without_order"} 2.0' in (await client.get("/metrics")).text


async def test_addresses_that_do_not_exist_do_not_swell_the_metrics(client) -> None:
    for number in range(20):
        await client.get(f"/nowhere/{number}")
        await client.get(f"/products/nothing-{number}")
    text = (await client.get("/metrics")).text
    assert "nothing-1" not in text
    assert "/nowhere/" not in text


async def test_a_sane_request_id_is_echoed(client) -> None:
    for given in ("abcdefgh", "a.b_c-D9" * 8, "01234567-89ab-cdef-0123-456789abcdef"):
        for path in ("/healthz", "/", "/nowhere", "/orders/x"):
            assert (await client.get(path, headers={"x-request-id": given})).headers["x-request-id"] == given


async def test_any_other_request_id_is_replaced(client) -> None:
    for given in ("", "short", "a" * 65, "a b c d e f", '"><script>', "äöüäöüäöü", "{}{}{}{}{}", "../../../etc"):
        for path in ("/healthz", "/nowhere"):
            found = (await client.get(path, headers={"x-request-id": given.encode()})).headers["x-request-id"]
            assert found != given
            assert 8 <= len(found) <= 64
            assert found.isalnum()


async def test_two_requests_have_two_ids(client) -> None:
    found = {(await client.get("/healthz")).headers["x-request-id"] for _ in range(50)}
    assert len(found) == 50


async def test_the_reference_page_brings_nothing_from_elsewhere(browser_client) -> None:
    page = await browser_client.get("/api/docs")
    assert page.status_code == 200
    assert Page(page.text).faults == []
    assert "/api/docs/openapi.json" in page.text


DOCUMENTS = {"/api/docs": "/api/docs/openapi.json", "/api/docs/shop": "/api/docs/shop.json"}
both = pytest.mark.parametrize(("where", "spec"), DOCUMENTS.items())


@both
async def test_the_reference_names_every_operation_and_shape_and_each_link_leads_somewhere(
    browser_client, client, where: str, spec: str
) -> None:
    text = (await browser_client.get(where)).text
    page, document = Page(text), (await client.get(spec)).json()
    assert page.faults == []
    assert spec in text
    operations = [act for path in document["paths"].values() for act in path.values()]
    assert len(operations) > 20
    assert {act["operationId"] for act in operations} <= set(page.ids)
    assert {f"shape-{name}" for name in document["components"]["schemas"]} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    assert set(re.findall(r'href="#([^"]+)"', text)) <= set(page.ids)
    for path, methods in document["paths"].items():
        for method in methods:
            assert f"<strong>{method.upper()}</strong> {path}</p>" in text, path


async def test_the_reference_tells_how_an_order_is_created(browser_client) -> None:
    text = (await browser_client.get("/api/docs")).text
    told = text.partition('id="create_order"')[2].partition("</article>")[0]
    assert "<strong>POST</strong> /api/v1/orders" in told
    assert "Idempotency-Key" in told
    assert 'Body: <a href="#shape-OrderRequest">OrderRequest</a>' in told
    assert "&#34;amount&#34;: &#34;49.90&#34;" in told
    assert '<span class="mono">201</span> Done: <a href="#shape-Order">Order</a>' in told
    shape = text.partition('id="shape-OrderRequest"')[2].partition("</article>")[0]
    assert "customer_email" in shape
    assert "text or null, optional" in shape


async def test_the_merchants_api_and_the_shop_are_two_documents(client) -> None:
    api, shop = [(await client.get(spec)).json()["paths"].keys() for spec in DOCUMENTS.values()]
    assert {path.startswith("/api/v1/") for path in api} == {True}
    assert {path.startswith("/api/v1/") for path in shop} == {False}
    assert len(api) > 15
    assert len(shop) > 30


async def test_the_schema_is_whole_and_names_the_routes(client) -> None:
    answer = await client.get("/api/docs/shop.json")
    schema = answer.json()
    assert answer.status_code == 200
    assert schema["openapi"].startswith("3.")
    assert schema["info"]["title"] == "BitLoot: the shop"
    wanted = {
        "/": "get", "/products/{slug}": "get", "/orders": "post", "/orders/{order_id}": "get",
        "/orders/{order_id}/events": "get", "/orders/{order_id}/cancellations": "post", "/payments/create": "post",
        "/payments/jobs/{job_id}/status": "get", "/fulfillment/{order_id}/status": "get",
        "/fulfillment/{order_id}/download-link": "get", "/fulfillment/{order_id}/reveal": "post",
        "/fulfillment/{order_id}/audit": "get", "/webhooks/nowpayments/ipn": "post", "/webhooks/kinguin": "post",
        "/health": "get", "/login": "post",
    }  # fmt: skip
    for path, method in wanted.items():
        assert method in schema["paths"][path], path
        assert schema["paths"][path][method]["summary"], path
    ids = [act["operationId"] for path in schema["paths"].values() for act in path.values()]
    assert len(ids) == len(set(ids))
    assert not any(path.startswith("/admin") for path in schema["paths"])


@both
async def test_the_schemas_own_references_lead_somewhere(client, where: str, spec: str) -> None:
    schema = (await client.get(spec)).json()

    def references(node):
        if isinstance(node, dict):
            yield from ([node["$ref"]] if "$ref" in node else [])
            for member in node.values():
                yield from references(member)
        elif isinstance(node, list):
            for member in node:
                yield from references(member)

    for reference in references(schema):
        found = schema
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]


async def test_what_is_asked_for_as_json_is_never_a_page(client, placed) -> None:
    other = await place(client)
    for path in ("/nowhere", f"/orders/{other.id}", "/admin", "/products/nothing", "/payments/jobs/x/status"):
        answer = await client.get(path)
        assert answer.headers["content-type"] == "application/problem+json", path
