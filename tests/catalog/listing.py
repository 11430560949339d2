"""A supplier for tests: its listing is what a test says, row by row, also rows that no supplier should send."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import httpx

from app.catalog import service as catalog
from app.core import db
from app.issues import queries as issues
from app.providers.kinguin import Kinguin
from app.suppliers.kinguin import KinguinSupplier

PLATFORM = "Oddbox"  # of every row made here, so that a test finds and removes its own


def row(number: int, **change: Any) -> dict[str, Any]:
    """A listed product like the supplier's own; ``number`` makes its ids."""
    plain = {
        "productId": f"{number:024x}", "kinguinId": number, "name": f"Odd Game {number}", "price": 10, "qty": 5,
        "textQty": 5, "totalQty": 5, "platform": PLATFORM, "regionalLimitations": "REGION FREE",
    }  # fmt: skip
    return plain | change


class Supplier:
    """``rows`` are listed, ``promised`` is its item_count (None: as many as there are, ``...``: left out).

    ``gone``: ids that are answered 404 when asked for alone; ``spoil`` may change a page's bytes.
    """

    def __init__(self, *rows: dict[str, Any]) -> None:
        self.rows: list[Any] = list(rows)
        self.promised: Any = None
        self.gone: set[str] = set()
        self.known: list[dict[str, Any]] = list(rows)
        self.spoil: Callable[[int, int, bytes], bytes] = lambda page, limit, body: body
        self.asked: list[str] = []
        self.client = Kinguin("http://supplier/esa/api", "key", transport=httpx.ASGITransport(self._answer))
        self.listing = KinguinSupplier(self.client)

    async def _answer(self, scope: Any, receive: Any, send: Any) -> None:
        path, query = scope["path"], parse_qs(scope["query_string"].decode())
        self.asked.append(path)
        if path.endswith("/v1/products"):
            status, body = 200, self._page(int(query["page"][0]), int(query["limit"][0]))
        else:
            status, body = self._one(path.rsplit("/", 1)[1])
        await send(
            {"type": "http.response.start", "status": status, "headers": [(b"content-type", b"application/json")]}
        )
        await send({"type": "http.response.body", "body": body})

    def _page(self, page: int, limit: int) -> bytes:
        shown: dict[str, Any] = {"results": self.rows[(page - 1) * limit : page * limit]}
        if self.promised is not ...:
            shown["item_count"] = len(self.rows) if self.promised is None else self.promised
        return self.spoil(page, limit, json.dumps(shown).encode())

    def _one(self, wanted: str) -> tuple[int, bytes]:
        found = [r for r in (*self.rows, *self.known) if isinstance(r, dict) and r.get("productId") == wanted]
        if not found or wanted in self.gone:
            return 404, json.dumps({"kind": "HttpClient", "status": 404, "detail": "Product not found."}).encode()
        return 200, json.dumps(found[0]).encode()

    async def sync(self, **more: Any) -> int:
        """Our whole reading of its listing."""
        return await catalog.sync(listing=self.listing, **more)

    async def refresh(self, wanted: str) -> None:
        await catalog.refresh(wanted, listing=self.listing)


async def ours() -> dict[str, dict[str, Any]]:
    """All that we keep of such rows, by the supplier's id."""
    rows = await db.fetch("SELECT * FROM product WHERE platform = $1 ORDER BY supplier_product_id", PLATFORM)
    return {r["supplier_product_id"]: dict(r) for r in rows}


async def on_sale() -> list[str]:
    return sorted(name for name, product in (await ours()).items() if product["active"])


async def told(subject: str) -> dict[str, str]:
    """The open issues of a subject: code and words."""
    return {issue.code: issue.detail for issue in await issues.open_for(subject)}
