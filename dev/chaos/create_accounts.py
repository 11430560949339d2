"""A merchant with its API keys and an admin of the shop, made with an environment's settings.

``python -m dev.chaos.create_accounts`` prints them.
"""

import asyncio
import json
import secrets

from app.accounts import service as accounts
from app.core import db
from app.merchants import api_keys, service

ADMIN = "chaos@bitloot.localhost"


async def main() -> None:
    """Print ``{"merchant": id, "admin": [email, password], "test": [key, secret], "live": [key, secret]}``."""
    await db.open_pool(2)
    merchant_id, password = await service.create_merchant("Chaos & Sons"), secrets.token_urlsafe(24)
    await accounts.create_staff(ADMIN, password)
    test = await api_keys.issue(merchant_id, test=True, name="chaos")
    live = await api_keys.issue(merchant_id, test=False, name="chaos")
    await db.close_pool()
    made = {"merchant": str(merchant_id), "admin": [ADMIN, password]}
    print(json.dumps(made | {"test": [test.key, test.secret], "live": [live.key, live.secret]}))


if __name__ == "__main__":
    asyncio.run(main())
