"""Reading reservations, and the whole of an order for its page and its API answer."""

from collections.abc import Iterable
from uuid import UUID

from app.catalog import credits
from app.core import db
from app.fulfillment.models import ItemToBuy, Reservation
from app.orders.models import Order
from app.queue import breaker_queries as breakers

_SELECT = """SELECT r.*, i.product_id, i.name AS item_name, i.status AS item_status,
               i.quantity - i.withdrawn AS units
             FROM reservation r JOIN order_item i ON i.id = r.item_id"""


async def one(reservation_id: UUID) -> Reservation | None:
    return await db.fetch_one_as(Reservation, f"{_SELECT} WHERE r.id = $1", reservation_id)


async def of_item(item_id: UUID) -> Reservation | None:
    """The item's current reservation; those before it were cancelled or refunded by the supplier."""
    return await db.fetch_one_as(
        Reservation, f"{_SELECT} WHERE r.item_id = $1 ORDER BY r.created_at DESC, r.id DESC LIMIT 1", item_id
    )


async def by_supplier_order(supplier: str, supplier_order_id: str) -> Reservation | None:
    return await db.fetch_one_as(
        Reservation, f"{_SELECT} WHERE r.supplier = $1 AND r.supplier_order_id = $2", supplier, supplier_order_id
    )


def other_offer(reservation: Reservation) -> tuple[str, str] | None:
    """The offer that was chosen in place of the product's own: a supplier and its id for the product. Pure."""
    chosen = reservation.supplier_product_id
    return (reservation.supplier, chosen) if chosen else None


async def supplier_of_item(item_id: UUID) -> str | None:
    """Whom the item's next purchase is asked of: its reservation's supplier, else its product's."""
    name: str | None = await db.fetch_value(
        """SELECT coalesce((SELECT r.supplier FROM reservation r WHERE r.item_id = i.id
                            ORDER BY r.created_at DESC, r.id DESC LIMIT 1), p.supplier)
           FROM order_item i JOIN product p ON p.id = i.product_id WHERE i.id = $1""",
        item_id,
    )
    return name


async def supplier_of(reservation_id: UUID) -> str | None:
    name: str | None = await db.fetch_value("SELECT supplier FROM reservation WHERE id = $1", reservation_id)
    return name


async def suppliers_of_order(order_id: UUID) -> list[str]:
    """Those from whom keys of the order have come or are still to come, by name."""
    return await db.fetch_values(
        """SELECT p.supplier FROM order_item i JOIN product p ON p.id = i.product_id WHERE i.order_id = $1
           UNION SELECT supplier FROM reservation WHERE order_id = $1 ORDER BY 1""",
        order_id,
    )


async def is_supplier_away(order: Order) -> bool:
    """Whether a paid order waits for a supplier that can't be reached just now."""
    if order.status != "paid":
        return False
    names = await db.fetch_values(
        """SELECT DISTINCT coalesce(r.supplier, p.supplier) AS name
           FROM order_item i JOIN product p ON p.id = i.product_id
           LEFT JOIN LATERAL (SELECT supplier FROM reservation WHERE item_id = i.id
                              ORDER BY created_at DESC, id DESC LIMIT 1) r ON true
           WHERE i.order_id = $1 AND i.status <> 'fulfilled'""",
        order.id,
    )
    return any([await breakers.away(name) for name in names])


async def of_order(order_id: UUID) -> list[Reservation]:
    """All of an order's reservations: by item, and an item's in the order they were made."""
    return await db.fetch_as(
        Reservation, f"{_SELECT} WHERE r.order_id = $1 ORDER BY i.position, r.created_at, r.id", order_id
    )


def current(reservations: Iterable[Reservation]) -> list[Reservation]:
    """Of what ``of_order`` gave, the current one of each item. Pure."""
    return list({row.item_id: row for row in reservations}.values())


async def to_give_back(order_id: UUID) -> list[Reservation]:
    """Reservations of an order that is held, whose keys have not been offered back to the supplier yet."""
    return await db.fetch_as(
        Reservation,
        f"""{_SELECT} JOIN customer_order p ON p.id = r.order_id
            WHERE r.order_id = $1 AND p.frozen_at IS NOT NULL AND r.return_asked_at IS NULL
              AND (r.status IN ('reserved', 'ready', 'delivered') OR r.status = 'requested' AND r.asked_at IS NOT NULL)
            ORDER BY i.position""",
        order_id,
    )


async def item_to_buy(item_id: UUID) -> ItemToBuy | None:
    """An item of a paid order with what its price limit needs; None for any other.

    Of an order whose money goes back, only one that was asked for already: its answer may have been lost.
    """
    return await db.fetch_one_as(
        ItemToBuy,
        """SELECT i.*, p.subtotal,  -- credit is money that came in, with an earlier order; a discount is not
             p.total + CASE WHEN starts_with(p.discount_code, $2) THEN p.discount ELSE 0 END AS total
           FROM order_item i JOIN customer_order p ON p.id = i.order_id
           WHERE i.id = $1 AND p.status = 'paid' AND (p.frozen_at IS NULL
             OR EXISTS (SELECT FROM reservation r WHERE r.item_id = i.id AND r.asked_at IS NOT NULL))""",
        item_id, credits.PREFIX,
    )  # fmt: skip


async def is_held(order_id: UUID) -> bool:
    """Whether nothing may be bought for the order any more, as its money goes back."""
    return bool(await db.fetch_value("SELECT frozen_at IS NOT NULL FROM customer_order WHERE id = $1", order_id))


async def is_struck_off(item_id: UUID) -> bool:
    """Whether nothing more is to come of an item: its keys are there, or their money was taken back."""
    return bool(
        await db.fetch_value(
            """SELECT withdrawn > 0 AND quantity - withdrawn <= (SELECT count(*) FROM sealed_key WHERE item_id = $1)
               FROM order_item WHERE id = $1""",
            item_id,
        )
    )


async def items_of(order_id: UUID) -> int:
    return int(await db.fetch_value("SELECT count(*) FROM order_item WHERE order_id = $1", order_id))
