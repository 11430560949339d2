"""Payouts: asked for, verified by a one-time code, finished, failed or rejected (fact sheet, section 10)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from decimal import Decimal

from dev.sandbox.jstext import number_text
from dev.sandbox.nowpayments import forms, ipn
from dev.sandbox.nowpayments.coins import COINS, Coin
from dev.sandbox.nowpayments.create import new_id
from dev.sandbox.nowpayments.refusals import NowRefusal, bad_params, not_found
from dev.sandbox.records import Batch, Notice, Withdrawal
from dev.sandbox.times import MINUTE, now_ms, parse, zulu
from dev.sandbox.wire import Fields
from dev.sandbox.world import World

VERIFY_TRIES = 10
UNVERIFIED_LIFETIME = 60 * MINUTE
CODE_STEP = 30_000  # milliseconds (RFC 6238)
FEE = Decimal("0.001")  # share of the amount that the network keeps
MOST_DECIMALS = 6
_B58 = "[1-9A-HJ-NP-Za-km-z]"
_TRON, _SOLANA = f"T{_B58}{{33}}", f"{_B58}{{32,44}}"
_SHAPES = {
    "btc": f"bc1[02-9ac-hj-np-z]{{11,71}}|[13]{_B58}{{25,34}}",
    "ltc": f"ltc1[02-9ac-hj-np-z]{{11,71}}|[LM3]{_B58}{{25,34}}",
    "doge": f"[DA9]{_B58}{{33}}",
    "xmr": f"[48]{_B58}{{94,105}}",
    "xrp": f"r{_B58}{{24,34}}",
    "xlm": "G[A-Z2-7]{55}",
    "trx": _TRON,
    "usdttrc20": _TRON,
    "sol": _SOLANA,
    "usdcsol": _SOLANA,
    "eth": "0x[0-9a-fA-F]{40}",
}
CREATE_FIELDS = {"withdrawals", "ipn_callback_url", "payout_description"}
WITHDRAWAL_FIELDS = {
    "address", "currency", "amount", "extra_id", "ipn_callback_url", "unique_external_id", "fiat_amount",
    "fiat_currency", "payout_description",
}  # fmt: skip


def refused(message: str) -> NowRefusal:
    """400 in the words of `POST /payout`."""
    return NowRefusal(400, "BAD_CREATE_WITHDRAWAL_REQUEST", message)


def coin_named(code: str) -> Coin:
    """A coin that can be paid out."""
    if code.lower() not in COINS:
        raise refused(f"Invalid payout_currency: {code[:20]}")
    return COINS[code.lower()]


def check_address(coin: Coin, address: str, extra_id: str | None) -> None:
    """Refuse what has not the shape of the coin's addresses; a wrong checksum passes, as all of ours here have one.

    Raises:
        NowRefusal: 400.
    """
    if not re.fullmatch(_SHAPES.get(coin.code, _SHAPES["eth"]), address):
        raise refused(f"Invalid payout_address: {address[:100]}")
    if extra_id is not None and (not coin.memo or not re.fullmatch("[0-9]{1,10}", extra_id)):
        raise refused("Invalid extra_id")


def least(coin: Coin) -> Decimal:
    """The least payout, in the coin: half of the least deposit here."""
    return coin.quantize(coin.least() / 2)


def create(world: World, fields: Fields) -> Batch:
    """Make a batch from the body of `POST /payout`; it waits for its code.

    Raises:
        NowRefusal: 400, with the reason's words.
    """
    forms.only_known(fields, CREATE_FIELDS)
    asked = fields.get("withdrawals")
    if not isinstance(asked, list) or not asked or not all(isinstance(one, dict) for one in asked):
        raise bad_params('"withdrawals" must be an array with at least one item')
    withdrawals = [_withdrawal(world, one, fields) for one in asked]
    usd = sum((one.amount * COINS[one.currency].usd for one in withdrawals), Decimal(0))
    if usd > world.storage.settings.custody:
        raise refused("Insufficient balance")
    now = now_ms()
    return world.storage.batches.put(Batch(id=new_id(), withdrawals=withdrawals, created_at=now, updated_at=now))


def _withdrawal(world: World, asked: Fields, shared: Fields) -> Withdrawal:
    forms.only_known(asked, WITHDRAWAL_FIELDS)
    coin = coin_named(forms.needed_text(asked, "currency"))
    address, extra_id = forms.needed_text(asked, "address"), forms.text(asked, "extra_id")
    check_address(coin, address, extra_id)
    amount = forms.number(asked, "amount")
    if amount is None:
        raise bad_params('"amount" is required')
    exponent = amount.normalize().as_tuple().exponent
    if isinstance(exponent, int) and -exponent > MOST_DECIMALS:
        raise bad_params(f'"amount" must have no more than {MOST_DECIMALS} decimals')
    if amount < least(coin):
        raise refused(f"min amount is {number_text(least(coin))}")
    url = forms.text(asked, "ipn_callback_url") or forms.text(shared, "ipn_callback_url")
    return Withdrawal(
        id=new_id(),
        address=address,
        currency=coin.code,
        amount=amount,
        extra_id=extra_id,
        external_id=forms.text(asked, "unique_external_id"),
        ipn_url=forms.callback({"ipn_callback_url": url}, "") if url else None,
        description=forms.text(shared, "payout_description"),
    )


def verify(world: World, batch: Batch, code: object) -> None:
    """Take the one-time code of this 30-second step or its neighbours, once.

    Raises:
        NowRefusal: 400 for a wrong code, one used for another batch, or after ten tries.
    """
    step = _step_of(world, code)
    used = {other.step for other in world.storage.batches if other is not batch}
    if batch.tries >= VERIFY_TRIES or step is None or step in used or batch.withdrawals[0].status != "CREATING":
        batch.tries += 1
        world.storage.batches.put(batch)
        raise NowRefusal(400, "BAD_REQUEST", "Verification code is incorrect")
    batch.step = step
    _turn(world, batch, "PROCESSING")
    if world.storage.settings.payout_mode == "finish":
        finish(world, batch)


def _step_of(world: World, code: object) -> int | None:
    secret = world.config.nowpayments_totp_secret
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    now = now_ms() // CODE_STEP
    for step in (now, now - 1, now + 1):
        digest = hmac.digest(key, step.to_bytes(8, "big"), hashlib.sha1)
        at = digest[19] & 0xF
        digits = (int.from_bytes(digest[at : at + 4], "big") % 2**31) % 1_000_000
        if hmac.compare_digest(str(code).encode(), f"{digits:06d}".encode()):
            return step
    return None


def finish(world: World, batch: Batch) -> None:
    """The coins are on the chain: a hash and a fee; custody is less by that much."""
    for one in batch.withdrawals:
        coin = COINS[one.currency]
        one.hash, one.fee, one.error = secrets.token_hex(32), coin.quantize(one.amount * FEE), None
        world.storage.settings.custody -= one.amount * coin.usd
    world.storage.save_settings()
    _turn(world, batch, "FINISHED")


def fail(world: World, batch: Batch) -> None:
    """It failed; by the sheet that is not final, and finish may follow."""
    for one in batch.withdrawals:
        one.error = "The transaction was not accepted by the network"
    _turn(world, batch, "FAILED")


def reject(world: World, batch: Batch) -> None:
    """It ends unpaid, as after an hour without a code."""
    _turn(world, batch, "REJECTED")


def current(world: World, batch: Batch) -> Batch:
    """The batch as of now: an hour without its code, and it is rejected."""
    if batch.withdrawals[0].status == "CREATING" and now_ms() > batch.created_at + UNVERIFIED_LIFETIME:
        reject(world, batch)
    return batch


def found(world: World, number: str) -> Batch:
    """By the batch's number.

    Raises:
        NowRefusal: 404.
    """
    batch = world.storage.batches.get(number)
    if batch is None:
        raise not_found("Payout")
    return current(world, batch)


def shown(batch: Batch) -> Fields:
    """The answer of `POST /payout` and `GET /payout/{id}`: ids and amounts are strings, statuses in upper case."""
    rows = [row(batch, one) for one in batch.withdrawals]
    return {"id": batch.id, "createdAt": zulu(batch.created_at), "withdrawals": rows}


def row(batch: Batch, one: Withdrawal) -> Fields:
    """One withdrawal as live answers have it."""
    return {
        "is_request_payouts": False,
        "id": one.id,
        "address": one.address,
        "currency": one.currency,
        "amount": number_text(one.amount),
        "batch_withdrawal_id": batch.id,
        "status": one.status,
        "error": one.error,
        "extra_id": one.extra_id,
        "hash": one.hash,
        "ipn_callback_url": one.ipn_url,
        "payout_description": one.description,
        "unique_external_id": one.external_id,
        "created_at": zulu(batch.created_at),
        "requested_at": zulu(batch.updated_at) if batch.step else None,
        "updated_at": zulu(batch.updated_at),
        "update_history_log": None,
        "rejected_check_attempts": 0,
        "fee": number_text(one.fee) if one.fee is not None else None,
        "fee_paid_by": None,
    }


def listed(world: World, query: Mapping[str, str]) -> Fields:
    """The answer of `GET /payout`: withdrawals, newest first unless `order=asc`; no totals, no filter by our id."""
    limit, page = _whole(query, "limit", 10), _whole(query, "page", 0)
    since, until = (parse(query[name]) if query.get(name) else None for name in ("date_from", "date_to"))
    batches = [current(world, batch) for batch in list(world.storage.batches)]
    batches.sort(key=lambda batch: batch.created_at, reverse=query.get("order", "desc") != "asc")
    rows = [
        row(batch, one)
        for batch in batches
        if (since is None or batch.created_at >= since) and (until is None or batch.created_at < until)
        if query.get("batch_id") in {None, "", batch.id}
        for one in batch.withdrawals
        if query.get("status", one.status).upper() == one.status
    ]
    return {"payouts": rows[page * limit : (page + 1) * limit]}


def _whole(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 6):
        raise bad_params(f'"{name}" must be a number')
    return int(text)


def _turn(world: World, batch: Batch, status: str) -> None:
    batch.updated_at = max(now_ms(), batch.updated_at + 1)
    for one in batch.withdrawals:
        one.status = status
        if one.ipn_url:
            world.sender.send(_notice(world, batch, one))
    world.storage.batches.put(batch)


def _notice(world: World, batch: Batch, one: Withdrawal) -> Notice:
    """The IPN of a withdrawal; it names neither a payment nor the shop's own id."""
    left_out = {"payout_description", "unique_external_id", "update_history_log", "is_request_payouts",
                "rejected_check_attempts", "fee_paid_by"}  # fmt: skip
    members = {name: value for name, value in row(batch, one).items() if name not in left_out}
    return ipn.payout_letter(world, one.ipn_url or "", members)
