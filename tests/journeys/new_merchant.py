"""Founds a merchant in the shop whose settings the environment names: for a browser's tests of what merchants get.

``python -m tests.journeys.new_merchant ORIGIN… [webhook URL]`` prints what it may know, as JSON.
"""

import asyncio
import json
import sys

from app.core import db
from app.merchants import api_keys, service
from app.webhooks import service as webhooks


async def found(arguments: list[str]) -> dict[str, str]:
    """An argument with a path is where webhooks go, all others are origins of the merchant's pages."""
    url = next((text for text in arguments if text.count("/") > 2), None)
    await db.open_pool(2)
    try:
        merchant_id = await service.create_merchant("Poster & Sons")
        await service.set_origins(merchant_id, [text for text in arguments if text != url])
        issued = await api_keys.issue(merchant_id, test=True, name="sample shop")
        made = {
            "id": str(merchant_id), "key": issued.key, "secret": issued.secret,
            "publishable": await api_keys.publishable(merchant_id, test=True),
            "live": await api_keys.publishable(merchant_id, test=False),
        }  # fmt: skip
        return made | ({"webhook_secret": (await webhooks.add(merchant_id, test=True, url=url))[1]} if url else {})
    finally:
        await db.close_pool()


if __name__ == "__main__":
    print(json.dumps(asyncio.run(found(sys.argv[1:]))))
