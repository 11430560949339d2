"""A customer who buys over HTTP, and pays at the sandbox."""

import contextlib
import secrets
from dataclasses import dataclass
from typing import Any

import httpx

from dev.environment import Environment, until


class NotPlaced(Exception):
    """The shop did not answer the order with 201; the text says what it did."""


@dataclass
class Customer:
    """One order of some units each of some products. ``label`` and ``fault`` say what it stands for."""

    order_id: str
    token: str
    email: str
    units: dict[str, int]
    label: str = ""
    fault: str = ""
    case: str = ""
    payment_id: str = ""

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", "Accept": "application/json"}

    @classmethod
    async def orders(
        cls, env: Environment, units: dict[str, int], *, coin: str, tag: str = "buyer", label: str = "", fault: str = ""
    ) -> "Customer":
        """Place an order of ``{product id: quantity}``. Raises NotPlaced, or httpx.TransportError."""
        email = f"delivered+{tag}-{secrets.token_hex(6)}@resend.dev"
        items = [{"productId": product, "quantity": quantity} for product, quantity in units.items()]
        answer = await env.http.post("/orders", json={"email": email, "items": items, "payCurrency": coin})
        if answer.status_code != 201:
            raise NotPlaced(f"{answer.status_code} {answer.text[:200]}")
        placed = answer.json()
        return cls(placed["orderId"], placed["accessToken"], email, units, label, fault)

    async def pays(self, env: Environment, case: str = "finished", **more: Any) -> None:
        """Send the coins to the address that is shown."""
        self.case = case
        await env.asks("POST", f"/payments/{self.payment_id}/pay", json={"case": case, **more})

    async def reveals(self, env: Environment) -> list[str]:
        """Open every key of the order, as patiently as a person would; the plaintexts."""
        values: list[str] = []
        status = await self._asks(env, "GET", "status")
        for item in status["items"]:
            shown = await self._asks(env, "POST", "reveal", json={"itemId": item["itemId"]})
            values += [key["value"] for key in shown["keys"]]
        return values

    async def _asks(self, env: Environment, method: str, what: str, **more: Any) -> Any:
        where = f"/fulfillment/{self.order_id}/{what}"

        async def answered() -> Any:
            with contextlib.suppress(httpx.TransportError):
                answer = await env.http.request(method, where, headers=self.bearer, **more)
                if answer.status_code == httpx.codes.OK:
                    return answer.json()
            return None

        return await until(answered, f"{method} {where} is answered with 200")


async def addressed(env: Environment, customers: list[Customer], *, seconds: float = 60) -> None:
    """Until each of these orders shows where to pay."""

    async def all_shown() -> bool:
        return await address(env, customers) == len(customers)

    await until(all_shown, "every order shows where to pay", seconds=seconds)


async def address(env: Environment, customers: list[Customer]) -> int:
    """Look up where to pay; how many of these know it by now."""
    rows = await env.rows(
        """SELECT order_id::text AS id, provider_payment_id AS payment FROM payment
           WHERE provider_payment_id IS NOT NULL AND order_id = ANY($1::uuid[]) ORDER BY attempt""",
        [customer.order_id for customer in customers],
    )
    shown = {row["id"]: row["payment"] for row in rows}
    for customer in customers:
        customer.payment_id = shown.get(customer.order_id, "")
    return len(shown)
