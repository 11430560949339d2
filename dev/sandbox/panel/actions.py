"""What can be done from the panel: each act reads its fields, does it, and refuses what can't be."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from decimal import Decimal

from dev.sandbox.kinguin import events, orders
from dev.sandbox.kinguin.products import BY_PRODUCT_ID, MODES, Offer
from dev.sandbox.nowpayments import cases, payouts
from dev.sandbox.nowpayments.case_run import CaseRun, Impossible
from dev.sandbox.panel import fields as read
from dev.sandbox.panel.refusals import ControlRefusal, unknown, wrong
from dev.sandbox.records import Batch, Fault, Mail, Order, Settings
from dev.sandbox.resend import events as mail_events
from dev.sandbox.switches import STRUCK, modes_of
from dev.sandbox.wire import Fields
from dev.sandbox.world import World

FRACTION_MOST = Decimal(1000)
FRACTION_LEAST = Decimal("0.00000001")
DUPLICATE_MODES = ("refuse", "accept")
ORDER_ACTS: dict[str, Callable[[World, Order], None]] = {
    "deliver": orders.deliver,
    "deliver_one": lambda world, order: orders.deliver(world, order, 1),
    "cancel": orders.cancel,
    "refund": orders.refund,
}
PLAY = "play"
KEY_WORDS = {"PENDING", "PROCESSING", "DELIVERED", "RETURNED", "REFUNDED", "CANCELED", "CANCELLED"}
PAYOUT_ACTS: dict[str, Callable[[World, Batch], None]] = {
    "finish": payouts.finish,
    "fail": payouts.fail,
    "reject": payouts.reject,
}
PAYOUT_MODES = ("finish", "by_hand")
# The JSON names of the settings.
SETTINGS = {
    "deliveryDelay": "delivery_delay",
    "searchLag": "search_lag",
    "duplicateMode": "duplicate_mode",
    "ipnRetryInterval": "ipn_retry_interval",
    "webhookRetryInterval": "webhook_retry_interval",
    "caseDelay": "case_delay",
    "paymentLifetime": "payment_lifetime",
    "coveringPercent": "covering_percent",
    "mailsPerSecond": "mails_per_second",
    "balance": "balance",
    "payoutMode": "payout_mode",
    "custody": "custody",
    "eurUsd": "eur_usd",
    "ratesDay": "rates_day",
}
_PRODUCT_FIELDS = ("stock", "textStock", "price", "delay", "partial", "image", "mode", "countries", "tags")
_FAULT_FIELDS = ("provider", "mode", "rate", "count", "seconds", "path")


def pay(world: World, payment_id: str, fields: Fields) -> CaseRun:
    """Play `case` (success) with `fraction` (1) of the amount; the IPNs are queued when this returns."""
    payment = world.storage.payments.get(payment_id)
    if payment is None:
        raise unknown("payment")
    case = read.choice(fields, "case", cases.CASES) or "success"
    fraction = read.number(fields, "fraction", FRACTION_LEAST, FRACTION_MOST)
    try:
        return cases.run(world, payment, case, Decimal(1) if fraction is None else fraction)
    except Impossible as reason:
        raise ControlRefusal(409, str(reason)) from None


def act_on_order(world: World, order_id: str, fields: Fields) -> Order:
    """`action`: deliver, deliver_one, cancel, refund, or play with `status` and `keys`, the words to be said."""
    order = world.storage.orders.get(order_id)
    if order is None:
        raise unknown("order")
    action = read.choice(fields, "action", (*ORDER_ACTS, PLAY))
    if action is None:
        raise wrong(f"action is missing; known: {', '.join((*ORDER_ACTS, PLAY))}")
    if action == PLAY:
        words = fields.get("keys")
        if not isinstance(words, list) or not set(map(str, words)) <= KEY_WORDS:
            raise wrong(f"keys must be a list of {', '.join(sorted(KEY_WORDS))}")
        orders.set_status(world, order, read.text(fields, "status") or order.status, [str(word) for word in words])
        return order
    allowed = {"processing", "completed"} if action == "refund" else {"processing"}
    if order.status not in allowed:
        raise ControlRefusal(409, f"the order is {order.status} already")
    ORDER_ACTS[action](world, order)
    return order


def act_on_payout(world: World, batch_id: str, fields: Fields) -> Batch:
    """`action`: finish, fail or reject; a failed payout may still finish."""
    batch = world.storage.batches.get(batch_id)
    if batch is None:
        raise unknown("payout")
    action = read.choice(fields, "action", PAYOUT_ACTS)
    if action is None:
        raise wrong(f"action is missing; known: {', '.join(PAYOUT_ACTS)}")
    if batch.withdrawals[0].status in {"FINISHED", "REJECTED"}:
        raise ControlRefusal(409, f"the payout is {batch.withdrawals[0].status.lower()} already")
    PAYOUT_ACTS[action](world, batch)
    return batch


def act_on_mail(world: World, mail_id: str, fields: Fields) -> Mail:
    """`event`: what becomes of a mail now, by the last word of the provider's event."""
    mail = world.storage.mails.get(mail_id)
    if mail is None:
        raise unknown("mail")
    event = read.choice(fields, "event", mail_events.EVENTS)
    if event is None:
        raise wrong(f"event is missing; known: {', '.join(mail_events.EVENTS)}")
    for notice in mail_events.send(world, mail, event):
        world.sender.send(notice)
    return mail


def set_product(world: World, product_id: str, fields: Fields) -> Offer:
    """Change what is given about a product, and tell the shop if stock or price moved."""
    product = BY_PRODUCT_ID.get(product_id)
    if product is None:
        raise unknown("product")
    read.only_known(fields, _PRODUCT_FIELDS)
    offer = Offer(world, product)
    before, it = (offer.stock, offer.text_stock, offer.price, offer.withdrawn), offer.overrides
    stock, text_stock = read.whole(fields, "stock"), read.whole(fields, "textStock")
    price = read.number(fields, "price", Decimal("0.01"))
    delay, partial = read.number(fields, "delay"), read.whole(fields, "partial")
    image, mode = read.flag(fields, "image"), read.choice(fields, "mode", MODES)
    if stock is not None:
        it.stock = stock
        # A game sold as text only stays so when it is restocked.
        it.text_stock = stock if text_stock is None and product.text_qty == product.qty else it.text_stock
    it.text_stock = it.text_stock if text_stock is None else text_stock
    it.price = it.price if price is None else price
    # Sent but empty, these go back to the general setting.
    it.delay = delay if "delay" in fields else it.delay
    it.partial = partial if "partial" in fields else it.partial
    it.image = it.image if image is None else image
    it.mode = it.mode if mode is None else mode
    it.countries = read.words(fields, "countries") if "countries" in fields else it.countries
    it.tags = read.words(fields, "tags") if "tags" in fields else it.tags
    offer.save()
    if before != (offer.stock, offer.text_stock, offer.price, offer.withdrawn):
        world.sender.send(events.product_update(world, offer))
    return offer


def set_settings(world: World, fields: Fields) -> Settings:
    """Change the given settings; names in camelCase or snake_case."""
    named = {SETTINGS.get(name, name): value for name, value in fields.items()}
    read.only_known(named, SETTINGS.values())
    settings = world.storage.settings
    changes: dict[str, object] = {}
    for name in named:
        if name in {"duplicate_mode", "payout_mode"}:
            modes = DUPLICATE_MODES if name == "duplicate_mode" else PAYOUT_MODES
            changes[name] = read.choice(named, name, modes) or getattr(settings, name)
        elif name == "rates_day":
            changes[name] = read.day(named, name)
        elif name == "mails_per_second":
            changes[name] = read.whole(named, name, 1)
        else:
            number = read.number(named, name)
            optional = name == "payment_lifetime"
            changes[name] = getattr(settings, name) if number is None and not optional else number
    for name, value in changes.items():
        setattr(settings, name, value)
    world.storage.save_settings()
    return settings


def set_fault(world: World, fields: Fields) -> Fault:
    """Switch a fault on: `provider`, `mode`, `rate` (1), `count` (endless), `seconds`, `path`."""
    read.only_known(fields, _FAULT_FIELDS)
    provider = read.choice(fields, "provider", STRUCK)
    if provider is None:
        raise wrong(f"provider is missing; known: {', '.join(STRUCK)}")
    mode = read.choice(fields, "mode", modes_of(provider))
    if mode is None:
        raise wrong(f"mode is missing; known: {', '.join(modes_of(provider))}")
    rate = read.number(fields, "rate", Decimal(0), Decimal(1))
    fault = Fault(
        id=secrets.token_hex(4),
        provider=provider,
        mode=mode,
        rate=Decimal(1) if rate is None else rate,
        left=read.whole(fields, "count", 1),
        seconds=read.number(fields, "seconds", most=Decimal(3600)),
        path=read.text(fields, "path"),
    )
    return world.switches.set(fault)
