"""The sandbox's control: whatever a provider may do, as calls."""

from typing import Any

import httpx


class Box:
    """The sandbox as tests and chaos steer it. ``url`` is where it listens."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = httpx.AsyncClient(base_url=url, timeout=60, verify=False)

    async def asks(self, method: str, path: str, **more: Any) -> Any:
        """A call of the control API, below `/sandbox/api`; what it answers. Raises AssertionError for a refusal."""
        answer = await self.http.request(method, f"/sandbox/api/{path}", **more)
        assert answer.is_success, f"{answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    async def reset(self) -> None:
        await self.asks("POST", "reset")

    async def payments(self) -> list[dict[str, Any]]:
        return list(await self.asks("GET", "payments"))

    async def pay(self, payment_id: str, case: str = "finished", fraction: str = "1.0", **more: Any) -> dict[str, Any]:
        """Pay at the provider; the notices go to the shop's port, where in most tests nobody listens."""
        body = {"case": case, "fraction": fraction, **more}
        return dict(await self.asks("POST", f"payments/{payment_id}/pay", json=body))

    async def orders(self) -> list[dict[str, Any]]:
        """The supplier's books: what was bought of it and what it charged."""
        return list(await self.asks("GET", "orders"))

    async def act(self, order_id: str, action: str) -> None:
        await self.asks("POST", f"orders/{order_id}", json={"action": action})

    async def play_order(self, order_id: str, status: str, *keys: str) -> None:
        """Let the supplier call an order ``status`` and its keys by these words, in turn."""
        body = {"action": "play", "status": status, "keys": list(keys)}
        await self.asks("POST", f"orders/{order_id}", json=body)

    async def mail(self) -> list[dict[str, Any]]:
        return list(await self.asks("GET", "mail"))

    async def play_mail(self, mail_id: str, event: str) -> None:
        """Let this become of a mail, and tell the shop's port, where in most tests nobody listens."""
        await self.asks("POST", f"mail/{mail_id}", json={"event": event})

    async def set_product(self, product_id: str, **change: Any) -> None:
        await self.asks("POST", f"products/{product_id}", json=change)

    async def settings(self, **change: Any) -> None:
        await self.asks("POST", "settings", json=change)

    async def fault(self, provider: str, mode: str, **more: Any) -> None:
        await self.asks("POST", "faults", json={"provider": provider, "mode": mode, **more})

    async def no_faults(self) -> None:
        await self.asks("DELETE", "faults")
