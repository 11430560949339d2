"""What the forms of the panel post: an act, then back to the page with a word about it."""

from __future__ import annotations

from litestar import post
from litestar.params import FromPath
from litestar.response import Redirect

from dev.sandbox.panel import actions
from dev.sandbox.panel.refusals import ControlRefusal
from dev.sandbox.panel.render import back_to
from dev.sandbox.wire import Call, Fields
from dev.sandbox.world import world_of


async def fields_of(request: Call) -> Fields:
    """The form's fields; where a name comes twice, the last one."""
    return dict((await request.form()).items())


@post("/sandbox/payments/{payment_id:str}/plays")
async def run_case(request: Call, payment_id: FromPath[str]) -> Redirect:
    """Play a case on a payment."""
    try:
        done = actions.pay(world_of(request), payment_id, await fields_of(request))
    except ControlRefusal as refusal:
        return back_to("/sandbox", refused=f"Payment {payment_id}: {refusal.detail}.")
    notes = "1 notice" if len(done.sent) == 1 else f"{len(done.sent)} notices"
    return back_to("/sandbox", said=f"Payment {payment_id} is {done.payment.status}; {notes} on the way.")


@post("/sandbox/payouts/{batch_id:str}/acts")
async def act_on_payout(request: Call, batch_id: FromPath[str]) -> Redirect:
    """Finish, fail or reject a payout."""
    try:
        batch = actions.act_on_payout(world_of(request), batch_id, await fields_of(request))
    except ControlRefusal as refusal:
        return back_to("/sandbox/payouts", refused=f"Payout {batch_id}: {refusal.detail}.")
    return back_to("/sandbox/payouts", said=f"Payout {batch_id} is {batch.withdrawals[0].status.lower()}.")


@post("/sandbox/orders/{order_id:str}/acts")
async def act_on_order(request: Call, order_id: FromPath[str]) -> Redirect:
    """Deliver, cancel or refund an order."""
    try:
        order = actions.act_on_order(world_of(request), order_id, await fields_of(request))
    except ControlRefusal as refusal:
        return back_to("/sandbox/orders", refused=f"Order {order_id}: {refusal.detail}.")
    return back_to("/sandbox/orders", said=f"Order {order_id} is {order.status}.")


@post("/sandbox/products/{product_id:str}")
async def set_product(request: Call, product_id: FromPath[str]) -> Redirect:
    """Change a product's stock, price and behaviour."""
    fields = await fields_of(request)
    # An unticked box sends nothing at all.
    fields["image"] = "true" if "image" in fields else "false"
    try:
        offer = actions.set_product(world_of(request), product_id, fields)
    except ControlRefusal as refusal:
        return back_to("/sandbox/products", refused=f"Not saved: {refusal.detail}.")
    return back_to("/sandbox/products", said=f"{offer.product.title} is saved.")


@post("/sandbox/faults")
async def set_fault(request: Call) -> Redirect:
    """Switch a fault on."""
    try:
        fault = actions.set_fault(world_of(request), await fields_of(request))
    except ControlRefusal as refusal:
        return back_to("/sandbox/faults", refused=f"Not switched on: {refusal.detail}.")
    return back_to("/sandbox/faults", said=f"{fault.provider}: {fault.mode} is on.")


@post("/sandbox/faults/{fault_id:str}/off")
async def clear_fault(request: Call, fault_id: FromPath[str]) -> Redirect:
    """Switch one fault off."""
    world_of(request).storage.faults.drop(fault_id)
    return back_to("/sandbox/faults", said="The fault is off.")


@post("/sandbox/faults/off")
async def clear_faults(request: Call) -> Redirect:
    """Switch all faults off."""
    world_of(request).storage.faults.clear()
    return back_to("/sandbox/faults", said="All faults are off.")


@post("/sandbox/settings")
async def change_settings(request: Call) -> Redirect:
    """Change the settings."""
    try:
        actions.set_settings(world_of(request), await fields_of(request))
    except ControlRefusal as refusal:
        return back_to("/sandbox/faults", refused=f"Not saved: {refusal.detail}.")
    return back_to("/sandbox/faults", said="The settings are saved.")


@post("/sandbox/notices/{notice_id:str}/resends")
async def resend_notice(request: Call, notice_id: FromPath[str]) -> Redirect:
    """Send a notice again."""
    world = world_of(request)
    notice = world.storage.notices.get(notice_id)
    if notice is None:
        return back_to("/sandbox/notices", refused="That notice is gone.")
    world.sender.again(notice)
    return back_to("/sandbox/notices", said=f"{notice.title} is on its way again.")


@post("/sandbox/reset")
async def reset(request: Call) -> Redirect:
    """Empty everything."""
    world_of(request).reset()
    return back_to("/sandbox", said="Everything is back to the start.")


HANDLERS = [
    run_case,
    act_on_payout,
    act_on_order,
    set_product,
    set_fault,
    clear_fault,
    clear_faults,
    change_settings,
    resend_notice,
    reset,
]
