"""The public manual: a page for each code that the API may answer, and for each event that is sent."""

import json
import re
import subprocess
import sys

import jsonschema
import pytest

from app.contract.event_guide import EVENTS
from app.contract.event_types import TYPES
from app.core import clock
from app.core.errors import Problem
from app.core.ids import new_id
from app.web.api.error_codes import CATALOG
from app.web.kernel.render import templates
from app.webhooks import secrets, signing
from tests.conftest import ROOT
from tests.web.pages import Page

ROOMS = ("app.web.api", "app.orders.merchant_orders", "app.payments.create_for_merchants", "app.payments.cards",
         "app.payments.test_processor", "app.refunds.create_for_merchants", "app.webhooks.service",
         "app.merchants.idempotency")  # fmt: skip


def below(parent: type[Problem]) -> set[type[Problem]]:
    return {parent}.union(*(below(child) for child in parent.__subclasses__()))


async def test_every_code_of_the_api_is_told(app) -> None:
    raised = {each().code for each in below(Problem) if each.__module__.startswith(ROOMS)}
    assert len(raised) > 20
    assert raised <= set(CATALOG)


async def test_each_code_has_its_page_and_an_unknown_one_has_none(browser_client) -> None:
    index = Page((await browser_client.get("/docs/errors")).text)
    for code in CATALOG:
        answer = await browser_client.get(f"/docs/errors/{code}")
        assert answer.status_code == 200, code
        assert CATALOG[code].do in answer.text.replace("&#34;", '"').replace("&#39;", "'")
        assert Page(answer.text).faults == []
        assert f"/docs/errors/{code}" in index.links
    for unknown in ("nonsense", "wrong_password", "%00"):
        assert (await browser_client.get(f"/docs/errors/{unknown}")).status_code in {400, 404}


async def test_each_event_has_its_page_and_its_example_fits_its_schema(browser_client) -> None:
    assert set(EVENTS) >= set(TYPES)
    for name in EVENTS:
        page = await browser_client.get(f"/docs/events/{name}")
        assert page.status_code == 200
        assert Page(page.text).faults == []
        schema = (await browser_client.get(f"/docs/events/{name}/schema.json")).json()
        jsonschema.validate(EVENTS[name].payload, schema)
    assert (await browser_client.get("/docs/events/order.eaten")).status_code == 404


async def test_the_sample_shop_and_the_page_about_webhooks_are_there_to_be_read(client) -> None:
    for path, file in (("/examples/shop.py", "examples/shop.py"), ("/docs/webhooks", "docs/webhooks.md")):
        answer = await client.get(path)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert answer.content == (ROOT / file).read_bytes()


def snippet(name: str) -> str:
    return templates().get_template(f"merchant/snippets/{name}.txt").render(key="k", secret="s", api="http://x")


CHECKERS = {
    "python": [sys.executable, "-c"],
    "curl": ["bash", "-c"],
}


@pytest.mark.parametrize("language", CHECKERS)
@pytest.mark.parametrize("bent", [False, True])
def test_the_guides_lines_tell_a_genuine_request_from_a_bent_one(language: str, bent: bool, tmp_path) -> None:
    """As they stand in the guide, given what we would send."""

    secret, body = secrets.fresh(), b'{"id":"x","words":"\xc3\xbc"}'
    head = signing.headers(str(new_id()), clock.now(), body, [secret])
    body += b" " * bent
    (tmp_path / "body.json").write_bytes(body)
    env = {name.upper().replace("-", "_"): value for name, value in head.items()}
    env |= {"WEBHOOK_SECRET": secret.reveal().decode(), "PATH": "/usr/bin:/bin", "HEAD": json.dumps(head)}
    program = snippet(f"verify.{language}")
    if language == "python":
        program += (
            "\nprint('genuine' if event_of(json.loads(os.environ['HEAD']), open('body.json', 'rb').read()) else '')"
        )
    done = subprocess.run(
        [*CHECKERS[language], program], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    assert ("genuine" in done.stdout) is not bent, done.stderr
    assert ("forged" in done.stdout + done.stderr) is bent


async def test_the_guide_to_webhooks_is_a_page_in_a_browser_and_text_for_a_terminal(visitor) -> None:
    seen = await visitor().get("/docs/webhooks")
    assert seen.headers["content-type"].startswith("text/html")
    for part in ("<h1>Webhooks</h1>", "<h2>The request</h2>", "webhook-signature</span></code>", '<th scope="col">'):
        assert part in seen.text, part
    content = seen.text.partition("<article")[2].partition("</article>")[0]
    prose = re.sub(r"<(pre|code)\b.*?</\1>", "", content, flags=re.S)
    assert [sign for sign in ("**", "](", "```", "| ---", "`") if sign in prose] == []
    text = await visitor("text/plain").get("/docs/webhooks")
    assert (text.headers["content-type"].partition(";")[0], text.text[:10]) == ("text/plain", "# Webhooks")
