"""What suppliers' webhooks lead to. They are hints, and nothing in them is believed: the supplier itself is asked."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from uuid import UUID

from app.core.signing import MalformedJson, parse_strict
from app.fulfillment import track
from app.inbox import queries as inbox
from app.inbox import service as notices
from app.queue import service as jobs
from app.suppliers.models import Notice
from app.suppliers.port import Supplier, Suppliers


async def apply(
    notice_id: UUID, *, suppliers: Suppliers, commit: Callable[[], AbstractAsyncContextManager[None]]
) -> None:
    """Post the question a notice suggests: how an order stands, or what a product costs now."""
    try:
        said = parse_strict(await inbox.body(notice_id) or b"")
    except MalformedJson:
        said = None
    sender = await inbox.provider_of(notice_id)
    if sender is None:
        return
    supplier = suppliers[sender]
    async with commit():
        notice = supplier.read_notice(said) if isinstance(said, dict) else Notice()
        await notices.applied(notice_id, await _heed(supplier, notice))


async def _heed(supplier: Supplier, notice: Notice) -> str:
    if notice.order_id is not None:
        return await track.hint(supplier.name, notice.order_id, notice.status)
    if notice.product_id is not None:
        # Updates can flood in (kinguin.md, 8): one pending look a product is enough.
        args = {"product_id": notice.product_id, "supplier": supplier.name}
        dedupe = f"catalog.refresh:{supplier.name}:{notice.product_id[:64]}"
        await jobs.post("catalog.refresh", args, dedupe=dedupe)
        return "product looked up again"
    return "ignored: names no order and no product"
