"""The panel: pages a person can use without a script, and forms that do what their buttons say."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from dev.sandbox.config import Config
from tests.sandbox.conftest import Sandbox, Shop, opened, parsed


async def filled(sandbox: Sandbox) -> dict[str, str]:
    """One of everything; the ids."""
    payment = await sandbox.payment(order_id="<b>o-1</b>")
    order = parsed(await sandbox.buy(await sandbox.product(mode="by_hand")))
    mail = {
        "from": "a@b.co",
        "to": "c@d.co",
        "subject": "<i>Hi</i>",
        "html": '<p class="x">Hello</p><script>1</script>',
    }
    sent = parsed(await sandbox.resend.post("/emails", json=mail))
    return {"payment": payment["payment_id"], "order": order["orderId"], "mail": sent["id"]}


@pytest.mark.parametrize("path", ["", "/payouts", "/orders", "/products", "/mail", "/faults", "/notices"])
async def test_every_page_is_there_empty_and_filled(sandbox: Sandbox, path: str) -> None:
    for _ in range(2):
        page = await sandbox.panel.get(path)
        assert page.status_code == 200
        assert not re.search(r"<script|style=|onclick=", page.text)
        await filled(sandbox)
        await sandbox.control.post("/faults", json={"provider": "kinguin", "mode": "search_lag"})
        await sandbox.control.post("/settings", json={"duplicateMode": "accept"})
    assert "<b>o-1</b>" not in page.text
    assert "<i>Hi</i>" not in page.text


async def test_the_root_leads_to_the_panel_and_its_style_is_served(sandbox: Sandbox) -> None:
    answer = await sandbox.panel.get("http://sandbox/")
    assert answer.headers["location"] == "/sandbox"
    style = await sandbox.panel.get("/static/sandbox.css")
    assert style.headers["content-type"].startswith("text/css")
    assert "prefers-color-scheme: dark" in style.text


async def test_buttons_pay_deliver_and_say_so(sandbox: Sandbox, shop: Shop) -> None:
    ids = await filled(sandbox)
    paid = await sandbox.panel.post(
        f"/payments/{ids['payment']}/plays", data={"case": "partially_paid", "fraction": ""}
    )
    assert paid.status_code == 303
    assert "partially_paid" in paid.headers["location"]
    assert (await sandbox.status(ids["payment"]))["payment_status"] == "partially_paid"
    await sandbox.panel.post(f"/orders/{ids['order']}/acts", data={"action": "deliver"})
    assert len(await sandbox.keys(ids["order"])) == 1
    wrong = await sandbox.panel.post(f"/orders/{ids['order']}/acts", data={"action": "deliver"})
    assert wrong.headers["location"].startswith("/sandbox/orders?refused=")
    assert "is completed already" in (await sandbox.panel.get(wrong.headers["location"][8:])).text


async def test_forms_change_products_faults_and_settings(sandbox: Sandbox) -> None:
    product = await sandbox.product()
    fields = {
        "stock": "3",
        "textStock": "2",
        "price": "4.50",
        "delay": "",
        "partial": "1",
        "image": "true",
        "mode": "by_hand",
    }
    await sandbox.panel.post(f"/products/{product['productId']}", data=fields)
    now = parsed(await sandbox.control.get("/products"))[0]
    assert (now["stock"], now["textStock"], now["price"]) == (3, 2, "4.5")
    assert (now["delay"], now["partial"], now["image"], now["mode"]) == (None, 1, True, "by_hand")
    await sandbox.panel.post("/faults", data={"provider": "resend", "mode": "error500", "count": "2", "rate": ""})
    fault = parsed(await sandbox.control.get("/faults"))[0]
    assert (fault["mode"], fault["count"]) == ("error500", 2)
    await sandbox.panel.post(f"/faults/{fault['id']}/off")
    assert parsed(await sandbox.control.get("/faults")) == []
    await sandbox.panel.post("/settings", data={"deliveryDelay": "3", "mailsPerSecond": "", "paymentLifetime": ""})
    assert parsed(await sandbox.control.get("/settings"))["deliveryDelay"] == 3


async def test_a_mail_is_shown_in_a_box_without_scripts(sandbox: Sandbox) -> None:
    ids = await filled(sandbox)
    page = (await sandbox.panel.get(f"/mail/{ids['mail']}")).text
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page
    assert "&lt;p class=&#34;x&#34;&gt;Hello" in page
    assert "<script" not in page


async def test_the_hosted_invoice_takes_a_coin_and_a_payment(sandbox: Sandbox, shop: Shop) -> None:
    asked = {"price_amount": 30, "price_currency": "usd", "order_id": "o-9", "success_url": "javascript:alert(1)"}
    invoice = parsed(await sandbox.now.post("/invoice", json=asked))
    path = f"/invoice/{invoice['id']}"
    assert "Monero" in (await sandbox.panel.get(path)).text
    await sandbox.panel.post(f"{path}/payments", data={"pay_currency": "xlm"})
    assert "With this memo" in (await sandbox.panel.get(path)).text
    await sandbox.panel.post(f"{path}/plays", data={"case": "success"})
    await shop.hears(4)
    assert shop.statuses[-1] == "finished"
    assert shop.heard[-1].json["invoice_id"] == int(invoice["id"])
    assert "javascript:" not in (await sandbox.panel.get(path)).text
    assert (await sandbox.panel.get("/invoice/1")).status_code == 404


async def test_a_page_from_elsewhere_can_do_nothing(sandbox: Sandbox) -> None:
    made = await sandbox.payment()
    for path in ("/reset", "/api/reset", f"/payments/{made['payment_id']}/plays"):
        for origin in ("https://evil.test", "null"):
            assert (await sandbox.panel.post(path, headers={"Origin": origin})).status_code == 403
    assert len(parsed(await sandbox.control.get("/payments"))) == 1
    assert (await sandbox.panel.post("/reset", headers={"Origin": "http://sandbox"})).status_code == 303


async def test_a_notice_can_be_sent_again_byte_for_byte(sandbox: Sandbox, shop: Shop) -> None:
    answer = await sandbox.pay((await sandbox.payment())["payment_id"], "finished")
    again = await sandbox.control.post(f"/webhooks/{answer['ipns'][0]['id']}/resends")
    assert again.status_code == 200
    await shop.hears(2)
    assert shop.heard[0] == shop.heard[1]


async def test_the_log_of_notices_shows_no_secret(sandbox: Sandbox, shop: Shop) -> None:
    await sandbox.buy(await sandbox.product())
    await shop.hears(1)
    text = (await sandbox.control.get("/webhooks")).text
    assert "order.status" in text
    assert "sandbox-kinguin-webhook-secret" not in text


async def test_a_shop_elsewhere_is_never_called(config: Config, tmp_path: Path) -> None:
    away = replace(config, shop_url="https://shop.example.com", books_path=tmp_path / "books")
    shop = Shop()
    async with opened(away, shop) as sandbox:
        await sandbox.buy(await sandbox.product())
        assert [it["state"] for it in parsed(await sandbox.control.get("/webhooks"))] == ["refused"]
        assert shop.heard == []


@pytest.mark.parametrize("bad", [{"stock": -1}, {"price": 0}, {"mode": "lazy"}, {"stok": 1}, {"stock": "1.5"}])
async def test_a_bad_value_changes_no_product(sandbox: Sandbox, bad: dict[str, object]) -> None:
    before = await sandbox.product()
    answer = await sandbox.control.post(f"/products/{before['productId']}", json=bad)
    assert answer.status_code == 400
    assert await sandbox.product() == before
    assert (await sandbox.control.post("/products/none", json={})).status_code == 404


@pytest.mark.parametrize("bad", [{"deliveryDelay": -1}, {"balance": "much"}, {"duplicateMode": "maybe"}, {"speed": 1}])
async def test_a_bad_setting_is_refused(sandbox: Sandbox, bad: dict[str, object]) -> None:
    assert (await sandbox.control.post("/settings", json=bad)).status_code == 400
