"""Two merchants, each with one person, and what they hold."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.core import clock, db
from app.core.ids import new_id
from app.merchants import service
from tests.web.builders import session_of, submit
from tests.web.conftest import Visitors


@dataclass
class Member:
    """A person of a merchant's team, with the browser that person is signed in with."""

    email: str
    merchant_id: UUID
    browser: httpx.AsyncClient
    mode: str = "test"

    @property
    def ctx(self) -> str:
        return f"{self.merchant_id}.{self.mode}"

    async def get(self, path: str) -> httpx.Response:
        return await self.browser.get(path)

    async def post(self, path: str, fields: dict[str, Any] | None = None) -> httpx.Response:
        """Send a form of a page, as it was opened in this member's context."""
        return await submit(self.browser, path, {"merchant_context": self.ctx, **(fields or {})})

    async def switch(self, mode: str) -> None:
        answer = await submit(self.browser, "/merchant/choices", {"mode": mode})
        assert answer.status_code == 303, answer.text
        self.mode = mode


JoinTeam = Callable[..., Awaitable[Member]]


async def joined(merchant_id: UUID, email: str) -> UUID:
    member_id, now = new_id(), clock.now()
    await db.fetch(
        """INSERT INTO member (id, merchant_id, email, invited_by, invited_at, joined_at)
           VALUES ($1, $2, $3, 'boss@bitloot.test', $4, $4)""",
        member_id, merchant_id, email, now,
    )  # fmt: skip
    return member_id


async def signed_in(browser: httpx.AsyncClient, email: str) -> httpx.AsyncClient:
    browser.cookies.set("bitloot_session", await session_of(email), domain="127.0.0.1", path="/")
    return browser


@pytest.fixture
async def join_team(visitor: Visitors) -> JoinTeam:
    """Makes a signed-in person in the team of a merchant: of a new one, or of ``merchant_id``."""

    async def make(email: str, *, name: str = "Acme", merchant_id: UUID | None = None) -> Member:
        found = merchant_id or await service.create_merchant(name)
        await joined(found, email)
        return Member(email, found, await signed_in(visitor(), email))

    return make


@pytest.fixture
async def ann(join_team: JoinTeam) -> Member:
    return await join_team("ann@acme.test", name="Acme")


@pytest.fixture
async def eve(join_team: JoinTeam) -> Member:
    """Of another merchant."""
    return await join_team("eve@rival.test", name="Rival")
