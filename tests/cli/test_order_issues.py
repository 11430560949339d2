"""The migration that moves why an order needs a person from a column of texts to rows."""

import asyncpg

from tests.scratch import Scratch
from tests.scratch import scratch as scratch

BEFORE = "2026-11-28T16:10:01:000000"
CAUSES = {
    "none": (None, {}),
    "one": ("sold out at our supplier, and there is no other offer within the price limit", {
        "sold_out": "sold out at our supplier, and there is no other offer within the price limit",
    }),
    "many": (
        "money: paid in TRX instead of BTC: it is owed back · money: paid in XRP instead of BTC: it is owed back"
        " · ledger: off by 0.01, payments say that another amount arrived · A key does not open: its blob is missing"
        " · money: $3.00 is owed back: its refund failed · money: only 1 LTC of 9 USD is credited to us",
        {
            "wrong_coin": "paid in TRX instead of BTC: it is owed back\npaid in XRP instead of BTC: it is owed back",
            "ledger_differs": "ledger: off by 0.01, payments say that another amount arrived",
            "key_broken": "A key does not open: its blob is missing",
            "refund_not_sent": "$3.00 is owed back: its refund failed",
            "settled_low": "only 1 LTC of 9 USD is credited to us",
        },
    ),
    "unknown": ("money: something of an older day · look", {"order_note": "something of an older day\nlook"}),
    "unbelievable": ("money: the payment provider names an amount that can't be", {
        "payment_unbelievable": "the payment provider names an amount that can't be",
    }),
}  # fmt: skip
ORDER = """INSERT INTO customer_order (id, email, status, currency, subtotal, total, created_at, cause)
  VALUES (gen_random_uuid(), $1, 'paid', 'USD', 9, 9, now(), $2) RETURNING id"""


async def test_every_reason_of_an_order_becomes_a_row_and_none_is_lost(scratch: Scratch) -> None:
    await scratch.runs("app.cli", "migrate", "--to", BEFORE)
    shop = await asyncpg.connect(scratch.url)
    try:
        ids = {name: await shop.fetchval(ORDER, f"{name}@shop.test", cause) for name, (cause, _) in CAUSES.items()}
        said = "INSERT INTO event (subject, seq, kind, data, at) VALUES ($1, 1, 'order.paid', '{}', '2026-01-02Z')"
        await shop.execute(said, ids["one"])
        await scratch.runs("app.cli", "migrate")
        for name, (_, wanted) in CAUSES.items():
            rows = await shop.fetch("SELECT * FROM issue WHERE subject = $1", f"order:{ids[name]}")
            assert {row["code"]: row["detail"] for row in rows} == wanted, name
            assert [row["resolved_at"] for row in rows] == [None] * len(wanted)
        at = await shop.fetchval("SELECT opened_at FROM issue WHERE code = 'sold_out'")
        assert str(at)[:10] == "2026-01-02", "it stood when the order's timeline last moved"
        columns = await shop.fetch("SELECT attname FROM pg_attribute WHERE attrelid = 'customer_order'::regclass")
        assert "cause" not in {row["attname"] for row in columns}
    finally:
        await shop.close()
