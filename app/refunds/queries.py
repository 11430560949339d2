"""Reading refunds, and how much may still go back."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from app.core import db
from app.core.money import Money
from app.ledger import uses
from app.orders.queries import looked_up
from app.refunds.models import ClaimedRefund, ListedRefund, MerchantRefund, Refund
from app.refunds.states import RefundStatus


async def one(refund_id: UUID) -> Refund | None:
    return await db.fetch_one_as(Refund, "SELECT * FROM refund WHERE id = $1", refund_id)


async def by_link(link_id: UUID) -> ClaimedRefund | None:
    """The refund that this claim link is the newest of."""
    return await db.fetch_one_as(
        ClaimedRefund,
        """SELECT r.*, p.reference, m.name AS seller FROM refund r JOIN customer_order p ON p.id = r.order_id
           LEFT JOIN merchant m ON m.id = p.merchant_id WHERE r.link_id = $1""",
        link_id,
    )


async def of_order(order_id: UUID) -> list[Refund]:
    """Oldest first."""
    return await db.fetch_as(Refund, "SELECT * FROM refund WHERE order_id = $1 ORDER BY created_at, id", order_id)


async def refundable(order_id: UUID) -> Money:
    """Received, less what went back, what is on its way back, what was credited, and what a top-up waits with.

    Exact under the order's lock.
    """
    return (await uses.funds(order_id)).returnable


async def owed(order_id: UUID) -> Money:
    """What came in and is not ours: more than the price of an order that was paid, or all that bought nothing."""
    return (await uses.funds(order_id)).free


async def left_of_payment(payment_id: UUID) -> Decimal:
    """What a payment brought, less what merchants gave back of it or are giving back. Exact under its order's lock."""
    found = await db.fetch_value(
        """SELECT p.value - coalesce((SELECT sum(amount) FROM refund r WHERE r.payment_id = p.id
             AND r.status <> 'failed'), 0) FROM payment p WHERE p.id = $1""",
        payment_id,
    )
    return max(Decimal(found or 0), Decimal(0))


async def uncovered(refund: Refund) -> bool:
    """Whether money that it would give back is not ours any more: the provider has sent it back by itself.

    Exact under its order's lock.
    """
    funds = await uses.funds(refund.order_id)
    of_payment = await db.fetch_value(
        """SELECT p.value < (SELECT coalesce(sum(amount), 0) FROM refund r WHERE r.payment_id = p.id
             AND r.status <> 'failed') FROM payment p WHERE p.id = $1""",
        refund.payment_id,
    )
    return funds.taken > funds.received or bool(of_payment)


# ``letter_status`` and ``letter_error``: of the letter that carries the claim link, where there is one.
_OF_MERCHANTS = """SELECT r.*, o.merchant_id, o.test, o.reference, o.email, o.email_typed,
    l.status AS letter_status, l.error AS letter_error
  FROM refund r JOIN customer_order o ON o.id = r.order_id
  LEFT JOIN LATERAL (
    SELECT status, error FROM mail m WHERE m.subject = r.order_id AND m.context->>'link_id' = r.link_id::text
    ORDER BY m.created_at DESC LIMIT 1) l ON true
  WHERE o.merchant_id = $1 AND o.test = $2"""


async def of_merchant(merchant_id: UUID, test: bool, refund_id: UUID) -> MerchantRefund | None:
    """A refund of a merchant's own order of this mode; else None."""
    return await db.fetch_one_as(MerchantRefund, f"{_OF_MERCHANTS} AND r.id = $3", merchant_id, test, refund_id)


async def merchant_page(
    merchant_id: UUID, test: bool, filters: Mapping[str, Any], before_id: UUID | None, limit: int
) -> list[MerchantRefund]:
    """A merchant's refunds, the newest first, those made before ``before_id``.

    Filters: ``status``, ``order_id``, ``payment_id``, ``reference`` and ``customer_email`` (the order's),
    ``created_from`` and ``created_to`` (the first included, the last not).
    """
    return await db.fetch_as(
        MerchantRefund,
        f"""{_OF_MERCHANTS} AND ($3::uuid IS NULL OR r.id < $3) AND ($5::text IS NULL OR r.status = $5)
             AND ($6::uuid IS NULL OR r.order_id = $6) AND ($7::uuid IS NULL OR r.payment_id = $7)
             AND ($8::text IS NULL OR o.reference = $8) AND ($9::text IS NULL OR o.email = $9)
             AND ($10::timestamptz IS NULL OR r.created_at >= $10)
             AND ($11::timestamptz IS NULL OR r.created_at < $11)
           ORDER BY r.id DESC LIMIT $4""",
        merchant_id, test, before_id, limit,
        *(filters.get(name) for name in ("status", "order_id", "payment_id", "reference")), looked_up(filters),
        filters.get("created_from"), filters.get("created_to"),
    )  # fmt: skip


async def live(order_id: UUID) -> bool:
    """Whether any refund of the order is still under way."""
    return bool(
        await db.fetch_value(
            "SELECT EXISTS (SELECT FROM refund WHERE order_id = $1 AND status IN ('pending', 'processing'))", order_id
        )
    )


async def page(*, status: str | None, limit: int, offset: int) -> list[ListedRefund]:
    """For the admin's list: those that wait for a decision first, then the newest."""
    return await db.fetch_as(
        ListedRefund,
        """SELECT r.*, p.email, p.test, p.reference, m.name AS merchant FROM refund r
           JOIN customer_order p ON p.id = r.order_id LEFT JOIN merchant m ON m.id = p.merchant_id
           WHERE $1::text IS NULL OR r.status = $1
           ORDER BY (r.status = 'pending' AND r.checked_at IS NOT NULL OR r.status = 'failed') AND NOT p.test DESC,
             r.created_at DESC
           LIMIT $2 OFFSET $3""",
        status, limit, offset,
    )  # fmt: skip


async def counts() -> dict[str, int]:
    """How many refunds there are in each state, ``db.MOST_COUNTED`` at the most."""
    return await db.count_each("refund", "status", list(RefundStatus))


async def waiting(limit: int = 20) -> list[Refund]:
    """Refunds that wait for an admin: to be approved, or to be looked at because they failed. None of test mode."""
    return await db.fetch_as(
        Refund,
        """SELECT r.* FROM refund r JOIN customer_order p ON p.id = r.order_id AND NOT p.test
           WHERE (r.status = 'pending' AND r.checked_at IS NOT NULL)
             OR (r.status = 'failed' AND NOT starts_with(coalesce(r.error, ''), 'rejected: '))
           ORDER BY r.created_at LIMIT $1""",
        limit,
    )
