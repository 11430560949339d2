"""A sample shop that takes payments through BitLoot. One file, Python's standard library, nothing else.

    BITLOOT_URL=http://127.0.0.1:8000 BITLOOT_KEY=bl_test_… BITLOOT_SECRET=bls_… \\
    BITLOOT_PUBLISHABLE_KEY=pk_test_… BITLOOT_WEBHOOK_SECRET=whsec_… python examples/shop.py

Then open http://127.0.0.1:8080. Add that origin to your allowed origins, and http://127.0.0.1:8080/webhooks as a
webhook endpoint. ``PORT`` moves it, ``SHOP_URL`` says where browsers find it.

What to copy: ``order``, which an own server must do because it holds the secret; ``verified``, before a webhook is
believed; and ``thanks``, which asks the API instead of believing the browser.
"""

import base64
import hashlib
import hmac
import json
import os
import secrets
import time
import urllib.error
import urllib.parse
import urllib.request
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

GATEWAY = os.environ.get("BITLOOT_URL", "http://127.0.0.1:8000").rstrip("/")
KEY, SECRET = os.environ.get("BITLOOT_KEY", ""), os.environ.get("BITLOOT_SECRET", "")
PUBLISHABLE = os.environ.get("BITLOOT_PUBLISHABLE_KEY", "")
WEBHOOK_SECRET = os.environ.get("BITLOOT_WEBHOOK_SECRET", "")
PORT = int(os.environ.get("PORT", "8080"))
# Pin a version by its digest: both are on your guide page. Without them you get the newest.
SDK = os.environ.get("BITLOOT_SDK_URL", f"{GATEWAY}/checkout.js")
INTEGRITY = os.environ.get("BITLOOT_SDK_INTEGRITY", "")
OLDEST = 300  # seconds; an older webhook may be one that somebody recorded and sends again
LONGEST = 1_000_000  # bytes of a body
PRICE, CURRENCY = "24.00", "USD"

ORDERS: dict[str, str] = {}  # our reference → BitLoot's order id; a real shop keeps these in its database
EVENTS: dict[str, dict] = {}  # webhook-id → what came, so that a repeat is known for one
REFUSED: list[str] = []

# All that the SDK needs of a strict policy: its origin in script-src, frame-src and connect-src.
POLICY = (
    f"default-src 'none'; script-src 'self' {GATEWAY}; frame-src {GATEWAY}; connect-src 'self' {GATEWAY}; "
    "style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'"
)
STYLE = """
:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{max-width:40rem;margin:0 auto;padding:2rem 1rem;overflow-wrap:anywhere}
nav a{margin-right:1rem}
button{font:inherit;font-weight:600;padding:.75rem 1.5rem;border:0;border-radius:.5rem}
button{background:#1d4ed8;color:#fff;cursor:pointer}
table{width:100%;border-collapse:collapse;font-size:.875rem}
td,th{padding:.5rem .5rem .5rem 0;text-align:left;border-bottom:1px solid #8884;vertical-align:top}
"""
ICON = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><path d="M1 1h6v6H1z" fill="#1d4ed8"/></svg>'
SCRIPT = """
const pay = document.getElementById("pay");
const said = document.getElementById("said");
const { key, order, reference } = pay.dataset;
const gateway = new PaymentGateway({
  key,
  orderId: order,
  onSuccess: () => location.assign(`/thanks/${reference}`),
  onFailure: ({ reason }) => {
    said.textContent = `That did not work (${reason}). Try again.`;
  },
  onClose: ({ status, paid }) => {
    said.textContent = paid ? "This order is paid." : `Not paid yet: the order is ${status}.`;
  },
});
pay.addEventListener("click", () => gateway.open());
pay.disabled = false;
"""


def api(method: str, path: str, body: dict | None = None, idempotency_key: str = "") -> dict:
    """A call of BitLoot's API. A POST is given a key of its own, so that it can be repeated without a second effect."""
    headers = {"X-Api-Key": KEY, "X-Api-Secret": SECRET, "Content-Type": "application/json"}
    if idempotency_key:
        headers["Idempotency-Key"] = idempotency_key
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(f"{GATEWAY}/api/v1{path}", data=data, headers=headers, method=method)
    with urllib.request.urlopen(request, timeout=15) as answer:
        return json.load(answer)


def order(reference: str) -> str:
    """Make the order at BitLoot. The price comes from us, never from the browser."""
    if reference not in ORDERS:
        asked = {"amount": PRICE, "currency": CURRENCY, "reference": reference, "metadata": {"product": "poster"}}
        ORDERS[reference] = api("POST", "/orders", asked, idempotency_key=f"order-{reference}")["id"]
    return ORDERS[reference]


def verified(headers: dict[str, str], body: bytes) -> bool:
    """Whether BitLoot sent this, lately (Standard Webhooks). ``headers`` by lower-case names; ``body`` as it came."""
    ident, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not WEBHOOK_SECRET or not ident or not stamp.isdigit() or abs(time.time() - int(stamp)) > OLDEST:
        return False
    key = base64.b64decode(WEBHOOK_SECRET.removeprefix("whsec_"))
    digest = hmac.new(key, f"{ident}.{stamp}.".encode() + body, hashlib.sha256).digest()
    expected = "v1," + base64.b64encode(digest).decode()
    # While a secret is rotated there are two signatures; one that fits is enough.
    return any(hmac.compare_digest(expected, given) for given in headers.get("webhook-signature", "").split())


class Shop(BaseHTTPRequestHandler):
    """Four pages and a door for webhooks."""

    def do_GET(self) -> None:
        path, _, last = self.path.partition("?")[0].rpartition("/")
        if self.path == "/":
            self.page("Poster", f"<h1>Poster</h1><p>{PRICE} {CURRENCY}</p>"
                      '<form action="/buy" method="post"><button>Buy</button></form>')  # fmt: skip
        elif self.path == "/shop.css":
            self.answer(200, STYLE, "text/css")
        elif self.path == "/icon.svg":
            self.answer(200, ICON, "image/svg+xml")
        elif self.path == "/shop.js":
            self.answer(200, SCRIPT, "text/javascript")
        elif path == "/pay" and last in ORDERS:
            self.pay(last)
        elif path == "/thanks" and last in ORDERS:
            self.thanks(last)
        elif self.path == "/events":
            self.events()
        else:
            self.page("Not found", "<h1>Not found</h1>", 404)

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > LONGEST:
            self.page("Too large", "<h1>Too large</h1>", 413)
            return
        body = self.rfile.read(length)
        if self.path == "/buy":
            self.buy()
        elif self.path == "/webhooks":
            self.webhook(body)
        else:
            self.page("Not found", "<h1>Not found</h1>", 404)

    def buy(self) -> None:
        reference = f"P-{secrets.token_hex(4).upper()}"
        try:
            order(reference)
        except urllib.error.HTTPError as error:
            problem = json.load(error)
            self.page("Sorry", f"<h1>{escape(problem['title'])}</h1><p>{escape(problem['detail'])}</p>", 502)
            return
        except OSError:
            self.page("Sorry", "<h1>The payment service can’t be reached</h1><p>Try again in a minute.</p>", 502)
            return
        self.send_response(303)
        self.send_header("Location", f"/pay/{reference}")
        self.end_headers()

    def pay(self, reference: str) -> None:
        pinned = f'integrity="{escape(INTEGRITY)}" crossorigin="anonymous"' if INTEGRITY else ""
        self.page(
            f"Pay {reference}",
            f"""<h1>Order {reference}</h1><p>{PRICE} {CURRENCY}</p>
<button id="pay" data-key="{escape(PUBLISHABLE)}" data-order="{ORDERS[reference]}"
  data-reference="{reference}" disabled>Pay now</button>
<p id="said" role="status"></p>
<script src="{escape(SDK)}" {pinned}></script><script src="/shop.js"></script>""",
        )

    def thanks(self, reference: str) -> None:
        found = api("GET", f"/orders/{ORDERS[reference]}")
        paid = found["status"] in ("paid", "fulfilled")
        words = "Thank you. Your poster is on its way." if paid else f"Not paid yet: the order is {found['status']}."
        self.page("Thank you" if paid else "Your order", f"<h1>{words}</h1><p>Order {reference}</p>")

    def webhook(self, body: bytes) -> None:
        """Answer at once; a 2xx says that it is kept. One that can't be verified is not looked into."""
        headers = {name.lower(): value for name, value in self.headers.items()}
        if not verified(headers, body):
            REFUSED.append(headers.get("webhook-id", "without an id"))
            self.answer(401, "bad signature", "text/plain")
            return
        EVENTS.setdefault(headers["webhook-id"], json.loads(body))
        self.answer(204, "", "text/plain")

    def events(self) -> None:
        rows = "".join(_row(event) for event in reversed(EVENTS.values()))
        refused = f"<p>{len(REFUSED)} refused: their signature did not fit.</p>" if REFUSED else ""
        head = "<tr><th>Event</th><th>Status</th><th>Of</th><th>Signature</th></tr>"
        self.page("Webhooks", f"<h1>Webhooks received</h1><table>{head}{rows}</table>{refused}")

    def page(self, title: str, content: str, status: int = 200) -> None:
        links = '<nav><a href="/">Shop</a><a href="/events">Webhooks received</a></nav>'
        head = (
            f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
            '<link rel="icon" href="/icon.svg"><link rel="stylesheet" href="/shop.css">'
        )
        body = f"{links}<main>{content}</main>"
        self.answer(status, f"<!doctype html><html lang=en><head>{head}</head><body>{body}</body></html>", "text/html")

    def answer(self, status: int, text: str, kind: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", POLICY)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet: what came is on the page."""


def _row(event: dict) -> str:
    data = event["data"]
    cells = (event["type"], data.get("status"), data.get("reference") or data.get("order_id"), "verified")
    return "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in cells) + "</tr>"


if __name__ == "__main__":
    print(f"The sample shop is at http://127.0.0.1:{PORT}", flush=True)
    ThreadingHTTPServer(("127.0.0.1", PORT), Shop).serve_forever()
