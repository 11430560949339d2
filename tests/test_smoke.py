async def test_a_purchase_goes_from_catalog_to_key(client, drain, box) -> None:
    catalog = (await client.get("/")).json()
    item = next(i for i in catalog["items"] if i["stock"] > 3)
    placed = await client.post(
        "/orders", json={"email": "delivered+x@resend.dev", "items": [{"productId": item["productId"], "quantity": 2}]}
    )
    assert placed.status_code == 201, placed.text
    order = placed.json()
    await drain()
    status = (await client.get(f"/fulfillment/{order['orderId']}/status")).json()
    assert status["status"] == "waiting", status
