"""The guide's code, run as it is printed: each piece alone, and all pieces of a language in one file."""

import asyncio
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from app.web.kernel.render import templates
from app.web.merchant.guide import LANGUAGES, STEPS
from tests.journeys.merchant_pages import Site
from tests.webhooks.receivers import SECRET

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
RUNS = {"curl": ["bash", "-eu"], "python": [sys.executable], "node": ["node"], "php": ["php"]}
ENDINGS = {"curl": "sh", "python": "py", "node": "mjs", "php": "php"}


def there(language: str) -> bool:
    needs = [RUNS[language][0], *(["curl", "openssl"] if language == "curl" else [])]
    return all(shutil.which(program) for program in needs)


EACH = [
    pytest.param(name, marks=pytest.mark.skipif(not there(name), reason=f"no {LANGUAGES[name]} here")) for name in RUNS
]


def printed(site: Site, language: str, step: str) -> str:
    facts = {"api": f"{site.env.url}/api/v1", "key": site.merchant["key"], "secret": site.merchant["secret"]}
    return templates().get_template(f"merchant/snippets/{step}.{language}.txt").render(facts).rstrip("\n") + "\n"


async def run(language: str, folder: Path, code: str, **env: str) -> str:
    """What it prints, on a machine of its own settings. It must end well."""
    file = folder / f"snippet.{ENDINGS[language]}"
    file.write_text(code)
    given = {"PATH": os.environ["PATH"], "WEBHOOK_SECRET": SECRET} | env
    command = [*RUNS[language], str(file)]
    done = await asyncio.to_thread(
        subprocess.run, command, cwd=folder, env=given, capture_output=True, text=True, timeout=90
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def named(text: str, kind: str) -> list[str]:
    """Ids of a kind in what was printed: those of JSON by their object, those of lines by their place."""
    if '"object"' in text:
        return [m[1] for m in re.finditer(rf'"id": ?"({UUID})", ?"object": ?"{kind}"', text)]
    lines = re.findall(rf"^({UUID}) \w+$", text, re.M)
    place = {"order": 0, "payment": 1, "refund": 2}[kind]
    return lines[place : place + 1] if len(lines) > 1 else lines


@pytest.mark.parametrize("language", EACH)
async def test_each_piece_of_the_guide_runs_alone(site: Site, language: str, tmp_path: Path) -> None:
    keys = {"BITLOOT_KEY": site.merchant["key"], "BITLOOT_SECRET": site.merchant["secret"]}
    (order,) = named(await run(language, tmp_path, printed(site, language, "order")), "order")
    text = await run(language, tmp_path, printed(site, language, "payment"), ORDER_ID=order, **keys)
    (payment,) = named(text, "payment")
    text = await run(language, tmp_path, printed(site, language, "refund"), PAYMENT_ID=payment, **keys)
    (refund,) = named(text, "refund")
    await run(language, tmp_path, printed(site, language, "verify"))
    assert (await site.api("GET", f"/orders/{order}"))["amount"] == "20.00"
    assert (await site.api("GET", f"/payments/{payment}"))["captured"] == "20.00"
    made = await site.api("GET", f"/refunds/{refund}")
    assert (made["payment_id"], made["amount"], made["reason"]) == (payment, "10.00", "One of two came back")


@pytest.mark.parametrize("language", EACH)
async def test_all_pieces_of_a_language_run_in_one_file_and_once_more(
    site: Site, language: str, tmp_path: Path
) -> None:
    order = ("order", "payment", "verify", "refund")  # as they stand in the guide
    assert sorted(order) == sorted(STEPS)
    code = "\n".join(printed(site, language, step) for step in order)
    seen = set()
    for _ in range(2):  # nothing of the first run is in the second one's way
        (refund,) = named(await run(language, tmp_path, code), "refund")
        made = await site.api("GET", f"/refunds/{refund}")
        assert made["amount"] == "10.00"
        assert (await site.api("GET", f"/payments/{made['payment_id']}"))["captured"] == "20.00"
        seen.add(refund)
    assert len(seen) == 2


async def test_no_piece_names_an_idempotency_key_that_two_readers_would_share(site: Site) -> None:
    for language in RUNS:
        for step in STEPS:
            text = printed(site, language, step)
            keys = re.findall(r'(?:Idempotency-Key: |idempotency_key=)([^"\n]+)', text)
            assert all(re.search(r"rand|uuid|\$idempotencyKey", key) for key in keys), (language, step, keys)
