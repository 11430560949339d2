"""The page about webhooks: its code takes what we sign and refuses what we did not, and its figures are the code's."""

import json
import re
import shutil
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from app.contract.event_guide import EVENTS
from app.core import clock
from app.core.crypto import Plaintext
from app.providers import merchant_exchange, merchant_http
from app.webhooks import deliver, publish, schedule, service, signing
from tests.conftest import ROOT
from tests.webhooks.receivers import SECRET

PAGE = (ROOT / "docs" / "webhooks.md").read_text()
CODE = re.findall(r"^```(\w+)\n(.*?)^```", PAGE, re.M | re.S)
BODY = json.dumps(EVENTS["payment.success"].payload, separators=(",", ":")).encode()
OTHER = "whsec_" + "A" * 44

ASK_PYTHON = """
import json, sys
asked = json.load(sys.stdin)
print(json.dumps([genuine(one["headers"], one["body"].encode(), one["secret"]) for one in asked]))
"""
ASK_NODE = """
const asked = JSON.parse(require("node:fs").readFileSync(0));
console.log(JSON.stringify(asked.map((one) => genuine(one.headers, Buffer.from(one.body), one.secret))));
"""
ASK_PHP = """
$asked = json_decode(file_get_contents('php://stdin'), true);
$server = fn ($h) => array_combine(array_map(fn ($n) => 'HTTP_' . strtoupper(strtr($n, '-', '_')), array_keys($h)), $h);
echo json_encode(array_map(fn ($one) => genuine($server($one['headers']), $one['body'], $one['secret']), $asked));
"""


def code(language: str, holding: str = "") -> str:
    return next(text for name, text in CODE if name == language and holding in text)


def signed(*secrets: str, ago: timedelta = timedelta(), body: bytes = BODY) -> dict[str, str]:
    return signing.headers("evt-1", clock.now() - ago, body, [Plaintext(secret.encode()) for secret in secrets])


def cases() -> list[tuple[dict[str, object], bool]]:
    """Deliveries, and whether they are genuine."""
    good = signed(SECRET)
    made = [
        (good, BODY, True),
        (signed(OTHER, SECRET), BODY, True),
        (signed(SECRET, ago=timedelta(seconds=290)), BODY, True),
        (signed(SECRET, ago=timedelta(seconds=310)), BODY, False),
        (signed(SECRET, ago=-timedelta(seconds=310)), BODY, False),
        (signed(OTHER), BODY, False),
        (good, BODY + b" ", False),
        (good | {"webhook-id": "evt-2"}, BODY, False),
        (good | {"webhook-timestamp": str(int(time.time()) + 1)}, BODY, False),
        (good | {"webhook-timestamp": "soon"}, BODY, False),
        (good | {"webhook-signature": ""}, BODY, False),
        (good | {"webhook-signature": "v1,ü"}, BODY, False),
        ({"webhook-id": "evt-1"}, BODY, False),
    ]
    return [({"headers": headers, "body": body.decode(), "secret": SECRET}, true) for headers, body, true in made]


@pytest.mark.parametrize(
    ("language", "command", "ask"),
    [
        ("python", [sys.executable, "-"], ASK_PYTHON),
        pytest.param("js", ["node"], ASK_NODE, marks=pytest.mark.skipif(not shutil.which("node"), reason="no Node")),
        pytest.param("php", ["php"], ASK_PHP, marks=pytest.mark.skipif(not shutil.which("php"), reason="no PHP")),
    ],
)
def test_the_code_of_the_page_knows_what_is_genuine(
    language: str, command: list[str], ask: str, tmp_path: Path
) -> None:
    script = tmp_path / f"check.{language}"
    script.write_text(code(language, "genuine(") + ask)
    asked = cases()
    told = json.dumps([one for one, _ in asked])
    done = subprocess.run([command[0], str(script)], input=told, capture_output=True, text=True, check=True, timeout=30)
    assert json.loads(done.stdout) == [true for _, true in asked]


def test_the_shells_lines_print_the_signatures(tmp_path: Path) -> None:
    (tmp_path / "body").write_bytes(BODY)
    headers = signed(SECRET)
    env = {
        "SECRET": SECRET, "WEBHOOK_ID": headers["webhook-id"], "WEBHOOK_TIMESTAMP": headers["webhook-timestamp"],
        "PATH": "/usr/local/bin:/usr/bin:/bin",
    }  # fmt: skip

    def run(script: str) -> str:
        done = subprocess.run(["sh", "-c", script], cwd=tmp_path, env=env, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    assert "v1," + run(code("sh", "hexkey")) == headers["webhook-signature"]
    assert run(code("sh", "-hex <")).endswith(f"= {headers['x-webhook-signature']}")


def test_the_pages_example_is_the_shape_that_is_sent() -> None:
    shown, sent = json.loads(code("json", "payment.success")), EVENTS["payment.success"].payload
    assert {name: value for name, value in shown.items() if name != "data"} == {
        name: value for name, value in sent.items() if name != "data"
    }
    assert all(sent["data"][name] == value for name, value in shown["data"].items() if name != "…")


def test_the_figures_of_the_page_are_those_of_the_code() -> None:
    assert schedule.LIVE == (60, 300, 1800, 7200)
    assert (0.1, timedelta(days=1)) == (schedule.JITTER, schedule.LONGEST_WISH)
    assert schedule.intervals(test=True) == (5, 10, 15, 20)
    assert (20, timedelta(days=1), 2048) == (deliver.MANY, deliver.LONG, deliver.KEPT_TEXT)
    assert (timedelta(days=30), timedelta(days=7)) == (publish.KEPT, service.LONGEST_OVERLAP)
    assert (merchant_http.TOTAL_SECONDS, merchant_exchange.MAX_BODY_BYTES) == (10, 64 * 1024)
    assert merchant_exchange.REST_SECONDS == 3
    assert service.MOST_RESENT == 5000


def test_each_header_that_is_signed_with_is_on_the_page() -> None:
    assert all(f"| `{name}` |" in PAGE for name in signed(SECRET, OTHER))
