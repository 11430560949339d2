"""Every case of a deposit: where it ends, which IPNs leave, and that they are signed as the genuine ones."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from decimal import Decimal

import pytest

from dev.sandbox.nowpayments.cases import CASES, UNICODE
from tests.sandbox.conftest import IPN_SECRET, Sandbox, Shop, parsed

WALK = ["confirming", "confirmed", "sending", "finished"]
CAPTURED = [
    "actually_paid", "actually_paid_at_fiat", "fee", "invoice_id", "order_description", "order_id",
    "outcome_amount", "outcome_currency", "parent_payment_id", "pay_address", "pay_amount", "pay_currency",
    "payin_extra_id", "payment_extra_ids", "payment_id", "payment_status", "price_amount", "price_currency",
    "purchase_id", "updated_at",
]  # fmt: skip

# case: (final status of the payment, statuses of the IPNs, share of the amount that arrived)
EXPECTED = {
    "success": ("finished", WALK, 1),
    "finished": ("finished", ["finished"], 1),
    "confirming": ("confirming", WALK[:1], 1),
    "confirmed": ("confirmed", WALK[:2], 1),
    "sending": ("sending", WALK[:3], 1),
    "partially_paid": ("partially_paid", ["confirming", "partially_paid"], Decimal("0.5")),
    "overpaid": ("finished", WALK, Decimal("1.25")),
    "wrong_coin": ("waiting", ["partially_paid"], 0),
    "late": ("finished", ["expired", "finished"], 1),
    "twice": ("finished", [*WALK, "finished"], 1),
    "failed": ("failed", ["failed"], 0),
    "expired": ("expired", ["expired"], 0),
    "refunded": ("refunded", ["refunded"], 1),
    "settled_low": ("finished", ["finished"], 1),
    "zero": ("finished", ["finished"], 0),
    "forged": ("waiting", ["finished"], 0),
    "unsigned": ("waiting", ["finished"], 0),
    "unsorted": ("finished", ["finished"], 1),
    "small_numbers": ("finished", ["finished"], 1),
    "unicode": ("finished", ["finished"], 1),
    "extra_ids": ("finished", ["finished"], 1),
    "reordered": ("finished", ["finished", "confirming"], 1),
    "doubled": ("finished", [status for status in WALK for _ in range(2)], 1),
}


def test_every_case_is_expected_here() -> None:
    assert set(EXPECTED) == set(CASES)


@pytest.mark.parametrize("case", EXPECTED)
async def test_a_case_ends_where_it_should_and_tells_the_shop(sandbox: Sandbox, shop: Shop, case: str) -> None:
    made = await sandbox.payment(price_amount=96, pay_currency="btc")
    final, ipns, share = EXPECTED[case]
    answer = await sandbox.pay(made["payment_id"], case)
    seen = await sandbox.status(made["payment_id"])
    assert shop.statuses == ipns
    assert (answer["payment_id"], answer["payment_status"], seen["payment_status"]) == (
        made["payment_id"],
        final,
        final,
    )
    assert seen["actually_paid"] == made["pay_amount"] * share
    assert [ipn["status"] for ipn in answer["ipns"]] == [204] * len(ipns)
    oddly_signed = case in {"forged", "unsigned", "unsorted"}
    assert {it.signed for it in shop.heard} == {not oddly_signed}


async def test_an_ipn_has_the_captured_shape_sorted_and_compact(sandbox: Sandbox, shop: Shop) -> None:
    made = await sandbox.payment()
    await sandbox.pay(made["payment_id"], "finished")
    ipn = shop.heard[0]
    assert list(ipn.json) == CAPTURED
    assert list(ipn.json["fee"]) == ["currency", "depositFee", "serviceFee", "withdrawalFee"]
    assert ipn.json["payment_id"] == int(made["payment_id"])
    assert isinstance(ipn.json["purchase_id"], str)
    assert isinstance(ipn.json["updated_at"], int)
    assert ipn.body.startswith(b'{"actually_paid":0.00026042,"actually_paid_at_fiat":0,"fee":{"currency":')
    assert ipn.json["outcome_amount"] + ipn.json["fee"]["serviceFee"] == Decimal("25.00032")


async def test_an_unsorted_ipn_is_signed_in_its_sorted_compact_form(sandbox: Sandbox, shop: Shop) -> None:
    made = await sandbox.payment(price_amount=0.9, pay_currency="ltc")
    await sandbox.pay(made["payment_id"], "unsorted")
    ipn = shop.heard[0]
    assert b"\n  " in ipn.body
    assert list(ipn.json) != sorted(ipn.json)
    # Keep each number's text as it came: the one way to the bytes that were signed.
    kept = json.loads(ipn.body, parse_float=lambda text: f"#{text}#", parse_int=lambda text: f"#{text}#")
    text = json.dumps(kept, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    canonical = re.sub(r'"#([^#"]+)#"', r"\1", text).encode()
    expected = hmac.new(IPN_SECRET.encode(), canonical, hashlib.sha512).hexdigest()
    assert ipn.headers["x-nowpayments-sig"] == expected


async def test_forged_and_unsigned_ipns_claim_what_is_not_so_and_are_not_repeated(sandbox: Sandbox, shop: Shop) -> None:
    shop.answers = [401, 401]
    made = await sandbox.payment()
    for case in ("forged", "unsigned"):
        answer = await sandbox.pay(made["payment_id"], case)
        assert [(ipn["state"], ipn["attempts"]) for ipn in answer["ipns"]] == [("failed", 1)]
    assert "x-nowpayments-sig" in shop.heard[0].headers
    assert "x-nowpayments-sig" not in shop.heard[1].headers
    assert shop.heard[0].json["actually_paid"] == made["pay_amount"]
    assert (await sandbox.status(made["payment_id"]))["actually_paid"] == 0


async def test_small_numbers_and_odd_letters_go_out_as_javascript_writes_them(sandbox: Sandbox, shop: Shop) -> None:
    await sandbox.pay((await sandbox.payment())["payment_id"], "small_numbers")
    await sandbox.pay((await sandbox.payment())["payment_id"], "unicode")
    assert b'"depositFee":0.000002,"serviceFee":1e-7,' in shop.heard[0].body
    assert shop.heard[1].json["order_description"] == UNICODE
    assert "“Ключ” 鍵 \u2028🎮 <b>".encode() in shop.heard[1].body


async def test_a_second_deposit_is_a_payment_of_its_own(sandbox: Sandbox, shop: Shop) -> None:
    made = await sandbox.payment()
    child_id = (await sandbox.pay(made["payment_id"], "twice"))["child_payment_id"]
    child = shop.heard[-1].json
    assert (child["payment_id"], child["parent_payment_id"]) == (int(child_id), int(made["payment_id"]))
    assert (child["order_id"], child["payment_status"]) == ("o-1", "finished")
    assert (await sandbox.status(made["payment_id"]))["payment_extra_ids"] == [int(child_id)]
    again = await sandbox.pay(made["payment_id"], "success", fraction="0.25")
    assert again["payment_status"] == "finished"
    assert (await sandbox.status(again["child_payment_id"]))["payment_status"] == "partially_paid"


async def test_a_wrong_coin_comes_as_a_partly_paid_child_in_that_coin(sandbox: Sandbox, shop: Shop) -> None:
    made = await sandbox.payment(pay_currency="usdttrc20")
    await sandbox.pay(made["payment_id"], "wrong_coin")
    child = shop.heard[0].json
    assert (child["pay_currency"], child["payment_status"]) == ("trx", "partially_paid")
    assert child["parent_payment_id"] == int(made["payment_id"])


async def test_a_part_is_finished_by_hand_and_a_covered_shortfall_by_itself(sandbox: Sandbox) -> None:
    made = await sandbox.payment()
    await sandbox.pay(made["payment_id"], "success", fraction="0.3")
    assert (await sandbox.pay(made["payment_id"], "finished"))["payment_status"] == "finished"
    await sandbox.control.post("/settings", json={"coveringPercent": 1})
    other = await sandbox.payment()
    assert (await sandbox.pay(other["payment_id"], "finished", fraction="0.995"))["payment_status"] == "finished"


async def test_a_walk_that_was_halted_goes_on(sandbox: Sandbox, shop: Shop) -> None:
    made = await sandbox.payment()
    await sandbox.pay(made["payment_id"], "confirmed")
    await sandbox.pay(made["payment_id"], "success")
    assert shop.statuses == WALK


async def test_updated_at_always_grows(sandbox: Sandbox, shop: Shop) -> None:
    await sandbox.pay((await sandbox.payment())["payment_id"], "success")
    times = [it.json["updated_at"] for it in shop.heard]
    assert times == sorted(set(times))


async def test_a_refused_ipn_is_repeated_three_times_and_then_dropped(sandbox: Sandbox, shop: Shop) -> None:
    shop.answers = [503, 500, 503]
    healed = await sandbox.pay((await sandbox.payment())["payment_id"], "finished")
    assert [(ipn["state"], ipn["attempts"]) for ipn in healed["ipns"]] == [("delivered", 4)]
    assert len({it.body for it in shop.heard}) == 1
    shop.answers = [503] * 9
    lost = await sandbox.pay((await sandbox.payment())["payment_id"], "finished")
    assert [(ipn["state"], ipn["attempts"], ipn["status"]) for ipn in lost["ipns"]] == [("failed", 4, 503)]


async def test_unknown_cases_payments_and_values_are_refused(sandbox: Sandbox) -> None:
    made = await sandbox.payment()
    pay = f"/payments/{made['payment_id']}/pay"
    answer = await sandbox.control.post(pay, json={"case": "vanish"})
    assert answer.status_code == 400
    assert all(name in parsed(answer)["detail"] for name in CASES)
    for bad in ({"fraction": "0"}, {"fraction": "-1"}, {"fraction": "much"}, {"fraction": True}, {"fracton": 1}, []):
        assert (await sandbox.control.post(pay, json=bad)).status_code == 400, bad
    assert (await sandbox.control.post("/payments/1/pay", json={})).status_code == 404
    await sandbox.pay(made["payment_id"], "finished")
    assert (await sandbox.control.post(pay, json={"case": "expired"})).status_code == 409
