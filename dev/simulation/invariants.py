"""What must hold when a world has come to rest. The judges are the tables, the triggers and the outside's own books.

Each rule is a function that names its violations in words; an empty list is its yes.
"""

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

from app.audit import service as audit
from app.core import db
from app.core.settings import settings
from app.ledger import queries as ledger
from app.orders.reasons import stands
from dev.simulation.nowpayments import Payment
from dev.simulation.world import World

Rule = Callable[[World], Awaitable[list[str]]]
RULES: list[Rule] = []
AT_ANY_TIME: list[Rule] = []  # those of them that must hold while faults strike, too

DEAD = "EXISTS (SELECT FROM job j WHERE j.subject = p.id AND j.status = 'failed')"
CENT = Decimal("0.01")
OF_SUPPLY = {"sold_out", "price_jump", "supplier_delay", "supply_failed"}  # letters: one each time it goes wrong
# Letters about money, and what there is one of for each: sums that arrived, in the coin asked for or in another, and
# refunds, all of them or by how they ended. A refund that is not sent frees money, which is told of like one arriving.
OF_MONEY = {
    "payment_short": ("arrived",), "money_after_cancel": ("arrived",), "wrong_coin": ("otherwise",),
    "overpaid": ("arrived", "failed"), "payment_late": ("arrived", "failed"), "payment_sent_back": ("back",),
    "payment_failed": ("arrived", "otherwise"),
    "refund_asked": ("refunds",), "refund_paid": ("processed",), "refund_rejected": ("failed",),
}  # fmt: skip
# What no order, payment or reservation ever does, whatever is said to it (design, "States").
BEFORE_MONEY = {"created", "waiting", "confirming", "underpaid", "expired", "cancelled"}
NEVER = {
    "customer_order.status": {
        "paid": BEFORE_MONEY, "fulfilled": BEFORE_MONEY | {"paid", "failed"}, "refunded": {"*"},
        "confirming": {"created", "waiting"}, "waiting": {"created"}, "cancelled": {"created", "waiting"},
    },
    "customer_order.fulfillment_status": {"fulfilled": {"pending", "processing", "failed"}, "processing": {"pending"}},
    "payment.status": {
        "confirming": {"waiting", "expired"}, "confirmed": {"waiting", "confirming", "expired"},
        "sending": {"waiting", "confirming", "confirmed", "expired"},
        "partially_paid": {"waiting", "confirming", "confirmed", "sending", "expired"},
        "finished": {"waiting", "confirming", "confirmed", "sending", "partially_paid", "expired", "failed"},
        "refunded": {"*"},
    },
    "reservation.status": {"delivered": {"requested", "reserved", "ready"}, "ready": {"requested", "reserved"}},
    "job.status": {"completed": {"*"}},
}  # fmt: skip


def rule(check: Rule) -> Rule:
    RULES.append(check)
    return check


def always(check: Rule) -> Rule:
    """A rule that need not wait: once broken it stays so."""
    AT_ANY_TIME.append(check)
    return rule(check)


async def verdict(world: World) -> dict[str, list[str]]:
    """Each broken rule, by its words, with what broke it."""
    # What was cut short has not come to rest, and is judged by what must hold before.
    return (await _broken(AT_ANY_TIME, world) if world.cut_short else {}) or await _broken(RULES, world)


async def _broken(rules: list[Rule], world: World) -> dict[str, list[str]]:
    found = {(check.__doc__ or "").strip(): await check(world) for check in rules}
    return {words: broken for words, broken in found.items() if broken}


async def at_rest(world: World) -> bool:
    """Whether what takes its time has come to its end: looks at payments become rare as these grow old."""
    return not any([await check(world) for check in (money_is_seen, all_is_booked, none_forgotten)])


async def beyond_repair(world: World) -> bool:
    """Whether a rule is broken for good, so that there is nothing left to wait for."""
    return any([await check(world) for check in AT_ANY_TIME])


async def _ids(sql: str, *args: Any) -> list[str]:
    return [" ".join(str(value) for value in row.values()) for row in await db.fetch(sql, *args)]


@rule
async def none_forgotten(_world: World) -> list[str]:
    """Every paid order is fulfilled, refunded, or on the admin's list with a reason."""
    return await _ids(
        f"""SELECT p.id, p.status FROM customer_order p WHERE paid_at IS NOT NULL AND NOT {stands("p")}
            AND p.status NOT IN ('fulfilled', 'refunded') AND NOT {DEAD} ORDER BY p.id"""
    )


@rule
async def none_picked_up(_world: World) -> list[str]:
    """No paid order's work was lost, so that the net below had to catch it."""
    return await _ids("SELECT subject, at FROM event WHERE kind = 'supply.picked_up' ORDER BY subject, seq")


def _worth(payments: list[Payment], total: Decimal) -> Decimal:
    """What arrived in a coin that was asked for, in the shop's currency, by the provider's books."""
    asked = {p.pay_currency for p in payments if p.parent_id is None}
    arrived = [p for p in payments if p.status in {"finished", "partially_paid"} and p.pay_currency in asked]
    return sum((p.actually_paid / p.pay_amount * total for p in arrived), Decimal(0))


@rule
async def only_for_money(world: World) -> list[str]:
    """Nothing was bought or delivered without its money."""
    rows = await db.fetch(
        """SELECT id, total FROM customer_order p WHERE status IN ('paid', 'fulfilled')
           OR EXISTS (SELECT FROM reservation WHERE order_id = p.id) ORDER BY id"""
    )
    slack = settings().underpaid_tolerance_amount + CENT
    found = []
    for row in rows:
        worth = _worth(world.nowpayments.of_order(str(row["id"])), row["total"])
        if worth < row["total"] * Decimal("0.99") - slack:
            found.append(f"{row['id']} had {worth:.2f} of {row['total']}")
    return found


@rule
async def money_is_seen(world: World) -> list[str]:
    """Money that arrived is never forgotten: its order has an outcome or waits for a person."""
    decided = "EXISTS (SELECT FROM money_use u WHERE u.order_id = p.id AND u.status <> 'released')"
    rows = await db.fetch(
        f"""SELECT id, status, {stands("p")} AS waits, {DEAD} OR {decided} AS dead FROM customer_order p
            ORDER BY id"""
    )
    found = []
    for row in rows:
        money = [p for p in world.nowpayments.of_order(str(row["id"])) if p.status in {"finished", "partially_paid"}]
        quiet = not row["waits"] and not row["dead"]
        if money and quiet and row["status"] in {"created", "waiting", "confirming", "expired", "cancelled", "failed"}:
            found.append(f"{row['id']} is {row['status']} and got {[str(p.actually_paid) for p in money]}")
    return found


@rule
async def books_agree(world: World) -> list[str]:
    """What we say arrived is what the payment provider's books say."""
    rows = await db.fetch(
        """SELECT provider_payment_id AS id, actually_paid, status FROM payment
           WHERE status IN ('finished', 'partially_paid') ORDER BY id"""
    )
    books = world.nowpayments.payments
    return [f"payment {r['id']}" for r in rows if books[r["id"]].actually_paid != r["actually_paid"]]


@rule
async def all_is_booked(world: World) -> list[str]:
    """What the customers sent, in whatever coin, is booked as received."""
    rows = await db.fetch(
        f"""SELECT p.id, coalesce(sum(amount) FILTER (WHERE account = 'received'), 0) AS booked FROM customer_order p
            LEFT JOIN ledger_entry e ON e.order_id = p.id WHERE NOT {DEAD} GROUP BY p.id ORDER BY p.id"""
    )
    found = []
    for row in rows:
        arrived = [p for p in world.nowpayments.of_order(str(row["id"])) if p.status in {"finished", "partially_paid"}]
        sent = sum((p.actually_paid / p.pay_amount * p.price_amount for p in arrived), Decimal(0))
        if abs(sent - row["booked"]) > CENT * (1 + len(arrived)):
            found.append(f"{row['id']}: {sent:.2f} arrived, {row['booked']} booked")
    return found


@rule
async def jobs_are_done(_world: World) -> list[str]:
    """No job is left pending or processing."""
    return await _ids("SELECT name, id, status FROM job WHERE status IN ('pending', 'processing') ORDER BY id")


@always
async def one_at_a_time(_world: World) -> list[str]:
    """A job has one holder at a time, and takes effect once."""
    return await _ids(
        """SELECT id, before, count(*) FROM sim_move WHERE place = 'job.status' AND after = 'processing'
           AND before <> 'pending' GROUP BY id, before ORDER BY id"""
    )


@always
async def never_back(_world: World) -> list[str]:
    """Nothing was moved back."""
    rows = await db.fetch("SELECT place, id, before, after FROM sim_move WHERE before <> after ORDER BY n")
    found = []
    for row in rows:
        forbidden = NEVER.get(row["place"], {}).get(row["before"], set())
        if row["after"] in forbidden or "*" in forbidden:
            found.append(f"{row['place']} {row['id']}: {row['before']} -> {row['after']}")
    return found


@rule
async def gapless(_world: World) -> list[str]:
    """Each timeline is numbered without a gap."""
    return await _ids(
        """SELECT t.subject, t.last_seq, count(e.seq) FROM timeline t LEFT JOIN event e ON e.subject = t.subject
           GROUP BY t.subject, t.last_seq HAVING count(e.seq) <> t.last_seq ORDER BY 1"""
    )


@always
async def nothing_unforeseen(world: World) -> list[str]:
    """Nothing broke but by a fault of this world."""
    return sorted(Counter(f"{name}: {type(error).__name__}: {error}"[:300] for name, error in world.scheduler.broken
                          if "simulation" not in type(error).__module__))  # fmt: skip


@always
async def letters_once(world: World) -> list[str]:
    """Each letter went out once, and of those about money no more than the sums and refunds they are about."""
    rows = await db.fetch(
        """SELECT p.id, p.email, count(r.id) AS refunds, count(r.id) FILTER (WHERE r.status = 'processed') AS processed,
             count(r.id) FILTER (WHERE r.status = 'failed') AS failed
           FROM customer_order p LEFT JOIN refund r ON r.order_id = p.id WHERE p.email IS NOT NULL GROUP BY p.id"""
    )
    of_whom = {row["email"]: dict(row) | arrivals(world.nowpayments.of_order(str(row["id"]))) for row in rows}
    return too_many(world.resend.sent, of_whom)


def arrivals(payments: list[Payment]) -> dict[str, int]:
    """How many sums arrived for an order by the provider's books, in the coin asked for or ``otherwise``, and how many
    it sent ``back``. A further deposit was asked for in its parent's coin."""
    coins = {p.id: p.pay_currency for p in payments}
    came = [p for p in payments if p.actually_paid]
    right = [p for p in came if coins.get(p.parent_id or p.id) == p.pay_currency]
    back = sum(p.status == "refunded" for p in came)
    return {"arrived": len(right), "otherwise": len(came) - len(right), "back": back}


def too_many(sent: list[tuple[str, str, str]], of_whom: dict[str, dict[str, Any]]) -> list[str]:
    """Letters that went out more often than they may, of ``sent`` (see ``Resend``); ``of_whom``: by recipient, how many
    there are of each thing that OF_MONEY names."""
    again: list[tuple[tuple[str, ...], int, int]] = [(one, times, 1) for one, times in Counter(sent).items()]
    kinds = Counter((to, kind) for to, kind, _ in sent if kind not in OF_SUPPLY)
    for (to, kind), times in kinds.items():
        there = of_whom.get(to, {})
        most = sum(there.get(thing, 0) for thing in OF_MONEY[kind]) if kind in OF_MONEY else 1
        again.append(((to, kind), times, most))
    return [f"{one}: {times} times, at most {most}" for one, times, most in sorted(again) if times > most]


@rule
async def letters_sent(world: World) -> list[str]:
    """Whoever has a key has the letter that says so."""
    rows = await db.fetch(
        f"""SELECT email, {DEAD} AS dead FROM customer_order p WHERE status = 'fulfilled' AND merchant_id IS NULL
            AND frozen_at IS NULL ORDER BY id"""
    )
    return [r["email"] for r in rows if (r["email"], "key_ready") not in world.resend.seen and not r["dead"]]


@always
async def bought_once(world: World) -> list[str]:
    """The supplier charged at most once for each unit."""
    rows = await db.fetch("SELECT id, quantity FROM reservation ORDER BY id")
    units = {str(row["id"]): row["quantity"] for row in rows}
    found = []
    for external_id, orders in sorted(world.kinguin.by_external.items()):
        bought = sum(order.quantity for order in orders)
        if len(orders) > 1 or bought > units.get(external_id, 0):
            found.append(f"{external_id}: {bought} units in {len(orders)} orders, wanted {units.get(external_id)}")
    return found


@rule
async def charges_known(world: World) -> list[str]:
    """What the supplier charged is what our reservations say, order by order."""
    rows = await db.fetch(f"SELECT r.id, r.supplier_order_id, charged, {DEAD} AS dead FROM reservation r "
                          "JOIN customer_order p ON p.id = r.order_id ORDER BY r.id")  # fmt: skip
    ours = {row["supplier_order_id"]: row["charged"] for row in rows if row["supplier_order_id"]}
    excused = {str(row["id"]) for row in rows if row["dead"]}
    theirs = {order.id: order.charged for order in world.kinguin.orders.values()}
    lost = [order.id for order in world.kinguin.orders.values() if order.external_id in excused]
    return [f"supplier's order {n}: {theirs.get(n)} and {ours.get(n)}" for n in sorted(ours.keys() | theirs.keys())
            if ours.get(n) != theirs.get(n) and n not in lost]  # fmt: skip


@rule
async def one_key_a_unit(_world: World) -> list[str]:
    """One unit has one key or its money back, and a fulfilled item has all that are not taken back."""
    return await _ids(
        """SELECT i.id, i.status, i.quantity, count(k.id) FROM order_item i
           LEFT JOIN sealed_key k ON k.item_id = i.id GROUP BY i.id, i.status, i.quantity, i.withdrawn
           HAVING count(k.id) > i.quantity - i.withdrawn
             OR i.status = 'fulfilled' AND count(k.id) <> i.quantity - i.withdrawn ORDER BY i.id"""
    )


@always
async def the_right_key(world: World) -> list[str]:
    """Who revealed a key was shown the one bought for them, and nobody else was."""
    rows = await db.fetch("SELECT k.id, k.supplier_key_id, r.supplier_order_id FROM sealed_key k "
                          "JOIN reservation r ON r.item_id = k.item_id")  # fmt: skip
    rows_by_key = {row["id"]: row for row in rows}
    serials = {key["id"]: key["serial"] for order in world.kinguin.orders.values() for key in order.keys}
    owners: dict[str, set[Any]] = defaultdict(set)
    found = []
    for shown in world.customers.shown:
        row = rows_by_key[shown.key_id]
        owners[shown.serial].add(shown.item_id)
        if shown.serial != serials[row["supplier_key_id"]]:
            found.append(f"{shown.order_id} saw another key")
    return found + [f"{serial} was shown for two items" for serial, items in owners.items() if len(items) > 1]


@always
async def revealed_and_written(world: World) -> list[str]:
    """A reveal and its audit line stand together, and nothing was shown without them."""
    apart = await _ids(
        """SELECT k.id FROM sealed_key k WHERE (revealed_at IS NOT NULL) <> (
             EXISTS (SELECT FROM audit_line a WHERE a.key_id = k.id AND a.action = 'key.revealed')) ORDER BY k.id"""
    )
    told = {row["id"] for row in await db.fetch("SELECT id FROM sealed_key WHERE revealed_at IS NOT NULL")}
    return apart + [f"{s.key_id} was shown unwritten" for s in world.customers.shown if s.key_id not in told]


@always
async def first_once(world: World) -> list[str]:
    """Of all that reveal a key, one at the most is told to be the first."""
    firsts = Counter(shown.key_id for shown in world.customers.shown if shown.first)
    return [str(key_id) for key_id, times in firsts.items() if times > 1]


@rule
async def books_balance(_world: World) -> list[str]:
    """The ledger is right for every order, to the cent."""
    return [f"{one.order_id}: {one.why}, off by {one.amount}" for one in await ledger.differences(1000)]


@always
async def uses_fit(world: World) -> list[str]:
    """What an order's money is used for never exceeds what came in, whoever chose what at once."""
    return await _ids(
        """SELECT u.order_id, u.used, coalesce(e.received, 0) AS received FROM (
             SELECT order_id, sum(amount - from_price) AS used FROM money_use WHERE status <> 'released'
             GROUP BY order_id) u
           LEFT JOIN (SELECT order_id, sum(amount) AS received FROM ledger_entry WHERE account = 'received'
             GROUP BY order_id) e ON e.order_id = u.order_id
           WHERE u.used > coalesce(e.received, 0) ORDER BY u.order_id"""
    )


@always
async def promised_once(world: World) -> list[str]:
    """No money is promised twice: refunds that may leave, credit and goods are no more than the customer sent."""
    rows = await db.fetch(
        """SELECT p.id, p.total,
             (SELECT sum(unit_price * (quantity - withdrawn)) / nullif(sum(unit_price * quantity), 0)
              FROM order_item i WHERE i.order_id = p.id) AS kept,
             p.merchant_id IS NULL AND p.status = 'fulfilled' AND p.frozen_at IS NULL AS delivered,
             coalesce((SELECT sum(amount) FROM refund r WHERE r.order_id = p.id AND r.status <> 'failed'), 0) AS back,
             coalesce((SELECT sum(-amount) FROM ledger_entry e WHERE e.order_id = p.id AND account = 'credit'), 0)
               AS credit
           FROM customer_order p WHERE EXISTS (SELECT FROM refund r WHERE r.order_id = p.id)
             OR EXISTS (SELECT FROM credit c WHERE c.from_order = p.id) ORDER BY p.id"""
    )
    found = []
    for row in rows:
        arrived = [p for p in world.nowpayments.of_order(str(row["id"])) if p.actually_paid]
        sent = sum((p.actually_paid / p.pay_amount * p.price_amount for p in arrived), Decimal(0))
        kept = row["kept"] if row["kept"] is not None else Decimal(1)  # what was struck off was paid back
        goods = row["total"] * kept * Decimal("0.99") if row["delivered"] else Decimal(0)
        out = row["back"] + row["credit"] + goods
        if out > sent + CENT * (1 + len(arrived)):
            found.append(f"{row['id']}: {sent:.2f} sent, {out:.2f} promised")
    return found


@rule
async def choices_are_kept(_world: World) -> list[str]:
    """What a customer chose to have back is a refund, to the cent."""
    return await _ids(
        """SELECT order_id, amount, reference FROM money_use WHERE status = 'reserved'
           AND (reference LIKE 'choice:%' OR reference LIKE 'withdrawal:%') ORDER BY order_id"""
    )


@rule
async def chain_holds(_world: World) -> list[str]:
    """The audit log is one unbroken chain."""
    fault = (await audit.verify()).fault
    return [str(fault)] if fault else []
