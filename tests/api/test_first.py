from tests.api.conftest import card
import json


async def test_first(till, drain):
    o = await till.order()
    print(o)
    p = await till.payment()
    print(p)
    await drain(later=True)
    print((await till.get(f"/payments/{p['id']}")).json())
    r = await till.post(f"/payments/{p['id']}/refunds", {"amount": 10, "reason": "x"})
    print(r.text)
    await drain(later=True)
    r = await till.get("/refunds")
    print(r.text)
    r = await till.get("/events")
    print(r.status_code, r.text[:600], r.headers)
    r = await till.post("/webhooks/endpoints", {"url": "http://localhost:9/x"}, key="a")
    print(r.text)
    d = (await till.http.get("/../docs/openapi.json")).json()
    json.dump(d, open("/tmp/openapi.json", "w"))
    assert 0
