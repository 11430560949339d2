"""The documentation at /docs: one navigation for guides and for what comes from the code, and no way to a file."""

import asyncio
import os
import re
import sys

import pytest

from app.contract.event_guide import EVENTS
from app.web.api.error_codes import CATALOG
from app.web.manual.site import site
from tests.conftest import ROOT
from tests.web.pages import Page, crawl
from tests.web.test_every_page import assert_clean, assert_dressed

FROM_CODE = {
    "/api/docs", "/api/docs/shop", "/docs/errors", "/docs/events",
    *(f"/docs/errors/{code}" for code in CATALOG), *(f"/docs/events/{name}" for name in EVENTS),
}  # fmt: skip
ODD = (
    "/docs/nothing", "/docs/webhooks.md", "/docs/site.json", "/docs/conf.py", "/docs/decisions/nothing", "/docs/a/b/c",
    "/docs/../pyproject.toml", "/docs/%2e%2e/pyproject.toml", "/docs/..%2f..%2fpyproject.toml",
    "/docs/decisions/README", "/docs/decisions/../../pyproject.toml", "/docs/%00", "/docs/" + "a" * 5000,
    "/docs//etc/passwd",
)  # fmt: skip


def navigation(text: str) -> str:
    return text.partition('aria-label="Documentation"')[2].partition("</nav>")[0]


async def test_a_page_of_the_reference_is_one_persons_and_no_cache_may_keep_it(browser_client) -> None:
    for path in ("/api/docs", "/api/docs/reference", "/api/docs/shop", "/docs", "/docs/errors"):
        answer = await browser_client.get(path)
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store"), path


async def test_every_page_of_the_documentation_answers_and_stands_in_one_navigation(browser_client) -> None:
    pages = {*site().pages, *FROM_CODE}
    assert len(pages) > 100
    tops = {entry.path for section in site().sections for entry in section.pages} | {"/docs", "/api/docs"}
    for path in pages:
        answer = await browser_client.get(path)
        assert answer.status_code == 200, path
        assert_dressed(path, answer)
        found = Page(answer.text)
        assert found.faults == [], path
        assert len(found.ids) == len(set(found.ids)), path
        assert answer.text.count("<h1") == 1, path
        links = set(re.findall(r'href="([^"]+)"', navigation(answer.text)))
        assert links >= tops, path
        assert f'<a href="{path}" aria-current="page">' in answer.text or path == "/docs", path
        assert {link[1:] for link in re.findall(r'href="(#[^"]+)"', answer.text)} <= set(found.ids), path


async def test_links_of_the_documentation_lead_to_every_page_of_it_and_to_nothing_that_is_missing(
    browser_client,
) -> None:
    seen = await crawl(browser_client, "/docs")
    assert {path: answer.status_code for path, answer in seen.items() if answer.status_code not in {200, 303}} == {}
    assert {*site().pages, *FROM_CODE} - seen.keys() == set()


async def test_what_is_no_page_of_the_documentation_is_not_found_and_no_file_is_given(browser_client) -> None:
    for path in ODD:
        answer = await browser_client.get(path)
        assert answer.status_code in {400, 404}, path
        assert_dressed("/docs", answer)
        for word in ("build-backend", "root:", '"sections"', "myst_parser"):
            assert word not in answer.text, path


async def test_a_guide_is_a_page_in_a_browser_and_markdown_for_a_terminal(visitor) -> None:
    for path, guide in site().pages.items():
        page = await visitor().get(path)
        assert_clean(path, page)
        plain = await visitor("text/plain").get(path)
        wanted = "text/html" if path == "/docs" else "text/plain"
        assert plain.headers["content-type"].startswith(wanted)
        assert path == "/docs" or plain.text == guide.source


ASK = """
import asyncio, httpx
from app.main import create_app

async def ask():
    to, html = httpx.ASGITransport(app=create_app()), {"accept": "text/html"}
    async with httpx.AsyncClient(transport=to, base_url="http://127.0.0.1", headers=html) as client:
        for path in ("/docs", "/docs/webhooks", "/docs/errors/no_such_order", "/docs/events/order.paid", "/api/docs"):
            answer = await client.get(path)
            print(answer.status_code, path, "make docs" in answer.text, 'href="/docs/errors"' in answer.text)

asyncio.run(ask())
"""


@pytest.fixture
def unbuilt(tmp_path):
    """A checkout in which nobody built the documentation."""
    (tmp_path / "app").mkdir()
    for path in (ROOT / "app").iterdir():
        if path.name != "docs":
            (tmp_path / "app" / path.name).symlink_to(path)
    for name in ("templates", "static", "examples", "actors", "dev", "locale", "piccolo_conf.py"):
        if (ROOT / name).exists():
            (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path


async def test_without_a_build_a_page_says_how_to_build_and_errors_and_events_still_have_theirs(app, unbuilt) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", ASK, cwd=unbuilt, env=os.environ | {"PYTHONPATH": str(unbuilt)},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    said = [line for line in out.decode().splitlines() if line[:1].isdigit()]
    assert said == [
        "404 /docs True True", "404 /docs/webhooks True True", "200 /docs/errors/no_such_order False True",
        "200 /docs/events/order.paid False True", "200 /api/docs False True",
    ]  # fmt: skip
