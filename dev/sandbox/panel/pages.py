"""The pages of the panel; none of them changes anything."""

from __future__ import annotations

from litestar import MediaType, Response, get
from litestar.params import FromPath
from litestar.response import Redirect, Template

from app.core.files import shipped
from dev.sandbox.kinguin import orders
from dev.sandbox.kinguin.products import CATALOGUE, MODES, Offer
from dev.sandbox.nowpayments.cases import CASES
from dev.sandbox.panel.refusals import unknown
from dev.sandbox.panel.render import page, rows
from dev.sandbox.switches import PROVIDERS, modes_of
from dev.sandbox.wire import Call
from dev.sandbox.world import world_of

# The buttons of a payment by its status, in the order a person reaches for them; the other cases are in a list.
OPEN = {
    "success": "Pay in full",
    "partially_paid": "Pay half",
    "overpaid": "Too much",
    "wrong_coin": "Wrong coin",
    "late": "Late",
    "twice": "Twice",
    "failed": "Fail",
    "expired": "Expire",
    "zero": "Finish with 0",
}
BUTTONS = {
    "finished": {"success": "Pay again", "refunded": "Refund"},
    "partially_paid": {"success": "Pay again", "finished": "Finish by hand", "refunded": "Refund"},
    "failed": {"success": "Pay again", "refunded": "Refund"},
    "refunded": {"success": "Pay again"},
    "expired": {"success": "Pay late", "partially_paid": "Pay half, late", "wrong_coin": "Wrong coin"},
}


@get("/")
async def start() -> Redirect:
    """The panel is all there is to see here."""
    return Redirect("/sandbox")


@get("/sandbox/static/sandbox.css")
async def stylesheet() -> Response[bytes]:
    """The one stylesheet."""
    return Response((shipped("static") / "css" / "sandbox.css").read_bytes(), media_type=MediaType.CSS)


@get("/sandbox")
async def payments(request: Call) -> Template:
    """NOWPayments: every payment, and what a customer might do with it."""
    cases = {name: act.__doc__ or "" for name, act in CASES.items()}
    listed = rows(request, world_of(request).storage.payments.newest())
    return page(request, "payments", **listed, buttons=BUTTONS, otherwise=OPEN, cases=cases)


@get("/sandbox/payouts")
async def payouts(request: Call) -> Template:
    """NOWPayments: every payout the shop asked for, and how it may end."""
    return page(request, "payouts", **rows(request, world_of(request).storage.batches.newest()))


@get("/sandbox/orders")
async def supplier(request: Call) -> Template:
    """Kinguin: every order, and what the supplier might do with it."""
    listed = rows(request, world_of(request).storage.orders.newest())
    return page(request, "orders", **listed, all_keys=orders.all_keys, delivered=orders.delivered)


@get("/sandbox/products")
async def products(request: Call) -> Template:
    """Kinguin's catalogue: stock, price and behaviour of each game."""
    world, wanted = world_of(request), request.query_params.get("name", "")
    offers = [Offer(world, it) for it in CATALOGUE if wanted.lower() in it.name.lower()]
    return page(request, "products", offers=offers, modes=MODES, wanted=wanted)


@get("/sandbox/mail")
async def mailbox(request: Call) -> Template:
    """Resend: every mail that was sent."""
    return page(request, "mailbox", **rows(request, world_of(request).storage.mails.newest()))


@get("/sandbox/mail/{mail_id:str}")
async def mail(request: Call, mail_id: FromPath[str]) -> Template:
    """One mail as its reader sees it."""
    found = world_of(request).storage.mails.get(mail_id)
    if found is None:
        raise unknown("mail")
    return page(request, "mail", mail=found)


@get("/sandbox/faults")
async def faults(request: Call) -> Template:
    """What is switched to go wrong, and the settings."""
    modes = {provider: modes_of(provider) for provider in PROVIDERS}
    return page(request, "faults", faults=list(world_of(request).storage.faults), modes=modes)


@get("/sandbox/notices")
async def notices(request: Call) -> Template:
    """Every IPN and webhook that was sent to the shop."""
    return page(request, "notices", **rows(request, world_of(request).storage.notices.newest()))


HANDLERS = [start, payments, payouts, supplier, products, mailbox, mail, faults, notices, stylesheet]
