"""A merchant's receiver of webhooks on a real socket: a good one, and ones with one flaw each."""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
LARGEST = 1024 * 1024


class Receiver:
    """``flaw`` names what it does wrong. ``seen``: the bodies it took, each with its headers in lower case."""

    def __init__(self, flaw: str = "", secret: str = SECRET) -> None:
        self.flaw, self.secret, self.url = flaw, secret, ""
        self.seen: list[tuple[dict[str, str], bytes]] = []
        self._ids, self._sequences, self._dead = set[str](), dict[str, int](), False
        self._lock = threading.Lock()

    def answer(self, headers: dict[str, str], body: bytes) -> int:
        if self._dead:
            return 503
        if not self._genuine(headers, body):
            return 500 if self.flaw == "crashes on forgeries" else 401
        event = json.loads(body)
        if self.flaw == "slow":
            time.sleep(0.2)
        with self._lock:
            self.seen.append((headers, body))
            known, last = event["id"] in self._ids, self._sequences.get(event["object_id"], 0)
            self._ids.add(event["id"])
            self._sequences[event["object_id"]] = max(last, event["sequence"])
        return self._opinion(event, known, last)

    def _opinion(self, event: Mapping[str, Any], known: bool, last: int) -> int:
        if self.flaw == "redirects":
            return 302
        if self.flaw == "refuses duplicates" and known:
            return 409
        if self.flaw == "refuses old news" and event["sequence"] < last:
            return 409
        return 422 if self.flaw == "picky" and event["type"] == "order.from_the_future" else 200

    def _genuine(self, headers: dict[str, str], body: bytes) -> bool:
        if self.flaw == "trusting":
            return True
        if self.flaw == "simple":
            made = hmac.new(self.secret.encode(), body, hashlib.sha256).hexdigest()
            claimed = (headers.get(f"x-webhook-signature{more}", "") for more in ("", "-previous"))
            return any(hmac.compare_digest(made, one) for one in claimed)
        if self.flaw == "spells anew" and body:
            body = json.dumps(json.loads(body), ensure_ascii=False, separators=(",", ":")).encode()
        if self.flaw == "first signature only":
            headers = headers | {"webhook-signature": headers.get("webhook-signature", "").partition(" ")[0]}
        if self.flaw == "timeless" and "webhook-timestamp" in headers:
            signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
            key = base64.b64decode(self.secret.removeprefix("whsec_"))
            made = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
            return made in headers["webhook-signature"].split()
        try:
            Webhook(self.secret).verify(body, headers)
        except WebhookVerificationError:
            return False
        return True

    def handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                length = int(self.headers["content-length"])
                if length > LARGEST:
                    receiver._dead = receiver.flaw == "dies of a huge body"
                    self.close_connection = True
                    self._say(413)
                    return
                headers = {name.lower(): value for name, value in self.headers.items()}
                self._say(receiver.answer(headers, self.rfile.read(length)))

            def _say(self, status: int) -> None:
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                return

        return Handler


@contextmanager
def receiving(flaw: str = "", secret: str = SECRET) -> Iterator[Receiver]:
    receiver = Receiver(flaw, secret)
    server = ThreadingHTTPServer(("127.0.0.1", 0), receiver.handler())
    server.daemon_threads = True
    receiver.url = f"http://127.0.0.1:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
