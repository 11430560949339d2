"""What the supplier's webhooks lead to. They are hints: their body is not bound to the secret (kinguin.md, 7)."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from uuid import UUID

from app.core.signing import MalformedJson, parse_strict
from app.fulfillment import track
from app.inbox import queries as inbox
from app.inbox import service as notices
from app.queue import service as jobs


async def apply(notice_id: UUID, *, commit: Callable[[], AbstractAsyncContextManager[None]]) -> None:
    """Post the question a notice suggests: how an order stands, or what a product costs now."""
    try:
        said = parse_strict(await inbox.body(notice_id) or b"")
    except MalformedJson:
        said = None
    async with commit():
        await notices.applied(notice_id, await _heed(said if isinstance(said, dict) else {}))


async def _heed(said: dict[str, object]) -> str:
    order_id, product_id = said.get("orderId"), said.get("productId")
    if isinstance(order_id, str):
        return await track.hint(order_id, said.get("status"))
    if isinstance(product_id, str):
        # Updates can flood in (kinguin.md, 8): one pending look a product is enough.
        await jobs.post("catalog.refresh", {"product_id": product_id}, dedupe=f"catalog.refresh:{product_id[:64]}")
        return "product looked up again"
    return "ignored: names no order and no product"
