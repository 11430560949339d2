"""The control API at `/sandbox/api`: all that the panel can do, as JSON. Lists come newest first."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import TypeVar

from litestar import delete, get, post
from litestar.params import FromPath

from dev.sandbox.kinguin.products import CATALOGUE, Offer
from dev.sandbox.panel import actions, views
from dev.sandbox.panel import fields as read
from dev.sandbox.panel.refusals import unknown
from dev.sandbox.wire import Answer, Call, Fields, answer, read_object
from dev.sandbox.world import World, world_of

WAIT_MOST = 60  # seconds that `"wait": true` waits for the shop, retries included

R = TypeVar("R")


@get("/payments")
async def list_payments(request: Call) -> Answer:
    """All payments; `?order_id=`, `?limit=`."""
    wanted = request.query_params.get("order_id")
    found = (it for it in world_of(request).storage.payments.newest() if wanted in {None, it.terms.order_id})
    return answer([views.payment(it) for it in _cut(request, found)])


@post("/payments/{payment_id:str}/pay", status_code=200)
async def pay_payment(request: Call, payment_id: FromPath[str]) -> Answer:
    """Play a case: `{"fraction": "1.0", "case": "success", "wait": false}`."""
    world, fields = world_of(request), await read_object(request)
    read.only_known(fields, ("fraction", "case", "wait"))
    wait = read.flag(fields, "wait")
    play = actions.pay(world, payment_id, fields)
    if wait:
        await world.sender.settled(play.sent, WAIT_MOST)
    return answer(
        {
            "payment_id": play.payment.id,
            "payment_status": play.payment.status,
            "child_payment_id": play.child.id if play.child else None,
            "ipns": [views.ipn(notice) for notice in play.sent],
        }
    )


@get("/payouts")
async def list_payouts(request: Call) -> Answer:
    """All payouts; `?limit=`."""
    return answer([views.payout(it) for it in _cut(request, world_of(request).storage.batches.newest())])


@post("/payouts/{batch_id:str}", status_code=200)
async def act_on_payout(request: Call, batch_id: FromPath[str]) -> Answer:
    """`{"action": "finish" | "fail" | "reject"}`"""
    return answer(views.payout(actions.act_on_payout(world_of(request), batch_id, await read_object(request))))


@get("/orders")
async def list_orders(request: Call) -> Answer:
    """Kinguin's orders; `?orderExternalId=`, `?keys=1` for the serials, `?limit=`."""
    wanted = request.query_params.get("orderExternalId")
    with_keys = request.query_params.get("keys") == "1"
    found = (it for it in world_of(request).storage.orders.newest() if wanted in {None, it.external_id})
    return answer([views.order(it, with_keys=with_keys) for it in _cut(request, found)])


@post("/orders/{order_id:str}", status_code=200)
async def act_on_order(request: Call, order_id: FromPath[str]) -> Answer:
    """`{"action": "deliver" | "deliver_one" | "cancel" | "refund"}`, or `{"action": "play", "status", "keys": []}`"""
    return answer(
        views.order(actions.act_on_order(world_of(request), order_id, await read_object(request)), with_keys=False)
    )


@get("/mail")
async def list_mail(request: Call) -> Answer:
    """All mails; `?to=` finds those to one address, `?limit=`, `?brief=1` leaves their content out."""
    wanted, brief = request.query_params.get("to"), request.query_params.get("brief") == "1"
    found = (it for it in world_of(request).storage.mails.newest() if wanted is None or wanted in it.to)
    return answer([views.mail(it, brief=brief) for it in _cut(request, found)])


@post("/mail/{mail_id:str}", status_code=200)
async def act_on_mail(request: Call, mail_id: FromPath[str]) -> Answer:
    """`{"event": "delivered" | "delivery_delayed" | "bounced" | "complained" | "suppressed" | "failed" | "opened"}`"""
    return answer(views.mail(actions.act_on_mail(world_of(request), mail_id, await read_object(request)), brief=False))


@get("/products")
async def list_products(request: Call) -> Answer:
    """The whole catalogue with its switches."""
    world = world_of(request)
    return answer([views.product(Offer(world, product)) for product in CATALOGUE])


@post("/products/{product_id:str}", status_code=200)
async def set_product(request: Call, product_id: FromPath[str]) -> Answer:
    """`{"stock", "textStock", "price", "delay", "partial", "image", "mode"}`, each optional."""
    return answer(views.product(actions.set_product(world_of(request), product_id, await read_object(request))))


@get("/settings")
async def show_settings(request: Call) -> Answer:
    """All settings."""
    return answer(views.settings(world_of(request).storage.settings))


@post("/settings", status_code=200)
async def change_settings(request: Call) -> Answer:
    """Change the given settings; answers all of them."""
    return answer(views.settings(actions.set_settings(world_of(request), await read_object(request))))


@get("/faults")
async def list_faults(request: Call) -> Answer:
    """The faults that are on."""
    return answer(_faults(world_of(request)))


@post("/faults", status_code=201)
async def set_fault(request: Call) -> Answer:
    """`{"provider", "mode", "rate": 1, "count": null, "seconds": null, "path": null}`"""
    return answer(views.fault(actions.set_fault(world_of(request), await read_object(request))), 201)


@delete("/faults", status_code=200)
async def clear_faults(request: Call) -> Answer:
    """Switch all faults off."""
    world_of(request).storage.faults.clear()
    return answer([])


@get("/webhooks")
async def list_webhooks(request: Call) -> Answer:
    """The notices sent, with what the shop answered; `?provider=`, `?limit=`."""
    wanted = request.query_params.get("provider")
    found = (it for it in world_of(request).storage.notices.newest() if wanted in {None, it.provider})
    return answer([views.notice(it) for it in _cut(request, found)])


@post("/webhooks/{notice_id:str}/resends", status_code=200)
async def resend_webhook(request: Call, notice_id: FromPath[str]) -> Answer:
    """Send a notice again, byte for byte, as the provider's dashboard can."""
    world = world_of(request)
    notice = world.storage.notices.get(notice_id)
    if notice is None:
        raise unknown("notice")
    return answer(views.notice(world.sender.again(notice)))


@post("/reset", status_code=200)
async def reset(request: Call) -> Answer:
    """Empty everything back to the start, faults and settings too."""
    world_of(request).reset()
    return answer({"reset": True})


def _cut(request: Call, records: Iterable[R]) -> Iterable[R]:
    asked: Fields = {"limit": request.query_params.get("limit")}
    return islice(records, read.whole(asked, "limit"))


def _faults(world: World) -> list[Fields]:
    return [views.fault(fault) for fault in world.storage.faults]


HANDLERS = [
    list_payments,
    pay_payment,
    list_payouts,
    act_on_payout,
    list_orders,
    act_on_order,
    list_mail,
    act_on_mail,
    list_products,
    set_product,
    show_settings,
    change_settings,
    list_faults,
    set_fault,
    clear_faults,
    list_webhooks,
    resend_webhook,
    reset,
]
