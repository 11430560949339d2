"""The merchant's own webhook receivers: one server on the loopback, whose endpoints answer well, badly or not at all.

Signatures are checked by the public library of Standard Webhooks, not by code of ours.
"""

import hashlib
import hmac
import random
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec
from standardwebhooks import Webhook, WebhookVerificationError

HANG = 11.0  # seconds: longer than the sender waits
WELL, FAILS, HANGS, HANGS_UP, GONE = "answers 200", "answers 500", "hangs", "hangs up", "answers 410"
MANNERS: dict[str, dict[str, int]] = {  # by endpoint: how it answers, by weight
    "steady": {WELL: 1},
    "moody": {WELL: 80, FAILS: 12, HANGS: 3, HANGS_UP: 5},
    "leaving": {WELL: 97, FAILS: 2, GONE: 1},
}
WANTS: dict[str, tuple[str, ...]] = {  # by endpoint: the events it registers for, all where none is named
    "steady": (),
    "moody": ("order.paid", "order.fulfilled", "payment.success", "payment.underpaid", "refund.processed"),
    "leaving": ("order.paid", "refund.pending", "refund.processing", "refund.processed", "refund.failed"),
}
STATUS = {WELL: 200, FAILS: 500, GONE: 410}


class Receipt(msgspec.Struct, frozen=True):
    """One request that came in. ``digest``: SHA-256 of its body; ``signed``: whether both its signatures are valid."""

    endpoint: str
    event_id: str
    digest: str
    signed: bool
    answer: str


def digest(body: bytes) -> str:
    """The name a body goes by in receipts."""
    return hashlib.sha256(body).hexdigest()


def signed(secret: str, body: bytes, headers: dict[str, str]) -> bool:
    """Whether a request carries a valid signature of either kind; ``headers`` in lower case."""
    try:
        Webhook(secret).verify(body, headers)
    except WebhookVerificationError:
        return False
    simple = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(simple, headers.get("x-webhook-signature", ""))


class Receivers:
    """``secrets``: of each endpoint, once it is registered. ``receipts``: all that came in, by any thread."""

    def __init__(self, seed: int) -> None:
        self.secrets: dict[str, str] = {}
        self.receipts: list[Receipt] = []
        self.answered = Counter[str]()
        self.well_behaved = False
        self._chance, self._lock = random.Random(seed), threading.Lock()
        self._server = _server(self)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def receive(self, endpoint: str, body: bytes, headers: dict[str, str]) -> str:
        """Note a request; returns how it is to be answered."""
        valid = endpoint in self.secrets and signed(self.secrets[endpoint], body, headers)
        with self._lock:
            manners = MANNERS.get(endpoint, {WELL: 1})
            (answer,) = self._chance.choices(list(manners), list(manners.values()))
            answer = WELL if self.well_behaved else answer
            self.receipts.append(Receipt(endpoint, headers.get("webhook-id", ""), digest(body), valid, answer))
            self.answered[answer] += 1
        return answer

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _server(receivers: Receivers) -> ThreadingHTTPServer:
    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = receivers.receive(self.path.removeprefix("/"), body, headers)
            if answer == HANGS:
                time.sleep(HANG)
            if answer in {HANGS, HANGS_UP}:
                self.close_connection = True
                return
            self.send_response(STATUS[answer])
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """A receiver that hangs up is no news."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
