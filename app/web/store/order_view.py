"""An order as its page and its API answer show it, put together from every room that knows a part."""

import asyncio
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import msgspec

from app.accounts.addresses import masked, shown
from app.catalog import conditions
from app.catalog.covers.address import cover_address
from app.core.i18n import _
from app.core.money import Money, plain
from app.fulfillment import failure_reasons, withdrawal
from app.fulfillment import queries as supply
from app.fulfillment.models import Reservation
from app.history.models import Event
from app.keys import queries as keys
from app.keys.models import KeyState
from app.mail import queries as mail
from app.orders import queries as orders
from app.orders.models import Order, OrderItem, OrderWithItems
from app.orders.service import short, taken_meanwhile
from app.payments import queries as payments
from app.payments import service as paying
from app.payments.classify import OPEN as TAKES_MONEY
from app.payments.create import given_back
from app.payments.models import Payment
from app.queue import breaker_queries as breakers
from app.refunds.models import Refund
from app.web.store import answers, order_money, order_parts, refund_texts, supply_texts
from app.web.store import order_texts as words
from app.web.store.answers import Amount, ItemState, OrderState, PaymentState
from app.web.store.checkout import CoinChoice, coin_choices
from app.web.store.order_parts import Parts

OPEN = {"created", "waiting"}
SUPPLY_PROGRESS = {"requested": 60, "reserved": 75, "ready": 90, "delivered": 100}


class Step(msgspec.Struct, frozen=True):
    """One of the steps above an order's page; ``at``: when it was done."""

    label: str
    state: str
    at: datetime | None


class DownloadLink(msgspec.Struct, frozen=True):
    key_id: UUID
    href: str


class ItemView(msgspec.Struct, frozen=True):
    """An item as the page shows it. ``keys`` and ``download_links`` are of the keys that are here."""

    item_id: UUID
    product_id: UUID
    name: str
    slug: str
    cover: str
    platform: str
    conditions: list[str]
    quantity: int
    unit_price: Money
    line_total: Money
    status: str
    status_words: str
    keys_ready: int
    withdrawn: int
    keys: list[answers.KeyState]
    revealed_at: datetime | None
    download_links: list[DownloadLink]
    activation: str


class OrderView(msgspec.Struct, frozen=True):
    """Everything that ``store/orders/_status.html`` and its sisters show; see ``templates/store/orders``."""

    id: UUID
    short_id: str
    phase: str
    status: str
    email_masked: str
    total: Money
    subtotal: Money
    discount: Money | None
    created_at: datetime
    progress: int
    headline: str
    next_words: str
    title_state: str
    favicon: str
    steps: list[Step]
    items: list[ItemView]
    payment: order_money.AskedFor | None
    to_pay: bool
    choices: order_money.Choices | None
    settled: order_money.Settled | None
    owed: Money | None
    sent_back: bool
    may_pay: bool
    refunds: list[refund_texts.RefundView]
    mail_trouble: str | None
    timeline: list[words.TimelineLine]
    seq: int
    done: bool
    withdrawal: Money | None
    withdrawal_credit: Money | None
    taken: str | None
    can_cancel: bool
    can_choose_coin: bool
    coins: list[CoinChoice]

    @property
    def success_url(self) -> str:
        return f"/orders/{self.id}/success"

    @property
    def keys_ready(self) -> int:
        return sum(item.keys_ready for item in self.items)

    @property
    def units(self) -> int:
        return sum(item.quantity for item in self.items)

    @property
    def withdrawn(self) -> int:
        return sum(item.withdrawn for item in self.items)

    @property
    def awaited(self) -> bool:
        """Whether a key is still to come."""
        return any(item.keys_ready < item.quantity - item.withdrawn for item in self.items)

    @property
    def keys_here(self) -> bool:
        """Whether some keys can be revealed while others are awaited."""
        return self.status == "paid" and self.keys_ready > 0


class Said(msgspec.Struct, frozen=True):
    """What stands in large letters, what follows, and why the customer may hear of none of it by email."""

    headline: str
    next_words: str
    title_state: str
    favicon: str
    mail_trouble: str | None


async def build(order: OrderWithItems) -> OrderView:
    """An order for its page."""
    parts = await order_parts.read(order)
    order, coins = parts.order, await payments.coins()
    money = await order_money.of(order, parts.attempts if parts.ours else [], coins)
    items = [_item(order, item, parts.sealed) for item in order.items]
    offer = await withdrawal.offered(order)
    said = await _words(parts, money, items, offer)
    return OrderView(
        id=order.id,
        short_id=short(order.id),
        phase=words.PHASES[order.status],
        status=order.status,
        email_masked=masked(shown(order)),
        total=Money(order.total, order.currency),
        subtotal=Money(order.subtotal, order.currency),
        discount=Money(order.discount, order.currency) if order.discount else None,
        created_at=order.created_at,
        progress=progress(order, parts.reservations),
        headline=said.headline,
        next_words=said.next_words,
        title_state=said.title_state,
        favicon=said.favicon,
        steps=_steps(order, parts.events),
        items=items,
        payment=None if order.frozen_at else money.payment,
        to_pay=money.to_pay,
        choices=money.choices,
        settled=money.settled,
        owed=money.owed,
        sent_back=money.sent_back,
        may_pay=money.may_pay,
        refunds=[await _refund(order, refund) for refund in parts.refunds],
        mail_trouble=said.mail_trouble,
        timeline=words.timeline(parts.events),
        seq=parts.events[-1].seq if parts.events else 0,
        done=order.status == "fulfilled" and not parts.keyless,
        withdrawal=offer.share if offer else None,
        withdrawal_credit=offer.credit if offer and not offer.share.amount else None,
        taken=await taken_meanwhile(order.id) if order.status in OPEN else None,
        can_cancel=order.status in OPEN and not await orders.holds_money(order.id),
        can_choose_coin=order.status in OPEN and money.may_pay and not given_back(order),
        coins=await coin_choices(coins, order.currency),
    )


async def _words(
    parts: Parts, money: order_money.MoneyView, items: list[ItemView], offer: withdrawal.Missing | None
) -> Said:
    order, phase = parts.order, words.PHASES[parts.order.status]
    going = order.frozen_at is not None and phase != "refunded" and not money.choices
    headline, next_words, title, favicon = (
        words.GOING_BACK if going or parts.keyless else money.words or await _say(parts, phase, items)
    )
    reach = await mail.reach(order.id, order.email) if parts.ours else None
    mail_trouble = None
    if reach and not reach.reached:
        next_words, mail_trouble = (
            words.without_email(next_words),
            _(words.UNREACHED).format(email=masked(shown(order))),
        )
    if offer:
        offering, amount = (words.OFFER, offer.share) if offer.share.amount else (words.OFFER_CREDIT, offer.credit)
        next_words = f"{_(next_words)} {_(offering).format(amount=amount)}"
    return Said(_(headline), _(next_words), _(title), favicon, mail_trouble)


async def _say(parts: Parts, phase: str, items: list[ItemView]) -> words.Words:
    order, away = parts.order, await supply.is_supplier_away(parts.order)
    if trouble := failure_reasons.of_order(order, parts.reservations, away=away, dead=parts.dead):
        return supply_texts.said(trouble, items)
    if order.status in {"paid", "confirming"}:
        return await supply_texts.in_time(order, late=parts.happened(withdrawal.LATE))
    if order.status == "created" and parts.happened("payment.refused"):
        return words.REFUSED
    if order.status == "created" and await breakers.away("nowpayments"):
        return supply_texts.PROVIDER_AWAY
    return words.HEADLINES[phase]


async def _refund(order: Order, refund: Refund) -> refund_texts.RefundView:
    letter = await mail.of_link(order.id, refund.link_id) if refund.link_id else None
    return refund_texts.shown(refund, masked(shown(order)), letter)


def progress(order: OrderWithItems, reservations: list[Reservation]) -> int:
    """0 to 100: by the order's state, and while it is being supplied by its slowest item's current reservation."""
    if order.status == "paid" and len(reservations) == len(order.items):
        return min(SUPPLY_PROGRESS.get(r.status, 60) for r in reservations)
    return words.PROGRESS[order.status]


def _steps(order: Order, events: list[Event]) -> list[Step]:
    at = {e.kind: e.at for e in reversed(events)}
    seen = at.get("order.confirming") or at.get("order.paid")
    reached = {"created": 0, "waiting": 0, "underpaid": 0, "confirming": 1, "paid": 2, "fulfilled": 3, "refunded": 3}
    given_up = order.status == "failed" and order.fulfillment_status == "failed"
    keyless = order.status in {"fulfilled", "refunded"} and order.merchant_id is None and "key.sealed" not in at
    now = 2 if given_up else (2 if "order.paid" in at else 0) if keyless else reached.get(order.status, 0)
    over = keyless or order.status in {"expired", "failed", "cancelled"}
    ended = over or order.fulfillment_status == "failed"
    times = [seen, at.get("order.paid"), at.get("order.fulfilled")]
    return [
        Step(
            label,
            "done" if number < now else "todo" if number > now else "failed" if ended else "current",
            times[number] if number < now else None,
        )
        for number, label in enumerate((_("Pay"), _("Confirm"), _("Get key")))
    ]


def _item(order: Order, item: OrderItem, sealed: list[KeyState]) -> ItemView:
    own = [key for key in sealed if key.item_id == item.id]
    unit = Money(item.unit_price, order.currency)
    ready = ""
    if own and item.status == "pending":
        ready = _("%(ready)s of %(quantity)s keys ready", ready=len(own), quantity=item.quantity)
    return ItemView(
        item_id=item.id,
        product_id=item.product_id,
        name=item.name,
        slug=item.slug,
        cover=cover_address(item.slug, item.name),
        platform=item.platform,
        conditions=sold.lines if (sold := conditions.of_item(item.conditions)) else [],
        quantity=item.quantity,
        unit_price=unit,
        line_total=unit * item.quantity,
        status=item.status,
        status_words=ready or _(words.ITEM_WORDS.get(item.status, "")),
        keys_ready=len(own),
        withdrawn=item.withdrawn,
        keys=[answers.KeyState(key.id, key.revealed_at) for key in own],
        revealed_at=min((k.revealed_at for k in own if k.revealed_at), default=None),
        download_links=[
            DownloadLink(key.id, f"/fulfillment/{order.id}/download-link?itemId={item.id}&keyId={key.id}")
            for key in own
            if key.deleted_at is None
        ],
        activation=_(
            "In %(platform)s, choose to redeem or activate a product, then paste the key.", platform=item.platform
        ),
    )


async def state_of(order: OrderWithItems) -> OrderState:
    """How an order stands, as JSON: the answer of ``GET /fulfillment/{orderId}/status``."""
    attempts, sealed, reservations, choices = await asyncio.gather(
        payments.of_order(order.id),
        keys.of_order(order.id),
        supply.of_order(order.id),
        paying.options(order),
    )
    payment = order_money.shown(order, attempts)
    items = (_item(order, item, sealed) for item in order.items)
    return OrderState(
        order_id=order.id,
        status=order.status,
        fulfillment_status=order.fulfillment_status,
        progress=progress(order, supply.current(reservations)),
        total=Amount.of(Money(order.total, order.currency)),
        payment=_payment_state(payment, takes=_takes(order, attempts, payment)) if payment else None,
        choices=order_money.choices_of(choices) if choices else None,
        items=[
            ItemState(item.item_id, item.product_id, item.name, item.quantity, item.status, item.keys) for item in items
        ],
    )


def _takes(order: Order, attempts: list[Payment], payment: Payment) -> bool:
    """Whether coins may be sent to its address, or are on their way there: never where the order takes none."""
    if given_back(order) or order.status not in TAKES_MONEY:
        return False
    rest = order.status == "underpaid" and payment.status == "partially_paid"
    return (
        payment == order_money.open_now(order, attempts)
        or payment.status in order_money.IN_FLIGHT
        or (rest and order_money.takes(payment, attempts))
    )


def _payment_state(payment: Payment, *, takes: bool) -> PaymentState:
    """``takes``: whether it still asks for money; one that does not names no address."""
    return PaymentState(
        payment_id=payment.provider_payment_id,
        status=payment.status,
        pay_address=payment.pay_address if takes else None,
        pay_amount=plain(payment.pay_amount or Decimal(0)),
        pay_currency=payment.pay_currency,
        memo=payment.memo if takes else None,
        actually_paid=plain(payment.actually_paid),
        invoice_url=payment.invoice_url if takes else None,
        expires_at=payment.expires_at,
    )
