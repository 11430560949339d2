"""POST /payments/create and the state of its job."""

from app.core import db
from tests.web.builders import assert_problem, count, picture, submit


async def ask(client, order, **more):
    return await client.post("/payments/create", json={"orderId": order.id, **more}, headers=order.bearer)


async def test_asking_again_while_the_job_waits_gives_that_job(client, placed) -> None:
    for _ in range(2):
        answer = await ask(client, placed)
        assert answer.status_code == 202
        assert answer.json() == {"jobId": placed.job_id, "orderId": placed.id}
    assert await db.fetch_value("SELECT count(*) FROM job WHERE name = 'payments.create'") == 1


async def test_asking_again_afterwards_gives_a_further_job(client, placed, drain) -> None:
    await drain()
    answer = await ask(client, placed)
    assert answer.status_code == 202
    assert answer.json()["jobId"] != placed.job_id
    assert await db.fetch_value("SELECT count(*) FROM job WHERE name = 'payments.create'") == 2


async def test_another_coin_gives_another_payment(client, placed, drain, box) -> None:
    await drain()
    assert (await ask(client, placed, payCurrency="LTC ")).status_code == 202
    await drain()
    assert sorted(payment["pay_currency"] for payment in await box.payments()) == ["btc", "ltc"]
    state = (await client.get(f"/fulfillment/{placed.id}/status", headers=placed.bearer)).json()
    assert state["payment"]["payCurrency"] == "ltc"


async def test_the_form_without_javascript_leads_back_to_the_order(visitor, placed, drain, box) -> None:
    browser = visitor()
    browser.cookies.set("bitloot_orders", placed.token)
    answer = await submit(browser, "/payments/create", {"orderId": placed.id, "payCurrency": "ltc"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/orders/{placed.id}")
    await drain()
    assert {payment["pay_currency"] for payment in await box.payments()} == {"ltc"}


async def test_the_job_tells_its_state_in_the_shape_of_the_design(client, placed, drain) -> None:
    job_id = (await ask(client, placed)).json()["jobId"]
    path = f"/payments/jobs/{job_id}/status"
    said = (await client.get(path, headers=placed.bearer)).json()
    assert said == {"jobId": job_id, "status": "pending", "progress": 0, "error": None}
    await drain()
    said = (await client.get(path, headers=placed.bearer)).json()
    assert said == {"jobId": job_id, "status": "completed", "progress": 100, "error": None}


async def test_a_failing_job_tells_its_error_in_our_words(client, placed, drain, box) -> None:
    await box.fault("nowpayments", "error500")
    await drain()
    said = (await client.get(f"/payments/jobs/{placed.job_id}/status", headers=placed.bearer)).json()
    assert said["status"] == "pending"
    assert "nowpayments" in said["error"]
    assert "Traceback" not in said["error"]


BAD = (
    ("", "malformed_body", None), ("{", "malformed_body", None), ("{}", "malformed_body", "orderId"),
    ('{"orderId": 5}', "malformed_body", "orderId"), ('{"orderId": "x"}', "malformed_body", "orderId"),
    ('{"orderId": null}', "malformed_body", "orderId"), ('{"orderId": "@", "payCurrency": 5}', "malformed_body",
     "payCurrency"), ('{"orderId": "@", "payCurrency": "nothing"}', "coin_not_offered", "payCurrency"),
    ('{"orderId": "@", "orderId": "@"}', "malformed_body", None), ("[" * 10_000, "malformed_body", None),
)  # fmt: skip


async def test_bad_input_is_refused_and_nothing_is_posted(client, placed) -> None:
    before = await picture()
    headers = {**placed.bearer, "content-type": "application/json"}
    for body, code, field in BAD:
        answer = await client.post("/payments/create", content=body.replace("@", placed.id), headers=headers)
        assert_problem(answer, 400, code, field, about=body[:60])
    assert await picture() == before


async def test_a_paid_order_needs_no_further_payment(client, ready) -> None:
    before = await picture()
    assert_problem(await ask(client, ready), 409, "order_closed")
    assert await picture() == before


async def test_amounts_in_the_request_change_nothing(client, placed, drain, box) -> None:
    await drain()
    assert (await ask(client, placed, payCurrency="ltc", amount="0.01", price_amount=1)).status_code == 202
    await drain()
    assert len({str(payment["price_amount"]) for payment in await box.payments()}) == 1
    assert await count("customer_order") == 1
