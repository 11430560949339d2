"""The payouts of our NOWPayments: what needs a token, what the panel can do, and what a notice of one says."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.conftest import SHOP, Sandbox, Shop, parsed

ADDRESS = "TFake" + "x" * 29


async def token(sandbox: Sandbox) -> dict[str, str]:
    said = await sandbox.now.post("/auth", json={"email": "a@b.co", "password": "p"})
    return {"authorization": f"Bearer {parsed(said)['token']}"}


async def payout(sandbox: Sandbox, **change: Any) -> dict[str, Any]:
    row = {"address": ADDRESS, "currency": "usdttrc20", "amount": 3.5, "unique_external_id": "r-1"} | change
    answer = await sandbox.now.post("/payout", json={"withdrawals": [row]}, headers=await token(sandbox))
    assert answer.status_code == 200, answer.text
    return parsed(answer)


async def test_asking_and_verifying_want_the_token_besides_the_key(sandbox: Sandbox) -> None:
    made = await payout(sandbox)
    for path, body in (("/payout", {"withdrawals": []}), (f"/payout/{made['id']}/verify", {"verification_code": "1"})):
        refused = await sandbox.now.post(path, json=body)
        assert (refused.status_code, parsed(refused)["code"]) == (401, "AUTH_REQUIRED")
    assert len(parsed(await sandbox.control.get("/payouts"))) == 1


async def test_ids_and_amounts_are_text_and_both_shapes_are_shown(sandbox: Sandbox) -> None:
    made = await payout(sandbox)
    [row] = made["withdrawals"]
    assert (row["amount"], row["status"], row["batch_withdrawal_id"]) == ("3.5", "CREATING", made["id"])
    assert isinstance(row["id"], str)
    live, documented = [parsed(await sandbox.now.get(f"/payout/{made['id']}{q}")) for q in ("", "?shape=list")]
    assert live["withdrawals"] == documented
    assert "status" not in live


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"amount": 3.1234567}, "INVALID_REQUEST_PARAMS", "decimals"),
        ({"amount": 0.5}, "BAD_CREATE_WITHDRAWAL_REQUEST", "min amount is 1"),
        ({"address": "x"}, "BAD_CREATE_WITHDRAWAL_REQUEST", "Invalid payout_address"),
        ({"colour": "blue"}, "INVALID_REQUEST_PARAMS", "not allowed"),
        ({"extra_id": "1"}, "BAD_CREATE_WITHDRAWAL_REQUEST", "extra_id"),
    ],
)
async def test_what_can_not_be_paid_out_is_refused(sandbox: Sandbox, change, code: str, words: str) -> None:
    row = {"address": ADDRESS, "currency": "usdttrc20", "amount": 3.5} | change
    answer = await sandbox.now.post("/payout", json={"withdrawals": [row]}, headers=await token(sandbox))
    assert (answer.status_code, parsed(answer)["code"]) == (400, code)
    assert words in parsed(answer)["message"]
    assert parsed(await sandbox.control.get("/payouts")) == []


async def test_the_panels_buttons_end_a_payout_once_and_the_shop_is_told(sandbox: Sandbox, shop: Shop) -> None:
    made = await payout(sandbox, ipn_callback_url=f"{SHOP}/webhooks/payouts")
    page = await sandbox.panel.get("/payouts")
    assert "not verified" in page.text
    for action, status in (("fail", "FAILED"), ("finish", "FINISHED")):
        answer = await sandbox.panel.post(f"/payouts/{made['id']}/acts", data={"action": action})
        assert answer.status_code == 303
        assert status.lower() in answer.headers["location"]
    heard = await shop.hears(2)
    assert [it.json["status"] for it in heard] == ["FAILED", "FINISHED"]
    assert all(it.signed for it in heard)
    assert "unique_external_id" not in heard[1].json
    refused = await sandbox.panel.post(f"/payouts/{made['id']}/acts", data={"action": "reject"})
    assert "refused=" in refused.headers["location"]
    [kept] = parsed(await sandbox.control.get("/payouts"))
    assert kept["withdrawals"][0]["status"] == "FINISHED"
    assert kept["withdrawals"][0]["hash"]
