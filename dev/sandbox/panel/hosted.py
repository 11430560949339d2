"""The hosted invoice page that `invoice_url` leads to: the customer chooses a coin and pays."""

from __future__ import annotations

from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from dev.sandbox.nowpayments import cases, create
from dev.sandbox.nowpayments.coins import COINS
from dev.sandbox.nowpayments.refusals import NowRefusal
from dev.sandbox.panel import actions
from dev.sandbox.panel.forms import fields_of
from dev.sandbox.panel.refusals import ControlRefusal, unknown
from dev.sandbox.panel.render import back_to, page
from dev.sandbox.records import Invoice, Payment
from dev.sandbox.wire import Call
from dev.sandbox.world import World, world_of


@get("/{iid:str}")
async def show(request: Call, iid: FromPath[str]) -> Template:
    """The invoice, with its latest payment once a coin is chosen."""
    world = world_of(request)
    invoice = _found(world, iid)
    payment = None if "choose" in request.query_params else _latest(world, invoice)
    coins = [COINS[invoice.pay_currency]] if invoice.pay_currency else list(COINS.values())
    return page(request, "invoice", invoice=invoice, payment=payment, coins=coins)


@post("/{iid:str}/payments")
async def choose(request: Call, iid: FromPath[str]) -> Redirect:
    """Choose a coin: this makes a payment."""
    world = world_of(request)
    invoice, given = _found(world, iid), await fields_of(request)
    fields = {"iid": invoice.id, "pay_currency": given.get("pay_currency")}
    try:
        payment = create.pay_invoice(world, fields, cases.CASE_NAMES)
    except NowRefusal as refusal:
        return back_to(f"/sandbox/invoice/{iid}?choose=1", refused=f"{refusal.detail}.")
    cases.schedule(world, payment)
    return Redirect(f"/sandbox/invoice/{iid}", status_code=303)


@post("/{iid:str}/plays")
async def pay(request: Call, iid: FromPath[str]) -> Redirect:
    """Pay the latest payment."""
    world = world_of(request)
    payment = _latest(world, _found(world, iid))
    if payment is None:
        return back_to(f"/sandbox/invoice/{iid}", refused="Choose a coin first.")
    try:
        actions.pay(world, payment.id, await fields_of(request))
    except ControlRefusal as refusal:
        return back_to(f"/sandbox/invoice/{iid}", refused=f"{refusal.detail}.")
    return back_to(f"/sandbox/invoice/{iid}", said="Your wallet has sent the coins.")


def _found(world: World, iid: str) -> Invoice:
    invoice = world.storage.invoices.get(iid)
    if invoice is None:
        raise unknown("invoice")
    return invoice


def _latest(world: World, invoice: Invoice) -> Payment | None:
    own = (it for it in world.storage.payments.newest() if it.invoice_id == invoice.id and not it.parent_id)
    return next(own, None)


HANDLERS = [show, choose, pay]
