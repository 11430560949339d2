"""Orders: bought and charged at once, delivered now, later, in part, or never."""

from __future__ import annotations

from decimal import Decimal

from dev.sandbox.kinguin import basket, events
from dev.sandbox.kinguin.basket import Wish
from dev.sandbox.kinguin.refusals import KinguinRefusal, order_failed
from dev.sandbox.kinguin.serials import new_key
from dev.sandbox.records import KeySlot, Order, Row
from dev.sandbox.switches import seconds_of
from dev.sandbox.times import DAY, SECOND, now_ms
from dev.sandbox.wire import Fields
from dev.sandbox.world import World, letters

_ID_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_AMBIGUOUS = "error_after_effect"


def place(world: World, fields: Fields, version: int) -> tuple[Order, bool]:
    """Buy: take stock, charge the balance, deliver what comes at once. No hold, no cancel.

    Returns the order, and whether its answer must be an unexplained 500.

    Raises:
        KinguinRefusal: nothing was bought.
    """
    wishes = basket.read(world, fields, version)
    external_id = basket.external_id(world, fields)
    modes = {wish.offer.overrides.mode for wish in wishes}
    if "order_failed" in modes or world.switches.fires("kinguin", ("order_failed",)):
        raise order_failed()
    charged = sum((wish.total for wish in wishes), Decimal(0))
    settings = world.storage.settings
    if charged > settings.balance:
        raise KinguinRefusal("InsufficientBalance", 400, "Insufficient balance to place the order.")
    settings.balance -= charged
    world.storage.save_settings()
    order = _new_order(world, wishes, external_id, charged)
    for wish in wishes:
        wish.offer.sell(wish.qty, text=wish.text)
    _begin(world, order, wishes)
    return order, _AMBIGUOUS in modes


def deliver(world: World, order: Order, count: int | None = None) -> None:
    """Deliver so many of the missing keys, or all; the last one completes the order."""
    missing = [key for key in all_keys(order) if key.status == "PROCESSING"]
    for key in missing[:count]:
        key.status = "DELIVERED"
    if count is not None and count < len(missing):
        world.storage.orders.put(order)
        return
    order.delivered_at = now_ms()
    _turn(world, order, "completed")


def cancel(world: World, order: Order) -> None:
    """Cancel what isn't delivered and pay it back; delivered keys stay delivered."""
    _take_back(world, order, {"PROCESSING"}, "CANCELED")
    _turn(world, order, "canceled")


def refund(world: World, order: Order) -> None:
    """Pay everything back that wasn't yet; the keys are void."""
    _take_back(world, order, {"PROCESSING", "DELIVERED", "RETURNED"}, "REFUNDED")
    _turn(world, order, "refunded")


def set_status(world: World, order: Order, status: str, key_statuses: list[str]) -> None:
    """Let the order say ``status`` and its keys these words in turn; what is cancelled or refunded is paid back."""
    for key, word in zip(all_keys(order), key_statuses, strict=False):
        if word in {"CANCELED", "REFUNDED"} and key.status != word:
            back = next(row.price for row in order.rows if key in row.keys)
            order.credited += back
            world.storage.settings.balance += back
        if word == "DELIVERED" and order.delivered_at is None:
            order.delivered_at = now_ms()
        key.status = word
    world.storage.save_settings()
    _turn(world, order, status)


def give_back(world: World, order: Order) -> list[KeySlot]:
    """The buyer returns all keys, once and within 24 hours; the refund follows by itself.

    Raises:
        KinguinRefusal: NoKeysToReturn.
    """
    keys = [key for key in all_keys(order) if key.status == "DELIVERED"]
    too_late = order.delivered_at is not None and now_ms() > order.delivered_at + DAY
    if not keys or order.returned_at or too_late or any(row.is_preorder for row in order.rows):
        raise KinguinRefusal("NoKeysToReturn", 400, "There are no keys to return.")
    order.returned_at = now_ms()
    world.storage.orders.put(order)
    schedule(world, order)
    return keys


def all_keys(order: Order) -> list[KeySlot]:
    """Every key of an order, delivered or not."""
    return [key for row in order.rows for key in row.keys]


def delivered(order: Order) -> list[tuple[Row, KeySlot]]:
    """The keys that can be fetched, each with its row."""
    return [(row, key) for row in order.rows for key in row.keys if key.status == "DELIVERED"]


def about(world: World, path: str) -> str:
    """The buyer's own id and the products of the order that a path names; empty where it names none."""
    order = next((found for part in path.split("/") if (found := world.storage.orders.get(part))), None)
    return " ".join([order.external_id or "", *(row.product_id for row in order.rows)]) if order else ""


def schedule(world: World, order: Order) -> None:
    """Set a timer for what is still to happen to an order: its rest, or the refund of a return."""

    def run() -> None:
        if world.storage.orders.get(order.id) is order and order.status in {"processing", "completed"}:
            _finish(world, order)

    if order.returned_at and order.status == "completed":
        world.timers.after(0, run)
    elif order.due_at is not None and order.status == "processing":
        world.timers.after((order.due_at - now_ms()) / SECOND, run)


def resume(world: World) -> None:
    """Set the timers again after a restart."""
    for order in list(world.storage.orders):
        schedule(world, order)


def _new_order(world: World, wishes: list[Wish], external_id: str | None, charged: Decimal) -> Order:
    now = now_ms()
    lag = world.storage.settings.search_lag
    if fault := world.switches.fires("kinguin", ("search_lag",)):
        lag = seconds_of(fault, 2)
    delays = [wish.offer.overrides.delay for wish in wishes]
    delay = max((known for known in delays if known is not None), default=world.storage.settings.delivery_delay)
    modes = [wish.offer.overrides.mode for wish in wishes]
    ending = next((mode for mode in modes if mode in {"by_hand", "cancel", "refund"}), "normal")
    by_hand = ending == "by_hand" or any(wish.offer.preorder for wish in wishes)
    return Order(
        id=letters(11, _ID_LETTERS),
        external_id=external_id,
        status="processing",
        rows=[_row(wish) for wish in wishes],
        charged=charged,
        created_at=now,
        updated_at=now,
        visible_at=now + int(lag * SECOND),
        ending=ending,
        due_at=None if by_hand else now + int(delay * SECOND),
    )


def _row(wish: Wish) -> Row:
    offer, product = wish.offer, wish.offer.product
    return Row(
        kinguin_id=product.kinguin_id,
        product_id=product.product_id,
        offer_id=product.offer_id,
        name=product.name,
        qty=wish.qty,
        price=offer.price,
        request_price=wish.limit,
        key_type="text" if wish.text else None,
        is_preorder=offer.preorder,
        release_date=product.release_date,
        keys=[new_key(image=offer.image and not wish.text) for _ in range(wish.qty)],
    )


def _begin(world: World, order: Order, wishes: list[Wish]) -> None:
    """Deliver the part that comes at once; without a delay the rest of a partial delivery waits for a hand."""
    partial = False
    for row, wish in zip(order.rows, wishes, strict=True):
        if (part := wish.offer.overrides.partial) is not None and part < wish.qty:
            partial = True
            for key in row.keys[:part]:
                key.status = "DELIVERED"
    at_once = order.due_at is not None and order.due_at <= order.created_at
    if at_once and (not partial or order.ending != "normal"):
        _finish(world, order)
        return
    if at_once:
        order.due_at = None
    world.storage.orders.put(order)
    schedule(world, order)


def _finish(world: World, order: Order) -> None:
    if order.returned_at or order.ending == "refund":
        refund(world, order)
    elif order.ending == "cancel":
        cancel(world, order)
    else:
        deliver(world, order)


def _turn(world: World, order: Order, status: str) -> None:
    order.status = status
    order.updated_at = max(now_ms(), order.updated_at + 1)
    world.storage.orders.put(order)
    world.sender.send(events.order_status(world, order))


def _take_back(world: World, order: Order, from_statuses: set[str], status: str) -> None:
    back = Decimal(0)
    for row in order.rows:
        for key in row.keys:
            if key.status in from_statuses:
                key.status = status
                back += row.price
    order.credited += back
    world.storage.settings.balance += back
    world.storage.save_settings()
