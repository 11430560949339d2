"""Emailed links: each proves an address once, for a time; a look at one uses nothing up."""

import asyncio
import base64
from datetime import timedelta
from uuid import UUID

import pytest

from app.accounts import service as accounts
from app.accounts import tokens
from app.accounts.service import LinkSpent, Proof
from app.accounts.tokens import Session
from app.core import clock
from app.core.ids import new_id
from app.core.tokens import link_token
from tests.builders import EMAIL, rows

SECOND = timedelta(seconds=1)


async def issued(purpose: str = "login", order_id: UUID | None = None) -> str:
    return link_token(await accounts.issue_link(EMAIL, purpose, order_id))


async def refused(token: str) -> None:
    """The link says nothing, can't be used, and nothing changes by trying."""
    before = await rows()
    assert await accounts.look_at_link(token) is None
    with pytest.raises(LinkSpent):
        await accounts.consume_link(token)
    assert await rows() == before


async def test_a_link_proves_the_address_and_the_order_it_was_mailed_about(app) -> None:
    order_id = new_id()
    assert await accounts.consume_link(await issued("order", order_id)) == Proof(EMAIL, "order", order_id)


async def test_a_look_at_a_link_uses_nothing_up(app) -> None:
    token = await issued()
    before = await rows()
    for _ in range(3):
        assert await accounts.look_at_link(token) == Proof(EMAIL, "login", None)
    assert await rows() == before
    await accounts.consume_link(token)


async def test_a_link_works_once(app) -> None:
    token = await issued()
    await accounts.consume_link(token)
    await refused(token)


async def test_of_ten_who_use_a_link_at_once_one_gets_in(app) -> None:
    token = await issued()
    ended = await asyncio.gather(*(accounts.consume_link(token) for _ in range(10)), return_exceptions=True)
    assert [e for e in ended if isinstance(e, Proof)] == [Proof(EMAIL, "login", None)]
    assert sum(isinstance(e, LinkSpent) for e in ended) == 9


@pytest.mark.parametrize(
    ("purpose", "lifetime"), [("login", accounts.LOGIN_LIFETIME), ("order", accounts.ORDER_LIFETIME)]
)
async def test_a_link_ends_with_its_time(app, purpose: str, lifetime: timedelta) -> None:
    token = await issued(purpose)
    with clock.travelled(lifetime - SECOND):
        assert await accounts.look_at_link(token) is not None
    with clock.travelled(lifetime + SECOND):
        await refused(token)


async def test_a_forged_link_and_one_that_was_never_issued_say_the_same(app) -> None:
    genuine = await issued()
    raw = base64.urlsafe_b64decode(genuine + "=" * 4)
    forged = base64.urlsafe_b64encode(raw[:-1] + bytes([raw[-1] ^ 1])).decode().rstrip("=")
    for token in (forged, link_token(new_id()), "", "x" * 48, "ü", genuine[:-4]):
        await refused(token)
    assert await accounts.look_at_link(genuine) is not None


def test_an_orders_token_opens_those_orders_and_keeps_the_newest() -> None:
    ids = [new_id() for _ in range(tokens.ORDERS_KEPT + 5)]
    assert tokens.read_orders(tokens.orders_token(ids)) == ids[5:]
    assert tokens.read_orders(tokens.orders_token([ids[0], ids[1], ids[0]])) == ids[:2]


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "ü.ü.ü"])
def test_a_malformed_token_opens_nothing(token: str) -> None:
    assert tokens.read_orders(token) == []
    assert tokens.read_session(token) is None


def test_a_session_is_read_back_until_it_ends_an_admins_sooner() -> None:
    customer, admin = Session(new_id(), EMAIL, "customer"), Session(new_id(), "admin@x.io", "admin")
    held = [tokens.session_token(s) for s in (customer, admin)]
    assert [tokens.read_session(token) for token in held] == [customer.id, admin.id]
    with clock.travelled(tokens.STAFF_LIFETIME + SECOND):
        assert [tokens.read_session(token) for token in held] == [customer.id, None]
    with clock.travelled(tokens.SESSION_LIFETIME + SECOND):
        assert tokens.read_session(held[0]) is None


def test_a_session_opens_no_order_and_an_orders_token_is_no_session() -> None:
    assert tokens.read_orders(tokens.session_token(Session(new_id(), EMAIL, "admin"))) == []
    assert tokens.read_session(tokens.orders_token([new_id()])) is None
