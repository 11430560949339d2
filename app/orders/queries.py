"""Reading orders."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from app.accounts import addresses
from app.core import db
from app.issues import queries as issues
from app.orders.models import ListedOrder, NamedOrder, Needing, Order, OrderItem, OrderWithItems
from app.orders.reasons import ABOUT, order_of
from app.orders.states import OrderStatus

COUNTED = 100  # orders that need a person are counted so far
ENDED_EMPTY = ["failed", "expired", "sent_back"]  # outcomes of a payment that left no money here


async def one(order_id: UUID) -> OrderWithItems | None:
    row = await db.fetch_one("SELECT * FROM customer_order WHERE id = $1", order_id)
    if row is None:
        return None
    items = await db.fetch("SELECT * FROM order_item WHERE order_id = $1 ORDER BY position", order_id)
    return db.as_model(OrderWithItems, {**row, "items": [db.as_model(OrderItem, item) for item in items]})


async def seller(order: Order) -> str:
    """The merchant's name for a merchant's order; empty for the shop's own."""
    if order.merchant_id is None:
        return ""
    return str(await db.fetch_value("SELECT name FROM merchant WHERE id = $1", order.merchant_id))


async def open_to(held: Mapping[UUID, int], browser: UUID | None) -> dict[UUID, int]:
    """Of the orders that a token names, each with its access epoch, those that it still opens, with today's epoch."""
    rows = await db.fetch("SELECT id, access_epoch, access_browser FROM customer_order WHERE id = ANY($1)", list(held))
    now = {row["id"]: row for row in rows}
    return {
        order_id: now[order_id]["access_epoch"]
        for order_id, epoch in held.items()
        if order_id in now
        and (now[order_id]["access_epoch"] == epoch or (browser and now[order_id]["access_browser"] == browser))
    }


async def access_epoch(order_id: UUID) -> int:
    return int(await db.fetch_value("SELECT access_epoch FROM customer_order WHERE id = $1", order_id) or 0)


async def history(*, email: str | None, ids: Sequence[UUID], limit: int = 100) -> list[NamedOrder]:
    """The shop's orders of an email or among ``ids``, newest first."""
    return await db.fetch_as(
        NamedOrder,
        """SELECT p.*, (SELECT string_agg(name, ', ' ORDER BY position) FROM order_item i WHERE i.order_id = p.id)
           AS names FROM customer_order p WHERE (p.email = $1 OR p.id = ANY($2)) AND p.merchant_id IS NULL
           ORDER BY created_at DESC LIMIT $3""",
        email, list(ids), limit,
    )  # fmt: skip


async def any_of(email: str) -> bool:
    """Whether the shop has an order of this email."""
    sql = "SELECT EXISTS (SELECT FROM customer_order WHERE email = $1 AND merchant_id IS NULL)"
    return bool(await db.fetch_value(sql, email))


async def of_merchant(merchant_id: UUID, test: bool, order_id: UUID) -> Order | None:
    """A merchant's own order of this mode; None for anyone else's."""
    sql = "SELECT * FROM customer_order WHERE id = $1 AND merchant_id = $2 AND test = $3"
    return await db.fetch_one_as(Order, sql, order_id, merchant_id, test)


async def merchant_page(
    merchant_id: UUID, test: bool, filters: Mapping[str, Any], before_id: UUID | None, limit: int
) -> list[Order]:
    """A merchant's orders, the newest first, those made before ``before_id``.

    Filters: ``status``, ``reference``, ``customer_email``, ``order_id``, ``created_from`` and ``created_to`` (the
    first included, the last not).
    """
    return await db.fetch_as(
        Order,
        """SELECT * FROM customer_order WHERE merchant_id = $1 AND test = $2 AND ($3::uuid IS NULL OR id < $3)
             AND ($5::text IS NULL OR status = $5) AND ($6::text IS NULL OR reference = $6)
             AND ($7::text IS NULL OR email = $7) AND ($8::timestamptz IS NULL OR created_at >= $8)
             AND ($9::timestamptz IS NULL OR created_at < $9) AND ($10::uuid IS NULL OR id = $10)
           ORDER BY id DESC LIMIT $4""",
        merchant_id, test, before_id, limit, filters.get("status"), filters.get("reference"),
        looked_up(filters), filters.get("created_from"), filters.get("created_to"), filters.get("order_id"),
    )  # fmt: skip


def looked_up(filters: Mapping[str, Any]) -> str | None:
    """The filter ``customer_email`` as orders hold addresses."""
    typed = filters.get("customer_email")
    return addresses.key(typed) if typed is not None else None


_LISTED = """SELECT p.*, (SELECT string_agg(name, ', ' ORDER BY position) FROM order_item i WHERE i.order_id = p.id)
    AS names, (SELECT name FROM merchant m WHERE m.id = p.merchant_id) AS merchant FROM customer_order p
  WHERE ($1::text IS NULL OR status = $1)
    AND ($2::text IS NULL OR email ILIKE $2 OR id::text ILIKE $2 OR reference ILIKE $2)"""
# From the open issues to their orders, and from an order to its open issues.
_AMONG_OPEN = f"""p.id = ANY (ARRAY(SELECT substr(subject, {len(ABOUT) + 1})::uuid FROM issue
    WHERE resolved_at IS NULL AND subject LIKE '{ABOUT}%'))"""  # noqa: S608 - our own text
_HAS_OPEN = f"EXISTS (SELECT FROM issue WHERE resolved_at IS NULL AND subject = '{ABOUT}' || p.id)"


async def page(
    *, status: str | None, search: str | None, limit: int, offset: int, needing: bool = False
) -> list[ListedOrder]:
    """For the admin's list: those that need a person first, then the newest.

    ``needing``: only those that need one.
    """
    found = f"%{addresses.key(search) if '@' in search else search}%" if search else None
    newest = " ORDER BY p.created_at DESC LIMIT $3 OFFSET $4"
    first = await db.fetch_as(ListedOrder, f"{_LISTED} AND {_AMONG_OPEN}{newest}", status, found, limit, offset)
    rest: list[ListedOrder] = []
    if len(first) < limit and not needing:
        # Two reads along an index each: one that sorts by both would sort all orders of the shop.
        before = offset + len(first) if first or not offset else await _count_needing(status, found)
        rest = await db.fetch_as(
            ListedOrder, f"{_LISTED} AND NOT {_HAS_OPEN}{newest}",
            status, found, limit - len(first), max(offset - before, 0),
        )  # fmt: skip
    return [*first, *rest]


async def _count_needing(status: str | None, found: str | None) -> int:
    sql = f"SELECT count(*) FROM ({_LISTED} AND {_AMONG_OPEN}) AS needing"  # noqa: S608 - our own text
    return int(await db.fetch_value(sql, status, found))


async def holds_money(order_id: UUID) -> bool:
    """Whether money of the order is on its way, is here and not promised back, or may be here: a report was unclear.

    The one look upwards of this room: no order is given up while anybody's money lies with it.
    """
    return bool(
        await db.fetch_value(
            """SELECT EXISTS (SELECT FROM payment WHERE order_id = $1
                 AND (status IN ('confirming', 'confirmed', 'sending') OR value = 0 AND outcome <> ALL($2)))
               OR (SELECT coalesce(sum(value), 0) FROM payment WHERE order_id = $1)
                > (SELECT coalesce(sum(amount), 0) FROM money_use
                   WHERE order_id = $1 AND kind IN ('refund', 'credit') AND status <> 'released')""",
            order_id, ENDED_EMPTY,
        )
    )  # fmt: skip


async def counts() -> dict[str, int]:
    """How many orders there are in each state, ``db.MOST_COUNTED`` at the most."""
    return await db.count_each("customer_order", "status", list(OrderStatus))


async def needing(limit: int = 20) -> list[Needing]:
    """Orders that need a person with all that is open about them, the one that came up last first."""
    subjects = await issues.newest_about_orders(limit)
    found = await issues.open_for_each(subjects)
    return [Needing(order_of(subject), found[subject]) for subject in subjects if found[subject]]


async def count_needing() -> int:
    """How many orders need a person, ``COUNTED`` and one at the most."""
    return await issues.count_orders(COUNTED + 1)
