"""The guide's receivers, put to our own test: ``bitloot webhooks check`` finds nothing in any of them."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.core import clock
from app.core.crypto import Plaintext
from app.providers.merchant_http import MerchantHttp
from app.web.kernel.render import templates
from app.webhooks import signing
from app.webhooks.conformance import ConformanceCheck
from tests.conftest import free_port
from tests.webhooks.receivers import SECRET

PYTHON = """
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            event_of({name.lower(): value for name, value in self.headers.items()}, body)
            self.send_response(204)
        except ValueError:
            self.send_response(401)
        self.end_headers()
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver).serve_forever()
"""
NODE = """
import { createServer } from "node:http";
createServer((request, answer) => {
  const parts = [];
  request.on("data", (part) => parts.push(part)).on("end", () => {
    let status = 204;
    try { eventOf(request.headers, Buffer.concat(parts)); }
    catch (error) { status = ["too old", "forged"].includes(error.message) ? 401 : 500; }
    answer.writeHead(status).end();
  });
}).listen(Number(process.argv[2]), "127.0.0.1");
"""
PHP = """
<?php
try { event_of(array_change_key_case(getallheaders()), file_get_contents('php://input')); http_response_code(204); }
catch (Exception $error) { http_response_code(in_array($error->getMessage(), ['too old', 'forged']) ? 401 : 500); }
"""
RECEIVERS = {
    "python": (PYTHON, "py", lambda file, port: [sys.executable, file, port]),
    "node": (NODE, "mjs", lambda file, port: ["node", file, port]),
    "php": (PHP, "php", lambda file, port: ["php", "-d", "display_errors=0", "-S", f"127.0.0.1:{port}", file]),
}
EACH = [
    pytest.param(name, marks=pytest.mark.skipif(name != "python" and not shutil.which(name), reason=f"no {name} here"))
    for name in RECEIVERS
]
Receive = Callable[[str], str]


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receive]:
    """Runs the guide's receiver of a language behind a few lines of a server; answers its address."""
    running: list[subprocess.Popen[bytes]] = []

    def begin(language: str) -> str:
        server, ending, command = RECEIVERS[language]
        file, port = tmp_path / f"receiver.{ending}", free_port()
        printed = templates().get_template(f"merchant/snippets/verify.{language}.txt").render()
        file.write_text(f"{printed}\n{server.lstrip()}")
        env = {"PATH": os.environ["PATH"], "WEBHOOK_SECRET": SECRET, "PHP_CLI_SERVER_WORKERS": "6"}
        running.append(subprocess.Popen(command(str(file), str(port)), env=env, start_new_session=True))
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return f"http://127.0.0.1:{port}/hooks"
            assert running[-1].poll() is None, "the receiver ended"
        raise AssertionError("the receiver did not listen")

    yield begin
    for process in running:
        os.killpg(process.pid, 15)
        process.wait(10)


@pytest.mark.parametrize("language", EACH)
async def test_the_guides_receiver_passes_our_own_check(language: str, receiver: Receive) -> None:
    http = MerchantHttp(loopback=True)
    try:
        check = ConformanceCheck(http, receiver(language), Plaintext(SECRET.encode()))
        verdicts = [(each.name, each.passed, each.said) async for each in check.verdicts()]
    finally:
        await http.aclose()
    assert len(verdicts) == 13
    assert [each for each in verdicts if not each[1]] == []


STAMPS = ("", "soon", "٣٣٣", "9" * 400, "-1", "1e9")
SIGNATURES = ("", "v1,ü", "v1", "v1,", " , ")
STRANGE: list[dict[str, str]] = [{}, {"webhook-id": "x"}]
STRANGE += [{"webhook-timestamp": stamp} for stamp in STAMPS] + [{"webhook-signature": it} for it in SIGNATURES]


@pytest.mark.parametrize("language", EACH)
async def test_the_guides_receiver_refuses_whatever_headers_come(language: str, receiver: Receive) -> None:
    url, body = receiver(language), b'{"id":"x"}'
    good = signing.headers("evt-1", clock.now(), body, [Plaintext(SECRET.encode())])
    http = MerchantHttp(loopback=True)
    try:
        assert (await http.post(url, body, good, test=True)).status == 204
        for strange in STRANGE:
            headers = {} if not strange else good | strange
            raw = {name: value.encode().decode("latin-1") for name, value in headers.items()}
            reply = await http.post(url, body, raw, test=True)
            assert reply.status == 401, strange
        assert (await http.post(url, body, good, test=True)).status == 204
    finally:
        await http.aclose()
