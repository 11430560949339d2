"""Reading endpoints, deliveries and the feed. A merchant's, in one mode: anything else is as if it were not there."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core import db
from app.webhooks.models import Delivery, Endpoint, LoggedAttempt, MerchantEvent

LINES_A_SWEEP = 500


async def endpoints(merchant_id: UUID, test: bool) -> list[Endpoint]:
    """Oldest first."""
    return await db.fetch_as(
        Endpoint,
        "SELECT * FROM endpoint WHERE merchant_id = $1 AND test = $2 AND deleted_at IS NULL ORDER BY id",
        merchant_id, test,
    )  # fmt: skip


async def endpoint(endpoint_id: UUID, merchant_id: UUID, test: bool | None = None) -> Endpoint | None:
    return await db.fetch_one_as(
        Endpoint,
        """SELECT * FROM endpoint WHERE id = $1 AND merchant_id = $2 AND deleted_at IS NULL
           AND ($3::bool IS NULL OR test = $3)""",
        endpoint_id, merchant_id, test,
    )  # fmt: skip


_DELIVERY = """SELECT d.*, m.type, m.object, m.object_id, m.order_id, m.sequence, m.number, m.payload, m.test,
    m.created_at AS happened_at, e.deleted_at AS removed_at,
    e.url, e.name AS endpoint_name, e.disabled_at, l.at AS last_at, l.outcome, l.ms,
    l.status AS answered, l.error, (SELECT count(*) FROM delivery_attempt a WHERE a.delivery_id = d.id) AS tries
  FROM delivery d JOIN endpoint e ON e.id = d.endpoint_id JOIN merchant_event m ON m.id = d.event_id
  LEFT JOIN LATERAL (SELECT at, outcome, ms, status, error FROM delivery_attempt a WHERE a.delivery_id = d.id
                     ORDER BY a.id DESC LIMIT 1) l ON true """


async def deliveries(
    merchant_id: UUID, test: bool, filters: Mapping[str, Any], before: UUID | None, limit: int
) -> list[Delivery]:
    """Newest first, those before delivery ``before``, each with its event and how its last attempt went.

    ``filters``: any of ``endpoint_id event_id object_id order_id status type since until``, and ``standing``: of
    endpoints that were not removed alone; None is no filter.
    """
    return await db.fetch_as(
        Delivery,
        _DELIVERY
        + """WHERE e.merchant_id = $1 AND e.test = $2 AND ($3::uuid IS NULL OR d.id < $3)
               AND ($5::uuid IS NULL OR d.endpoint_id = $5) AND ($6::uuid IS NULL OR d.event_id = $6)
               AND ($7::uuid IS NULL OR m.object_id = $7) AND ($8::uuid IS NULL OR m.order_id = $8)
               AND ($9::text IS NULL OR d.status = $9) AND ($10::text IS NULL OR m.type = $10)
               AND ($11::timestamptz IS NULL OR d.created_at >= $11)
               AND ($12::timestamptz IS NULL OR d.created_at < $12)
               AND ($13::bool IS NULL OR (e.deleted_at IS NULL) = $13)
             ORDER BY d.id DESC LIMIT $4""",
        merchant_id, test, before, limit,
        *(filters.get(name) for name in (
            "endpoint_id", "event_id", "object_id", "order_id", "status", "type", "since", "until", "standing",
        )),
    )  # fmt: skip


async def delivery(delivery_id: UUID, merchant_id: UUID, test: bool | None = None) -> Delivery | None:
    return await db.fetch_one_as(
        Delivery,
        _DELIVERY + "WHERE d.id = $1 AND e.merchant_id = $2 AND ($3::bool IS NULL OR e.test = $3)",
        delivery_id, merchant_id, test,
    )  # fmt: skip


async def attempts(delivery_id: UUID) -> list[LoggedAttempt]:
    """All attempts of a delivery, oldest first."""
    return await db.fetch_as(
        LoggedAttempt, "SELECT * FROM delivery_attempt WHERE delivery_id = $1 ORDER BY id", delivery_id
    )


async def feed(merchant_id: UUID, test: bool, after_number: int, limit: int) -> list[MerchantEvent]:
    """Events numbered above ``after_number``, oldest first. What is in it never changes and has no gap behind it."""
    return await db.fetch_as(
        MerchantEvent,
        """SELECT * FROM merchant_event WHERE merchant_id = $1 AND test = $2 AND number > $3
           ORDER BY number LIMIT $4""",
        merchant_id, test, after_number, limit,
    )  # fmt: skip


async def event(merchant_id: UUID, test: bool, event_id: UUID) -> MerchantEvent | None:
    return await db.fetch_one_as(
        MerchantEvent,
        "SELECT * FROM merchant_event WHERE id = $3 AND merchant_id = $1 AND test = $2", merchant_id, test, event_id,
    )  # fmt: skip


async def last_sequence(object_id: UUID) -> int:
    return int(await db.fetch_value("SELECT max(sequence) FROM merchant_event WHERE object_id = $1", object_id) or 0)


async def queue_lengths(endpoint_id: UUID) -> dict[str, int]:
    """How many deliveries of an endpoint stand in each state."""
    rows = await db.fetch(
        "SELECT status, count(*) AS n FROM delivery WHERE endpoint_id = $1 GROUP BY status", endpoint_id
    )
    return {row["status"]: row["n"] for row in rows}


_DUE = """d.next_at <= $1 AND (d.lease_until IS NULL OR d.lease_until <= $1)
          AND e.disabled_at IS NULL AND e.deleted_at IS NULL"""


async def due_endpoints(now: datetime) -> list[UUID]:
    """Endpoints with a delivery that is due and that nobody is trying."""
    rows = await db.fetch(
        f"""SELECT DISTINCT d.endpoint_id FROM delivery d JOIN endpoint e ON e.id = d.endpoint_id WHERE {_DUE}
            LIMIT $2""",  # noqa: S608 - our own text
        now, LINES_A_SWEEP,
    )  # fmt: skip
    return [row["endpoint_id"] for row in rows]


async def is_due(endpoint_id: UUID, now: datetime) -> bool:
    return bool(
        await db.fetch_value(
            f"""SELECT EXISTS (SELECT FROM delivery d JOIN endpoint e ON e.id = d.endpoint_id
                WHERE d.endpoint_id = $2 AND {_DUE})""",  # noqa: S608 - our own text
            now, endpoint_id,
        )
    )  # fmt: skip
