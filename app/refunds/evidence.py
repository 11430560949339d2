"""What is true of an order's keys and credit when a refund is asked for: kept with the refund, and looked at again."""

from uuid import UUID

import msgspec

from app.audit import queries as audit_rows
from app.keys import queries as keys
from app.refunds import store_credit
from app.refunds.models import Evidence, Refund, SeenBy, ShownKey


async def gather(order_id: UUID) -> Evidence:
    """Which of the order's keys were shown by now, when and to whom, and which not; and what became of its credit."""
    sealed = await keys.of_order(order_id)
    shown = await audit_rows.of_order(order_id, ["key.revealed"])
    return Evidence(
        shown=[
            ShownKey(
                str(key.id), str(key.item_id), key.revealed_at,
                [SeenBy(e.at, e.actor, e.ip, e.user_agent) for e in shown if e.key_id == key.id],
            )
            for key in sealed if key.revealed_at
        ],
        unseen=[str(key.id) for key in sealed if not key.revealed_at],
        credit=credit.as_json() if (credit := await store_credit.of_order(order_id)) else None,
    )  # fmt: skip


async def shown_since(refund: Refund) -> bool:
    """Whether a key was shown that nobody had seen when the refund was asked for."""
    asked = {key.key for key in msgspec.json.decode(refund.evidence or "{}", type=Evidence).shown}
    return not {key.key for key in (await gather(refund.order_id)).shown} <= asked
