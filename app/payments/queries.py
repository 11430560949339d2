"""Reading payments."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from app.core import clock, db
from app.core.db import Write
from app.orders.queries import looked_up
from app.payments import models
from app.payments.api_status import in_sql
from app.payments.classify import COUNTS, UNASKED, UNCLEAR, Outcome
from app.payments.models import Coin, MerchantPayment
from app.payments.tables import Payment

COINS_KEPT = timedelta(seconds=10)  # they are read from the provider every five minutes
# What came while the order was given up counts again once that is taken back (a refund that is turned down).
TOWARDS_PRICE = sorted(COUNTS | {Outcome.NOT_NEEDED})
MAY_COUNT = sorted({Outcome.UNDERPAID, Outcome.LATE} | UNCLEAR)  # what may still pay an order
_coins: tuple[datetime, list[Coin]] = (clock.now() - 2 * COINS_KEPT, [])


async def one(payment_id: UUID) -> models.Payment | None:
    return await db.fetch_one_as(models.Payment, "SELECT * FROM payment WHERE id = $1", payment_id)


def insertion(values: Mapping[str, Any], now: datetime) -> Write:
    """A new attempt's row, waiting, as a write; ``values`` by column, the order's next ``attempt`` among them."""
    row = {"provider": "nowpayments", "status": "waiting", "created_at": now, "updated_at": now, **values}
    marks = ", ".join(f"${number}" for number in range(1, len(row) + 1))
    return Write(f"INSERT INTO payment ({', '.join(row)}) VALUES ({marks}) RETURNING *", tuple(row.values()))  # noqa: S608


async def insert(values: dict[str, object], now: datetime) -> None:
    """A new attempt's row, waiting, with the order's next number. The order must be locked."""
    number = await db.fetch_value(
        "SELECT coalesce(max(attempt), 0) + 1 FROM payment WHERE order_id = $1", values["order_id"]
    )
    fixed = {"provider": "nowpayments", "attempt": number, "status": "waiting", "created_at": now, "updated_at": now}
    await Payment.insert(Payment(**{**fixed, **values}))


async def touch(payment_id: UUID) -> None:
    """Note that what merchants are shown of a payment has changed, though by no report about it."""
    await db.fetch("UPDATE payment SET updated_at = $2 WHERE id = $1", payment_id, clock.now())


async def by_provider_id(provider_payment_id: str, *, lock: bool = False) -> models.Payment | None:
    sql = "SELECT * FROM payment WHERE provider_payment_id = $1"
    return await db.fetch_one_as(models.Payment, f"{sql} FOR UPDATE" if lock else sql, provider_payment_id)


async def of_order(order_id: UUID) -> list[models.Payment]:
    """All attempts, the newest first."""
    return await db.fetch_as(
        models.Payment, "SELECT * FROM payment WHERE order_id = $1 ORDER BY attempt DESC", order_id
    )


async def incomplete(order_id: UUID, provider_payment_id: str | None, coin: str | None) -> UUID | None:
    """The payment that a further deposit in the same coin completes: one that was short, or ended without money."""
    found: UUID | None = await db.fetch_value(
        """SELECT id FROM payment WHERE order_id = $1 AND provider_payment_id = $2 AND pay_currency = lower($3)
           AND (outcome = 'underpaid' OR value = 0 AND status IN ('failed', 'expired', 'refunded'))""",
        order_id, provider_payment_id, coin,
    )  # fmt: skip
    return found


# Towards the price counts what was sent for it, as far as it was not given back or promised otherwise (``money_use``).
_TOWARDS_PRICE = """least(
    coalesce(sum(value) FILTER (WHERE outcome = ANY($2)), 0),
    coalesce(sum(value), 0) - (SELECT coalesce(sum(amount - from_price), 0) FROM money_use
      WHERE order_id = $1 AND kind IN ('refund', 'credit') AND status <> 'released'))"""


async def received(order_id: UUID, *, but: UUID | None = None) -> Decimal:
    """What the order's payments have brought towards its price and is still there for it, in its currency.

    Of all ``but`` one it is below zero where more goes back than the others brought: that one has to make up for it.
    """
    found: Decimal = await db.fetch_value(
        f"SELECT {_TOWARDS_PRICE} FROM payment WHERE order_id = $1 AND id IS DISTINCT FROM $3",  # noqa: S608
        order_id, TOWARDS_PRICE, but,
    )  # fmt: skip
    return found if but is not None else max(found, Decimal(0))


async def rate_held(order_id: UUID) -> bool:
    """Whether the rate of any of the order's attempts is still held."""
    return bool(
        await db.fetch_value(
            "SELECT EXISTS (SELECT FROM payment WHERE order_id = $1 AND expires_at > $2)", order_id, clock.now()
        )
    )


async def largest(order_id: UUID) -> models.Payment | None:
    """The payment that brought the most towards the price: what a top-up completes."""
    return await db.fetch_one_as(
        models.Payment,
        "SELECT * FROM payment WHERE order_id = $1 AND outcome = ANY($2) ORDER BY value DESC, attempt LIMIT 1",
        order_id, sorted(COUNTS),
    )  # fmt: skip


async def others_open(order_id: UUID, but: UUID) -> bool:
    """Whether another attempt can still bring money, or has brought some that counts or that a person looks at."""
    return bool(
        await db.fetch_value(
            """SELECT EXISTS (SELECT FROM payment WHERE order_id = $1 AND id <> $2 AND provider_payment_id IS NOT NULL
               AND (status IN ('waiting', 'confirming', 'confirmed', 'sending') AND parent_payment_id IS NULL
                 OR outcome = ANY($3)))""",
            order_id, but, MAY_COUNT,
        )
    )  # fmt: skip


async def others_in_flight(order_id: UUID, but: UUID) -> bool:
    return bool(
        await db.fetch_value(
            """SELECT EXISTS (SELECT FROM payment WHERE order_id = $1 AND id <> $2
               AND status IN ('confirming', 'confirmed', 'sending'))""",
            order_id,
            but,
        )
    )


async def topping_up(order_id: UUID) -> bool:
    """Whether an attempt at the rest of the price waits for it, or is about to be made."""
    return bool(
        await db.fetch_value(
            """SELECT EXISTS (SELECT FROM payment WHERE order_id = $1 AND tops_up IS NOT NULL
                 AND status IN ('waiting', 'confirming', 'confirmed', 'sending'))
               OR EXISTS (SELECT FROM job WHERE subject = $1 AND name = 'payments.top_up'
                 AND status IN ('pending', 'processing'))""",
            order_id,
        )
    )


async def watched(order_id: UUID) -> bool:
    """Whether any of the order's payments will be looked at again."""
    sql = "SELECT EXISTS (SELECT FROM payment WHERE order_id = $1 AND next_check_at IS NOT NULL)"
    return bool(await db.fetch_value(sql, order_id))


async def has_money(order_id: UUID) -> bool:
    """Whether anything ever arrived for the order, or may have."""
    return bool(
        await db.fetch_value(
            """SELECT EXISTS (SELECT FROM payment WHERE order_id = $1 AND (value > 0 OR actually_paid > 0
               OR status IN ('confirming', 'confirmed', 'sending', 'partially_paid', 'finished')))""",
            order_id,
        )
    )


async def coins() -> list[Coin]:
    """The coins offered now, in the provider's order."""
    global _coins
    read_at, found = _coins
    if not found or abs(clock.now() - read_at) > COINS_KEPT:
        found = await db.fetch_as(
            Coin, "SELECT code, name, network, has_memo, minimum FROM coin WHERE active ORDER BY position"
        )
        _coins = (clock.now(), found)
    return found


# The columns of MerchantPayment. ``refunded`` is the one look upwards of this room.
_OF_MERCHANTS = f"""WITH found AS (
    SELECT p.*, o.merchant_id, o.test, o.reference, o.email, o.email_typed, o.status AS order_status,
      EXISTS (SELECT FROM payment d WHERE d.order_id = p.order_id AND d.parent_payment_id = p.provider_payment_id
        AND d.outcome IN ({", ".join(f"'{outcome}'" for outcome in sorted(UNASKED))})) AS parked,
      (SELECT coalesce(sum(amount), 0) FROM refund r WHERE r.payment_id = p.id AND r.status = 'processed') AS refunded
    FROM payment p JOIN customer_order o ON o.id = p.order_id WHERE o.merchant_id = $1 AND o.test = $2)
  , said AS (
    SELECT *, {in_sql()} AS word
    FROM found)
  SELECT * FROM said"""  # noqa: S608 - words of our own


async def of_merchant(merchant_id: UUID, test: bool, payment_id: UUID) -> MerchantPayment | None:
    """A merchant's own payment of this mode; None for anyone else's."""
    return await db.fetch_one_as(MerchantPayment, f"{_OF_MERCHANTS} WHERE id = $3", merchant_id, test, payment_id)


async def merchant_page(
    merchant_id: UUID, test: bool, filters: Mapping[str, Any], before_id: UUID | None, limit: int
) -> list[MerchantPayment]:
    """A merchant's payments, the newest first, those made before ``before_id``.

    Filters: ``status`` (the API's word), ``method``, ``order_id``, ``payment_id``, ``reference`` and
    ``customer_email`` (the order's), ``created_from`` and ``created_to`` (the first included, the last not).
    """
    return await db.fetch_as(
        MerchantPayment,
        f"""{_OF_MERCHANTS} WHERE ($3::uuid IS NULL OR id < $3) AND ($5::text IS NULL OR word = $5)
             AND ($6::text IS NULL OR method = $6) AND ($7::uuid IS NULL OR order_id = $7)
             AND ($8::uuid IS NULL OR id = $8) AND ($9::text IS NULL OR reference = $9)
             AND ($10::text IS NULL OR email = $10) AND ($11::timestamptz IS NULL OR created_at >= $11)
             AND ($12::timestamptz IS NULL OR created_at < $12)
           ORDER BY id DESC LIMIT $4""",
        merchant_id, test, before_id, limit,
        *(filters.get(name) for name in ("status", "method", "order_id", "payment_id", "reference")),
        looked_up(filters), filters.get("created_from"), filters.get("created_to"),
    )  # fmt: skip


async def account(order_id: UUID) -> tuple[int, Decimal]:
    """How many attempts an order has, and what they have brought towards its price (``brought``), in one look."""
    row = await db.fetch_one(
        f"SELECT count(*) AS attempts, greatest(0, {_TOWARDS_PRICE}) AS brought FROM payment WHERE order_id = $1",  # noqa: S608
        order_id, TOWARDS_PRICE,
    )  # fmt: skip
    assert row is not None
    return row["attempts"], row["brought"]
