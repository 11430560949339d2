"""A form that failed on our side may have taken effect: its repeat does nothing. One turned away wrote nothing."""

import contextlib
import os
from collections.abc import AsyncIterator

import httpx
import pytest
from litestar import Litestar, post

from app.core import db
from app.core.errors import Unavailable
from app.main import create_app
from app.web.kernel import errors, rate_limits
from app.web.kernel.form_keys import FormKeys
from app.web.kernel.request_context import RequestContext
from tests.web.builders import count, picture
from tests.web.conftest import Shop
from tests.web.test_sent_twice import form

SENT = {"_form_key": "a key", "amount": "5"}


@post("/effects", opt=rate_limits.bucket("orders"))
async def broken_after_its_effect() -> None:
    """Commits, and then can't answer."""
    await db.fetch("INSERT INTO issue_of_test VALUES (1)")
    raise RuntimeError("the page could not be rendered")


@post("/refusals")
async def refused_for_now() -> None:
    """Says of its own accord that it can't now, before anything has happened."""
    raise Unavailable("Try again in a few seconds.")


@pytest.fixture
async def doors(app) -> AsyncIterator[httpx.AsyncClient]:
    small = Litestar(
        [broken_after_its_effect, refused_for_now],
        middleware=[RequestContext(), FormKeys()],
        exception_handlers={Exception: errors.handle},
        guards=[rate_limits.by_caller],
        openapi_config=None,
        logging_config=None,
    )
    await db.fetch("CREATE TABLE issue_of_test (n integer)")
    transport = httpx.ASGITransport(app=small, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=f"http://127.0.0.1:{os.environ['PORT']}") as client:
        client.headers["accept"] = "text/html"
        yield client
    await db.fetch("DROP TABLE issue_of_test")


async def test_a_form_that_broke_after_its_effect_takes_none_the_second_time_and_says_what_is_not_known(doors) -> None:
    first = await doors.post("/effects", data=SENT)
    second = await doors.post("/effects", data=SENT)
    assert (first.status_code, second.status_code) == (500, 409)
    assert await count("issue_of_test") == 1
    assert "We don’t know whether this worked" in second.text
    assert "check your orders and your inbox" in second.text
    assert "took effect once" not in second.text
    anew = await doors.post("/effects", data=SENT | {"_form_key": "the key of the page loaded anew"})
    assert anew.status_code == 500
    assert await count("issue_of_test") == 2


async def test_a_form_that_was_refused_for_now_can_be_sent_again_as_it_is(doors) -> None:
    said = [(await doors.post("/refusals", data=SENT)).status_code for _ in range(2)]
    assert said == [503, 503]
    assert await count("form_submission") == 0


@contextlib.asynccontextmanager
async def nothing_may_be_claimed() -> AsyncIterator[None]:
    """While it lasts, whoever writes a submission gets an error, and its caller 500 or 503."""
    await db.fetch(
        """CREATE FUNCTION no_claim() RETURNS trigger LANGUAGE plpgsql AS
           $$ BEGIN RAISE EXCEPTION 'a submission was written'; END $$"""
    )
    await db.fetch(
        """CREATE TRIGGER no_claim BEFORE INSERT OR UPDATE OR DELETE ON form_submission
           FOR EACH STATEMENT EXECUTE FUNCTION no_claim()"""
    )
    try:
        yield
    finally:
        await db.fetch("DROP FUNCTION no_claim CASCADE")


@pytest.fixture(scope="module")
def stingy_shop(sandbox_process: str):
    found = Shop("stingy-forms", LIMIT_LOGINS="2", LIMIT_LOOKUPS="2")
    yield found
    found.end()


@pytest.mark.parametrize(("page", "action"), [("/login", "/login"), ("/orders/lookup", "/orders/lookup")])
async def test_a_form_beyond_the_limit_writes_nothing_at_all(app, stingy_shop, page: str, action: str) -> None:
    async with httpx.AsyncClient(base_url=stingy_shop.url, headers={"accept": "text/html"}, timeout=20) as browser:
        sent = await form(browser, page, action, email="delivered+limit@resend.dev")
        for _ in range(5):  # a minute may end in between
            last = await browser.post(action, data=sent)
        assert last.status_code == 429
        async with nothing_may_be_claimed():
            before = await picture()
            said = {(await browser.post(action, data=sent | {"n": str(n)})).status_code for n in range(3)}
            assert said <= {429, 500}
            if 500 not in said:  # else another minute began
                assert await picture() == before
        assert 429 in said


async def test_a_form_without_its_csrf_token_writes_nothing_at_all(visitor) -> None:
    browser = visitor()
    sent = await form(browser, "/login", "/login", email="delivered+csrf@resend.dev")
    async with nothing_may_be_claimed():
        before = await picture()
        refused = await browser.post("/login", data=sent | {"_csrf_token": "x"})
        assert refused.status_code == 403
        assert await picture() == before


def test_each_bucket_that_a_handler_names_is_a_setting() -> None:
    named = {
        handler.opt["bucket"]
        for route in create_app().routes
        for handler in getattr(route, "route_handlers", ())
        if "bucket" in handler.opt
    }
    assert named == {"orders", "payments", "reveals", "links", "logins", "lookups"}
