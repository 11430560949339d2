"""An admin of the shop, over HTTP: asks for refunds while customers choose, and decides on those that wait."""

import asyncio
import contextlib
import random
import re
import secrets
from collections import Counter
from decimal import Decimal

import httpx

from dev.environment import Environment

ROUND = 5.0  # seconds between looks at refunds that wait
FATES = {"records": 55, "rejections": 20, "": 25}  # what becomes of one at a look, by weight
FIELD = re.compile(r'<input[^>]* name="(left|amount)"[^>]* value="([0-9.]+)"')
MOST_A_ROUND = 20
WAITING = """SELECT r.id::text AS id FROM refund r JOIN customer_order p ON p.id = r.order_id
  WHERE r.status = 'pending' AND p.merchant_id IS NULL ORDER BY r.id DESC LIMIT $1"""


class Admin:
    """Signed in by password; ``did`` counts what was answered well."""

    def __init__(self, env: Environment, email: str, password: str, seed: int) -> None:
        self.env, self.did = env, Counter[str]()
        self._email, self._password = email, password
        self._http = httpx.AsyncClient(base_url=env.url, timeout=20)
        self._chance = random.Random(seed)

    async def signs_in(self) -> None:
        await self._http.get("/admin/login")  # sets the CSRF cookie
        answer = await self._post("/admin/login", {"email": self._email, "password": self._password})
        if answer is None or answer.status_code != httpx.codes.SEE_OTHER:
            raise RuntimeError(f"the admin can't sign in: {answer.status_code if answer else 'no answer'}")

    async def reads_form(self, order_id: str, *, owed_only: bool) -> dict[str, str]:
        """The form for a refund as the order's page shows it; empty where it offers none, or can't be seen just now.

        ``owed_only``: not where the page offers the price itself, since the customer is to have what they paid for.
        """
        with contextlib.suppress(httpx.TransportError):
            form = dict(FIELD.findall((await self._http.get(f"/admin/orders/{order_id}")).text))
            if form and not (owed_only and Decimal(form["amount"]) >= Decimal(form["left"])):
                return form
        self.did["refund not offered"] += 1
        return {}

    async def asks_refund(self, order_id: str, form: dict[str, str]) -> None:
        """Send that form, once: it races with the customer's choice."""
        answer = await self._post(f"/admin/orders/{order_id}/refunds", form | {"reason": "by the chaos"})
        if answer is not None:
            well = answer.status_code in {httpx.codes.CREATED, httpx.codes.SEE_OTHER}
            self.did["refund asked" if well else f"refund refused: {answer.status_code}"] += 1

    async def decides(self) -> None:
        """Record as sent, or turn down, what waits; until cancelled."""
        while True:
            await asyncio.sleep(ROUND)
            for row in await self.env.rows(WAITING, MOST_A_ROUND):
                (fate,) = self._chance.choices(list(FATES), list(FATES.values()))
                if fate:
                    said = {"tx_hash": secrets.token_hex(32), "reason": "not agreed"}
                    answer = await self._post(f"/admin/refunds/{row['id']}/{fate}", said)
                    if answer is not None and answer.status_code < httpx.codes.BAD_REQUEST:
                        self.did[f"refund {fate}"] += 1

    async def close(self) -> None:
        await self._http.aclose()

    async def _post(self, path: str, said: dict[str, str]) -> httpx.Response | None:
        headers = {"x-csrf-token": self._http.cookies.get("bitloot_csrf") or "", "accept": "application/json"}
        with contextlib.suppress(httpx.TransportError):
            return await self._http.post(path, json=said, headers=headers)
        return None
