"""The shop's own proofs of its ledger and its audit log, for one environment: ``python -m dev.chaos.proof``."""

import asyncio
import json

from app.audit import service as audit
from app.core import db
from app.ledger import queries as ledger

MOST = 100_000  # differences listed


async def main() -> None:
    """Print ``{"ledger": [[order id, what is wrong], …], "entries": n, "audit": null or what is wrong}``."""
    await db.open_pool(2)
    wrong = [[str(it.order_id), f"off by {it.amount}: {it.why}"] for it in await ledger.differences(MOST)]
    entries = await db.fetch_value("SELECT count(*) FROM ledger_entry")
    verdict = await audit.verify()
    await db.close_pool()
    print(json.dumps({"ledger": wrong, "entries": entries, "audit": str(verdict.fault) if verdict.fault else None}))


if __name__ == "__main__":
    asyncio.run(main())
