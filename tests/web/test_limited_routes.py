"""Every door with a lasting effect is limited per caller; what is refused leaves counted samples, not a line each."""

import asyncio
from uuid import uuid4

import httpx
import pytest
from litestar.routes import HTTPRoute

from app.audit import samples
from app.core import db
from app.core.redis import async_client
from app.main import create_app
from app.web.kernel.rate_limits import is_limited
from tests.conftest import free_port
from tests.web.builders import count, csrf_of, logged, picture
from tests.web.conftest import Shop

# Not counted by caller: genuine notices are never turned away and forged ones are counted samples; the merchants' API
# counts by key. Each is here by its path, so that a new one is a decision.
BY_OTHER_MEANS = ("/webhooks/", "/payments/ipn", "/kinguin/webhooks", "/api/v1/")
READS_WITH_A_TRACE = {"/fulfillment/{order_id:str}/download-link"}
SAFE = {"GET", "HEAD", "OPTIONS"}


def doors() -> list[tuple[str, str, bool]]:
    """Every route as method, path and whether it counts."""
    return [
        (method, route.path, is_limited(method, route.path, handler))
        for route in create_app().routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        for method in sorted(handler.http_methods)
    ]


def test_every_door_that_changes_something_has_its_limit() -> None:
    found = doors()
    writing = [(path, limited) for method, path, limited in found if method not in SAFE]
    assert len(writing) > 60
    unlimited = {path for path, limited in writing if not limited}
    assert {path for path in unlimited if not path.startswith(BY_OTHER_MEANS)} == set()
    assert {path for method, path, limited in found if limited and method == "GET"} == READS_WITH_A_TRACE


POSTS = sorted({path for method, path, limited in doors() if method == "POST" and limited})


@pytest.fixture(scope="module")
def stingy_shop(sandbox_process: str):
    found = Shop("stingy", LIMIT_WRITES="2")
    yield found
    found.end()


async def test_hammering_any_door_is_429_and_changes_nothing_beyond_its_limit(app, stingy_shop, outside) -> None:
    page = await outside.get(f"{stingy_shop.url}/login", headers={"accept": "text/html"})
    fields = {"_csrf_token": csrf_of(page)}
    for path in POSTS:
        where = path
        while "{" in where:
            where = where[: where.index("{")] + str(uuid4()) + where[where.index("}") + 1 :]
        async with async_client() as redis:
            await redis.flushall()
        said = [(await outside.post(stingy_shop.url + where, data=fields)).status_code for _ in range(5)]
        assert 429 in said, (path, said)
        before = await picture()
        # A minute may end in between, which lets two more through: unless all of these are refused, look once more.
        more = [(await outside.post(stingy_shop.url + where, data=fields)).status_code for _ in range(2)]
        if set(more) == {429}:
            assert await picture() == before, path


async def test_800_looks_at_a_download_link_are_a_few_lines_and_a_count(visitor, placed) -> None:
    owner, stranger = visitor("application/json", **placed.bearer), visitor("application/json")
    path = f"/fulfillment/{placed.id}/download-link?itemId={placed.item_id}"
    for who in (owner, stranger):
        await asyncio.gather(*(who.get(path) for _ in range(400)))
    lines = await logged("key.denied", "order.denied")
    assert 2 * samples.EACH <= len(lines) <= 4 * samples.EACH
    counted = await db.fetch("SELECT DISTINCT details FROM audit_line WHERE details LIKE '%by this caller this hour%'")
    assert any("(100 by this caller this hour)" in row["details"] for row in counted) or len(lines) > 2 * samples.EACH


async def test_strangers_from_everywhere_can_not_fill_the_log_either(app) -> None:
    said = [await samples.counted("order.denied", f"192.0.{n // 250}.{n % 250}") for n in range(1000)]
    written = [words for words in said if words is not None]
    assert len(written) == samples.ALL + 1
    assert written[-1] == " (1000 by all callers this hour)"


async def test_wrong_passwords_from_everywhere_are_counted_samples_too(app, visitor) -> None:
    assert await count("audit_line") == 0
    for number in range(samples.EACH + 5):
        assert (await samples.counted("admin.login_failed", "192.0.2.1") is not None) == (number < samples.EACH)


async def test_with_redis_away_the_limits_hold_in_each_process(app) -> None:
    shop = Shop("alone", LIMIT_WRITES="3", LIMIT_ORDERS="3", REDIS_URL=f"redis://127.0.0.1:{free_port()}/0")
    try:
        async with httpx.AsyncClient(base_url=shop.url) as client:
            said = [(await client.post("/orders", json={})).status_code for _ in range(12)]
    finally:
        shop.end()
    assert said[:3] == [400] * 3
    assert said.count(400) <= 6, "two minutes, where one began in between"
    assert 429 in said
