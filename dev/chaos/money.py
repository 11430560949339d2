"""What must be true of received money: no order uses more than came in, and a refund leaves once, as it was reserved.

The uses by the table of uses, what is promised by refunds and credit themselves, what left by the provider's books.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import msgspec

from dev.environment import Environment
from dev.sandbox.nowpayments.coins import COINS

CENT = Decimal("0.01")
MOST_TOLERATED = Decimal("0.99")  # of the price: what is missing of an accepted payment
GONE = "FINISHED"  # a payout whose coins have left


class OrderMoney(msgspec.Struct, frozen=True):
    """An order's money in its currency. ``used``: what uses hold of it. ``going_back``: refunds that have not failed,
    and credit. ``goods``: the price of what was delivered by the shop."""

    order_id: str
    merchants: bool
    received: Decimal
    used: Decimal
    going_back: Decimal
    goods: Decimal


class RefundMoney(msgspec.Struct, frozen=True):
    """``reserved``: by uses of the name of this refund. ``by_provider``: whether a payout sends it, or people and plays
    do."""

    refund_id: str
    status: str
    amount: Decimal
    reserved: Decimal
    spent: bool
    by_provider: bool


class PayoutMoney(msgspec.Struct, frozen=True):
    """One withdrawal in the provider's books. ``worth``: its coins in USD."""

    name: str
    status: str
    worth: Decimal


class Money(msgspec.Struct):
    """All that is on record about money, ours and the provider's."""

    orders: list[OrderMoney]
    refunds: list[RefundMoney]
    payouts: list[PayoutMoney]


ORDERS = """SELECT p.id::text AS order_id, p.merchant_id IS NOT NULL AS merchants, e.received,
    coalesce((SELECT sum(amount - from_price) FROM money_use u
      WHERE u.order_id = p.id AND status <> 'released'), 0) AS used,
    e.credit + coalesce((SELECT sum(amount) FROM refund r WHERE r.order_id = p.id AND status <> 'failed'), 0)
      AS going_back,
    CASE WHEN p.merchant_id IS NULL AND p.status = 'fulfilled' AND p.frozen_at IS NULL THEN p.total ELSE 0 END AS goods
  FROM customer_order p, LATERAL (
    SELECT coalesce(sum(amount) FILTER (WHERE account = 'received'), 0) AS received,
      coalesce(sum(-amount) FILTER (WHERE account = 'credit'), 0) AS credit
    FROM ledger_entry e WHERE e.order_id = p.id) e"""
REFUNDS = """SELECT r.id::text AS refund_id, r.status, r.amount, NOT r.by_hand AND NOT p.test AS by_provider,
    coalesce(u.reserved, 0) AS reserved, coalesce(u.spent, false) AS spent
  FROM refund r JOIN customer_order p ON p.id = r.order_id, LATERAL (
    SELECT sum(amount) AS reserved, bool_and(status = 'spent') AS spent FROM money_use u
    WHERE u.order_id = r.order_id AND kind = 'refund' AND reference = 'refund:' || r.id AND status <> 'released') u"""


async def read(env: Environment) -> Money:
    """Every order's money, every refund, every payout."""
    batches = await env.asks("GET", "/payouts")
    return Money(
        orders=msgspec.convert(await env.rows(ORDERS), list[OrderMoney]),
        refunds=msgspec.convert(await env.rows(REFUNDS), list[RefundMoney]),
        payouts=[_payout(one) for batch in batches for one in batch["withdrawals"]],
    )


def _payout(one: dict[str, Any]) -> PayoutMoney:
    worth = Decimal(str(one["amount"])) * COINS[one["currency"]].usd
    return PayoutMoney(one["unique_external_id"] or "", one["status"], worth)


def uses(money: Money) -> Iterator[str]:
    """An order's uses never exceed what came in, nor does what is promised of it by refunds, credit and goods."""
    for it in money.orders:
        if it.used > it.received:
            yield f"order {it.order_id}: {it.used} used, {it.received} came in"
        promised = it.going_back + it.goods * MOST_TOLERATED
        if promised > it.received + CENT:
            yield f"order {it.order_id}: {promised} promised, {it.received} came in"
    used, received = (sum((getattr(it, name) for it in money.orders), Decimal(0)) for name in ("used", "received"))
    if used > received:
        yield f"all orders: {used} used, {received} came in"


def refunds(money: Money) -> Iterator[str]:
    """What leaves is reserved; it leaves once, and no more than that."""
    sent = _sent(money)
    for it in money.refunds:
        payouts, name = sent.pop(it.refund_id, []), f"refund {it.refund_id}"
        if it.reserved != (Decimal(0) if it.status == "failed" else it.amount):
            yield f"{name} is {it.status} of {it.amount}, and {it.reserved} is reserved for it"
        if it.spent != (it.status == "processed"):
            yield f"{name} is {it.status}, and its money is {'spent' if it.spent else 'not spent'}"
        least = it.status == "processed" and it.by_provider
        most = it.status in {"processing", "processed"} and it.by_provider  # just sent, and not heard of yet
        if not least <= len(payouts) <= most:
            yield f"{name} is {it.status}, and was sent {len(payouts)} times at the provider"
        if (worth := sum((one.worth for one in payouts), Decimal(0))) > it.reserved + CENT:
            yield f"{name}: {worth} sent at the provider, {it.reserved} reserved"
    for refund_id, payouts in sent.items():
        yield f"{len(payouts)} payouts sent for {refund_id or 'nothing'}, which is no refund of ours"


def _sent(money: Money) -> dict[str, list[PayoutMoney]]:
    """Payouts whose coins have left, by the refund that their name (``<refund>-<attempt>``) begins with."""
    sent: dict[str, list[PayoutMoney]] = defaultdict(list)
    for one in money.payouts:
        if one.status.upper() == GONE:
            sent[one.name.rpartition("-")[0]].append(one)
    return sent


def counts(money: Money) -> dict[str, str]:
    """What each rule looked at."""
    used = [it for it in money.orders if it.used]
    total, came = (sum((getattr(it, name) for it in money.orders), Decimal(0)) for name in ("used", "received"))
    by = Counter(it.status for it in money.refunds)
    sent = sum(map(len, _sent(money).values()))
    return {
        "uses": f"{len(used)} orders with uses, {sum(it.merchants for it in used)} of them merchants': "
        f"{total} used of {came}",
        "refunds": f"{by.total()} refunds ({', '.join(f'{n} {status}' for status, n in sorted(by.items()))}), "
        f"{sent} sent by payout",
    }


CHECKS = {"uses": uses, "refunds": refunds}
