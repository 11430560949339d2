"""Logs: one JSON object a line, with the ids that are bound, and what is called a secret hidden."""

import json
import subprocess
import sys

from tests.builders import elsewhere
from tests.conftest import ROOT

PROGRAM = """
import logging
from app.core import log
from app.core.crypto import Plaintext
log.set_up("INFO", "test")
with log.bound(order_id="o-1"):
    log.get("bitloot.x").info("thing.happened", token="t0ps3cret", password="t0ps3cret", value="t0ps3cret", n=1)
    logging.getLogger("library").warning("ours too", extra={"cookie": "t0ps3cret", "status": 500})
    log.get("bitloot.x").info("key.opened", key=Plaintext(b"t0ps3cret"))
    try:
        raise ValueError("broken")
    except ValueError:
        log.get("bitloot.x").error("it.broke", exc_info=True)
log.get("bitloot.x").debug("too.quiet")
logging.getLogger("httpx").info("too noisy")
"""


def test_logs_are_json_lines_with_bound_ids_and_no_secrets() -> None:
    run = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, env=elsewhere(), capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    lines = [json.loads(line) for line in run.stderr.splitlines()]
    assert [line["event"] for line in lines] == ["thing.happened", "ours too", "key.opened", "it.broke"]
    assert {(line["order_id"], line["process"]) for line in lines} == {("o-1", "test")}
    assert (lines[0]["n"], lines[0]["level"], lines[1]["status"]) == (1, "info", 500)
    assert "ValueError: broken" in lines[3]["exception"]
    assert "t0ps3cret" not in run.stderr
    assert run.stdout == ""
