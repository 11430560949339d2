"""A shop of the release before, brought up to date: each order's uses of money and codes come out as they were."""

from decimal import Decimal
from uuid import UUID, uuid4

from tests.audit.test_migrating import Scratch
from tests.audit.test_migrating import scratch as scratch

BEFORE = "2026-11-21T20:51:10:185440"  # the last migration of the release before


class OldShop:
    """Rows as the release before wrote them, for a USD shop."""

    def __init__(self, database: Scratch) -> None:
        self.database = database

    async def order(
        self, status: str, total: str = "20.00", *, paid: bool = False, code: str = "", off: str = "0"
    ) -> UUID:
        order_id = uuid4()
        await self.database.fetch(
            """INSERT INTO purchase (id, email, status, currency, subtotal, discount, total, discount_code, created_at,
                 paid_at)
               VALUES ($1, 'ann@bücher.de', $2, 'USD', $3::numeric + $4::numeric, $4, $3, nullif($5, ''),
                 now() - interval '1 day', CASE WHEN $6 THEN now() - interval '1 day' END)""",
            order_id, status, Decimal(total), Decimal(off), code, paid,
        )  # fmt: skip
        return order_id

    async def books(self, order_id: UUID, kind: str, reference: str, **sides: str) -> None:
        assert sum(map(Decimal, sides.values())) == 0
        posting = uuid4()
        for account, amount in sides.items():
            await self.database.fetch(
                """INSERT INTO ledger_entry (posting, order_id, kind, reference, currency, at, account, amount)
                   VALUES ($1, $2, $3, $4, 'USD', now() - interval '1 day', $5, $6)""",
                posting, order_id, kind, reference, account, Decimal(amount),
            )  # fmt: skip

    async def paid(self, order_id: UUID, price: str = "20.00") -> None:
        await self.books(order_id, "receive", "payment:1", received=price, customer=f"-{price}")
        await self.books(order_id, "charge", f"order:{order_id}", customer=price, sales=f"-{price}")

    async def credit(self, order_id: UUID, amount: str, code: str) -> None:
        await self.books(order_id, "credit", "credit:choice", customer=amount, credit=f"-{amount}")
        await self.database.fetch(
            """INSERT INTO credit (code, email, amount, currency, from_order, created_at)
               VALUES ($1, 'ann@bücher.de', $2, 'USD', $3, now())""",
            code, Decimal(amount), order_id,
        )  # fmt: skip

    async def refund(self, order_id: UUID, amount: str, status: str, *, old: int = 0) -> UUID:
        """A refund, ``old`` minutes ago; of a processed one also what the books say."""
        refund_id = uuid4()
        await self.database.fetch(
            """INSERT INTO refund (id, order_id, status, amount, currency, created_at, ended_at)
               VALUES ($1, $2, $3::text, $4, 'USD', now() - make_interval(mins => $5),
                 CASE WHEN $3::text IN ('processed', 'failed') THEN now() END)""",
            refund_id, order_id, status, Decimal(amount), old,
        )  # fmt: skip
        if status == "processed":
            await self.books(order_id, "refund", f"refund:{refund_id}", sales=amount, refunded=f"-{amount}")
        return refund_id

    async def uses(self, order_id: UUID) -> list[tuple[str, str, str, str]]:
        rows = await self.database.fetch(
            """SELECT kind, status, amount::numeric(12, 2)::text, from_price::numeric(12, 2)::text FROM money_use
               WHERE order_id = $1 AND status <> 'released' ORDER BY kind, created_at, amount""",
            order_id,
        )
        return [tuple(row) for row in rows]


async def test_no_order_of_before_has_more_uses_than_money_and_none_is_left_out(scratch: Scratch) -> None:
    await scratch.runs("app.cli", "migrate", "--to", BEFORE)
    shop = OldShop(scratch)
    plain = await shop.order("fulfilled", paid=True)
    await shop.paid(plain)
    whole = await shop.order("refunded", paid=True)
    await shop.paid(whole)
    await shop.refund(whole, "20.00", "processed")
    parts = await shop.order("fulfilled", paid=True)
    await shop.paid(parts)
    await shop.refund(parts, "3.00", "failed", old=9)
    await shop.refund(parts, "5.00", "processed", old=5)
    await shop.refund(parts, "15.00", "pending")
    over = await shop.order("fulfilled", paid=True)
    await shop.books(over, "receive", "payment:1", received="33.05", customer="-33.05")
    await shop.books(over, "charge", f"order:{over}", customer="33.05", sales="-20.00", owed="-13.05")
    await shop.refund(over, "13.05", "pending", old=2)
    await shop.refund(over, "20.00", "processing", old=1)
    short = await shop.order("paid", paid=True)
    await shop.books(short, "receive", "payment:1", received="19.90", customer="-19.90")
    await shop.books(short, "charge", f"order:{short}", customer="19.90", sales="-20.00", tolerance="0.10")
    credited = await shop.order("expired")
    await shop.books(credited, "receive", "payment:1", received="12.00", customer="-12.00")
    await shop.credit(credited, "12.00", "CR-ONE")
    both = await shop.order("expired")
    await shop.books(both, "receive", "payment:1", received="12.00", customer="-12.00")
    asked_too = await shop.refund(both, "12.00", "pending", old=3)
    await shop.credit(both, "12.00", "CR-TWO")
    unpaid = await shop.order("waiting")
    await scratch.runs("app.cli", "migrate")
    assert await shop.uses(plain) == [("price", "spent", "20.00", "0.00")]
    assert await shop.uses(whole) == [("price", "spent", "20.00", "0.00"), ("refund", "spent", "20.00", "20.00")]
    assert await shop.uses(parts) == [
        ("price", "spent", "20.00", "0.00"), ("refund", "spent", "5.00", "5.00"),
        ("refund", "reserved", "15.00", "15.00"),
    ]  # fmt: skip
    assert await shop.uses(over) == [
        ("price", "spent", "20.00", "0.00"), ("refund", "reserved", "13.05", "0.00"),
        ("refund", "reserved", "20.00", "20.00"),
    ]  # fmt: skip
    assert await shop.uses(short) == [("price", "spent", "19.90", "0.00")]
    assert await shop.uses(credited) == [("credit", "spent", "12.00", "0.00")]
    assert await shop.uses(both) == [("credit", "spent", "12.00", "0.00")], (
        "the credit was given, the refund was not sent"
    )
    assert await shop.uses(unpaid) == []
    [ended] = await scratch.fetch("SELECT status, error FROM refund WHERE id = $1", asked_too)
    assert ended["status"] == "failed"
    assert "credit" in ended["error"]
    issues = await scratch.fetch("SELECT subject, code FROM issue WHERE resolved_at IS NULL")
    assert [tuple(row) for row in issues] == [(f"order:{both}", "refund_uncovered")]
    more = await scratch.fetch(
        """SELECT order_id FROM money_use u WHERE status <> 'released' GROUP BY order_id
           HAVING sum(amount - from_price) > (SELECT coalesce(sum(amount), 0) FROM ledger_entry e
             WHERE e.order_id = u.order_id AND account = 'received')"""
    )
    assert more == []


async def test_codes_of_before_are_free_again_where_their_order_came_to_nothing_and_nowhere_else(
    scratch: Scratch,
) -> None:
    await scratch.runs("app.cli", "migrate", "--to", BEFORE)
    shop = OldShop(scratch)
    await scratch.fetch(
        "INSERT INTO discount (id, code, percent, used, max_uses) VALUES (gen_random_uuid(), 'TEN', 10, 6, 6)"
    )
    took = {
        status: await shop.order(status, code="TEN", off="2.00", paid=paid)
        for status, paid in (
            ("fulfilled", True),
            ("waiting", False),
            ("expired", False),
            ("cancelled", False),
            ("refunded", True),
        )
    }
    lost = await shop.order("failed", code="TEN", off="2.00")
    source = await shop.order("expired")
    await shop.books(source, "receive", "payment:1", received="12.00", customer="-12.00")
    await shop.credit(source, "12.00", "CR-ONE")
    await scratch.fetch("UPDATE credit SET amount = 5, spent_at = now() WHERE code = 'CR-ONE'")
    claimed = await shop.order("fulfilled", code="CR-ONE", off="7.00", paid=True)
    given_back = await shop.order("expired", code="CR-ONE", off="3.00")  # its 3.00 are in the 5.00 already
    await scratch.runs("app.cli", "migrate")
    assert [tuple(row) for row in await scratch.fetch("SELECT used, max_uses FROM discount WHERE code = 'TEN'")] == [
        (2, 6)
    ]
    rows = await scratch.fetch("SELECT order_id, code, amount::text, released_at IS NULL AS uses FROM code_use")
    found = {row["order_id"]: (row["code"], row["amount"], row["uses"]) for row in rows}
    assert found == {
        took["fulfilled"]: ("TEN", "2.00", True), took["waiting"]: ("TEN", "2.00", True),
        took["expired"]: ("TEN", "2.00", False), took["cancelled"]: ("TEN", "2.00", False),
        took["refunded"]: ("TEN", "2.00", False), lost: ("TEN", "2.00", False),
        claimed: ("CR-ONE", "7.00", True), given_back: ("CR-ONE", "3.00", False),
    }  # fmt: skip
    assert [str(row["amount"]) for row in await scratch.fetch("SELECT amount FROM credit")] == ["5.00"]
    emails = await scratch.fetch("SELECT DISTINCT email FROM purchase UNION SELECT email FROM credit")
    assert [row["email"] for row in emails] == ["ann@xn--bcher-kva.de"]
