"""The events we send: when each is sent, what is in it, an example. Pages, docs and tests read it from here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from types import SimpleNamespace
from typing import Any

from app.webhooks import objects
from app.webhooks.events import TEST

DRAFT = "https://json-schema.org/draft/2020-12/schema"


@dataclass(frozen=True, slots=True)
class Member:
    """One member of an object. ``kind``: id, text, money, coins, time, count, flag, object.

    ``values``: all it can be.
    """

    name: str
    kind: str
    meaning: str
    nullable: bool = False
    values: tuple[str, ...] = ()
    members: tuple["Member", ...] = ()

    def schema(self) -> dict[str, Any]:
        """This member in JSON Schema."""
        plain = SHAPES[self.kind] | ({"enum": list(self.values)} if self.values else {})
        if self.members:
            plain = _object(self.members)
        said = {"description": self.meaning}
        return said | ({"anyOf": [plain, {"type": "null"}]} if self.nullable else plain)


@dataclass(frozen=True)
class EventType:
    """``about``: what kind of object; ``when`` it is sent; ``do``: what a shop does then.

    ``statuses``: what its object can say of itself, the usual one first. ``changes``: the example's, to the usual row.
    """

    name: str
    about: str
    statuses: tuple[str, ...]
    when: str
    do: str
    changes: Mapping[str, Any]

    @cached_property
    def example(self) -> dict[str, Any]:
        """A whole payload, its data made by what makes the real ones."""
        return {
            "id": f"0199d2f0-5e3a-7c61-9b1f-{list(EVENTS).index(self.name):012x}",
            "type": self.name,
            "mode": "test",
            "created": "2026-11-21T10:04:12.345Z",
            "object": self.about,
            "object_id": IDS[self.about],
            "sequence": SEQUENCES.get(self.name, 1),
            "data": _example(self.about, self.changes) | ({"status": self.statuses[0]} if self.statuses else {}),
        }

    @property
    def members(self) -> tuple[Member, ...]:
        """Of its ``data``."""
        return OBJECTS[self.about]

    def schema(self) -> dict[str, Any]:
        """The payload in JSON Schema, draft 2020-12. New members may come, so others are allowed."""
        told = _object((*ENVELOPE, Member("data", "object", f"The {self.about}.", members=self.members)))
        told["properties"]["type"]["const"] = self.name
        told["properties"]["object"]["const"] = self.about
        if self.statuses:
            told["properties"]["data"]["properties"]["status"]["enum"] = list(self.statuses)
        return {"$schema": DRAFT, "title": self.name, "description": self.when} | told


SHAPES: dict[str, dict[str, Any]] = {
    "id": {"type": "string", "format": "uuid"},
    "text": {"type": "string"},
    "money": {"type": "string", "pattern": r"^\d+(\.\d{2,3})?$"},
    "coins": {"type": "string", "pattern": r"^\d+(\.\d+)?$"},
    "time": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"},
    "count": {"type": "integer", "minimum": 1},
    "flag": {"type": "boolean"},
    "object": {"type": "object"},
}
MODES = ("test", "live")
PAYMENT_STATUSES = (*dict.fromkeys(objects.PAYMENT_WORDS.values()), objects.CANCELLED)
ORDER_STATUSES = (
    "created", "waiting", "confirming", "underpaid", "paid", "fulfilled", "expired", "failed", "refunded", "cancelled",
)  # fmt: skip

ENVELOPE = (
    Member("id", "id", "The event's id, the same at each attempt and in the feed. Remember the ids you have handled."),
    Member("type", "text", "What happened."),
    Member("mode", "text", "The mode it belongs to.", values=MODES),
    Member("created", "time", "When it happened."),
    Member("object", "text", "The kind of object it is about."),
    Member("object_id", "id", "Its id."),
    Member(
        "sequence",
        "count",
        "Counts the events of this object from 1, without gaps: ignore a lower one than you have handled.",
    ),
)
OBJECTS: dict[str, tuple[Member, ...]] = {
    "order": (
        Member("id", "id", "The order's id."),
        Member("object", "text", "Always order.", values=("order",)),
        Member("mode", "text", "test or live.", values=MODES),
        Member("status", "text", "Its status.", values=ORDER_STATUSES),
        Member("amount", "money", "What the customer owes."),
        Member("currency", "text", "ISO 4217, of amount."),
        Member("reference", "text", "Your own reference for it, as you sent it.", nullable=True),
        Member("customer_email", "text", "As you sent it.", nullable=True),
        Member("metadata", "object", "As you sent it."),
        Member("created", "time", "When it was created."),
        Member("paid", "time", "When it was paid in full.", nullable=True),
        Member("fulfilled", "time", "When it was fulfilled.", nullable=True),
    ),
    "payment": (
        Member("id", "id", "The payment's id."),
        Member("object", "text", "Always payment.", values=("payment",)),
        Member("mode", "text", "test or live.", values=MODES),
        Member("order_id", "id", "The order it pays."),
        Member("status", "text", "Its status.", values=PAYMENT_STATUSES),
        Member("method", "text", "How the customer pays.", values=("crypto", "upi", "card")),
        Member("amount", "money", "The amount asked for."),
        Member("currency", "text", "ISO 4217, of amount and captured."),
        Member("captured", "money", "The amount received, from which refunds are taken."),
        Member("refunded", "money", "The amount refunded."),
        Member(
            "crypto", "object", "Where to send coins; null for other methods.", nullable=True,
            members=(
                Member("currency", "text", "The coin, such as btc or usdttrc20.", nullable=True),
                Member("amount", "coins", "The amount to send, in the coin.", nullable=True),
                Member("address", "text", "The address to send to; null once it takes no more.", nullable=True),
                Member("memo", "text", "The memo to send with it, if the coin needs one.", nullable=True),
                Member("received", "coins", "The amount received, in the coin.", nullable=True),
                Member("invoice_url", "text", "A hosted page to pay on; null when address is.", nullable=True),
            ),
        ),
        Member("underpaid", "flag", "Whether less than the amount arrived, beyond the tolerance."),
        Member("missing", "money", "How much is missing; zero if it is not underpaid."),
        Member("overpaid", "flag", "Whether more arrived than was asked for."),
        Member("excess", "money", "How much more is owed back still: refunds lower it. All, if it was paid already."),
        Member("metadata", "object", "As you sent it with the payment."),
        Member("details", "object", "For upi vpa; for card last4 and network. Never a card's number."),
        Member("failure", "text", "Why it failed, in a word such as declined or cancelled.", nullable=True),
        Member("created", "time", "When it was created."),
        Member("updated", "time", "When it last changed."),
        Member("expires", "time", "When it expires.", nullable=True),
    ),
    "refund": (
        Member("id", "id", "The refund's id."),
        Member("object", "text", "Always refund.", values=("refund",)),
        Member("mode", "text", "test or live.", values=MODES),
        Member("order_id", "id", "The order that is refunded."),
        Member("payment_id", "id", "The payment that is refunded.", nullable=True),
        Member("status", "text", "Its status.", values=("pending", "processing", "processed", "failed")),
        Member("amount", "money", "The amount refunded."),
        Member("currency", "text", "ISO 4217, of amount."),
        Member("reason", "text", "As you sent it."),
        Member("error", "text", "Why it failed.", nullable=True),
        Member("transaction", "text", "The transaction on the blockchain.", nullable=True),
        Member("created", "time", "When it was created."),
        Member("ended", "time", "When it was processed or failed.", nullable=True),
        Member(
            "claim_url", "text", "Where your customer names an address, while one is to be named: hand it on.",
            nullable=True,
        ),
    ),
    "endpoint": (
        Member("id", "id", "The endpoint's id."),
        Member("object", "text", "Always endpoint.", values=("endpoint",)),
        Member("url", "text", "Its URL."),
        Member("name", "text", "Its name."),
    ),
}  # fmt: skip

IDS = {
    "order": "0199d2ef-91a0-7e2b-8f6d-3c1a5b7e9d01",
    "payment": "0199d2ef-a4c8-7b3e-92d5-6e0f1a2b3c02",
    "refund": "0199d2f4-07d1-7d44-a1b8-9c2e4f6a8b03",
    "endpoint": "0199d2f5-3b2a-7f10-b6c4-1d3e5f7a9b04",
}
SEQUENCES = {
    "order.fulfilled": 2, "payment.confirming": 2, "payment.success": 3, "payment.failed": 2, "payment.expired": 2,
    "payment.underpaid": 3, "payment.overpaid": 4, "refund.processing": 2, "refund.processed": 3, "refund.failed": 3,
}  # fmt: skip
_AT = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
_LATER = _AT + timedelta(minutes=4)
_ROWS: dict[str, dict[str, Any]] = {
    "order": {
        "id": IDS["order"], "test": True, "status": "waiting", "total": Decimal("49.90"), "currency": "USD",
        "reference": "cart-1042", "email": "ada@example.com", "email_typed": None,
        "metadata": {"basket": "1042"}, "created_at": _AT,
        "paid_at": None, "fulfilled_at": None,
    },
    "payment": {
        "id": IDS["payment"], "order_id": IDS["order"], "status": "waiting", "outcome": None, "method": "crypto",
        "price_amount": Decimal("49.90"), "price_currency": "USD", "value": Decimal("0.00"), "excess": Decimal(0),
        "pay_currency": "btc",
        "pay_amount": Decimal("0.00054321"), "pay_address": "bc1qexampleexampleexampleexampleexample0",
        "memo": None, "actually_paid": Decimal(0), "invoice_url": None, "details": {}, "failure": None,
        "created_at": _AT, "updated_at": _LATER, "expires_at": _AT + timedelta(minutes=20),
    },
    "refund": {
        "id": IDS["refund"], "order_id": IDS["order"], "payment_id": IDS["payment"], "status": "pending",
        "amount": Decimal("24.95"), "currency": "USD", "reason": "half of it was out of stock", "error": None,
        "tx_hash": None, "created_at": _LATER, "ended_at": None, "claimed_at": _LATER, "link_id": None,
        "letter_status": None, "letter_error": None,
    },
}  # fmt: skip
_ALL = {"actually_paid": Decimal("0.00054321")}

EVENTS = {
    event.name: event
    for event in (
        EventType(
            "order.paid", "order", ("paid",),
            "Once, when the order's money has arrived in full, by whichever of its payments.",
            "Ship. This is the event to deliver on.",
            {"paid_at": _LATER},
        ),
        EventType(
            "order.fulfilled", "order", ("fulfilled",),
            "Once, right after order.paid: there is nothing left for us to do.",
            "Nothing, unless you count finished orders.",
            {"paid_at": _LATER, "fulfilled_at": _LATER},
        ),
        EventType(
            "payment.pending", "payment", ("pending",),
            "When a payment can be paid: its address or form is ready.",
            "Show the customer where to pay, if you don't use our checkout.",
            {},
        ),
        EventType(
            "payment.confirming", "payment", ("confirming",),
            "When the money was seen and is being confirmed, or a card or UPI payment is being processed.",
            "Tell the customer that it is on its way. Don't ship.",
            _ALL,
        ),
        EventType(
            "payment.success", "payment", ("success",),
            "When the full amount has arrived and is confirmed.",
            "Book it. Ship on order.paid.",
            _ALL | {"value": Decimal("49.90")},
        ),
        EventType(
            "payment.failed", "payment", ("failed", "cancelled"),
            "When the payment has failed: declined, broken off, or cancelled by you (failure is cancelled).",
            "Offer another try: the order can still be paid.",
            {"method": "card", "details": {"last4": "0002", "network": "visa"}, "failure": "declined"},
        ),
        EventType(
            "payment.expired", "payment", ("expired",),
            "When time ran out before the money arrived. Coins that arrive later still count, and you get an event.",
            "Offer another try: the order can still be paid.",
            {},
        ),
        EventType(
            "payment.underpaid", "payment", ("underpaid",),
            "When less than its amount arrived, beyond the tolerance.",
            "Ask for the rest with another payment, or refund what arrived.",
            {"actually_paid": Decimal("0.00027"), "value": Decimal("24.80"), "outcome": "underpaid"},
        ),
        EventType(
            "payment.overpaid", "payment", (),
            "When more arrived than was asked for, or money for an order that needed none. It comes after the event "
            "that tells of the money itself, and again when still more arrives.",
            "Refund the excess, unless you agree something else with the customer.",
            _ALL | {"status": "finished", "outcome": "overpaid", "value": Decimal("54.90"), "excess": Decimal("5.00")},
        ),
        EventType(
            "refund.pending", "refund", ("pending",), "When a refund was created.",
            "Tell the customer that money is on its way back.", {},
        ),
        EventType(
            "refund.processing", "refund", ("processing",), "When the money is being sent.",
            "Nothing: the next event says how it ended.", {},
        ),
        EventType(
            "refund.processed", "refund", ("processed",), "When the money went out.", "Book it.",
            {"tx_hash": "f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16", "ended_at": _LATER},
        ),
        EventType(
            "refund.failed", "refund", ("failed",), "When the money could not be sent; error says why.",
            "Correct what error says and create a new refund; no money was sent.",
            {"error": "The address was refused.", "ended_at": _LATER},
        ),
        EventType(
            TEST, "endpoint", (), "When you press Send a test event, to that endpoint only.",
            "Answer with 2xx: then the endpoint works.", {},
        ),
    )
}  # fmt: skip


def _example(about: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    if about == "endpoint":
        return {"id": IDS[about], "object": about, "url": "https://shop.example.com/hooks", "name": "the shop"}
    row: Any = SimpleNamespace(**(_ROWS[about] | dict(changes)))
    if about == "order":
        return objects.order(row)
    order: Any = SimpleNamespace(**_ROWS["order"])
    return objects.payment(row, order) if about == "payment" else objects.refund(row, order)


def _object(members: tuple[Member, ...]) -> dict[str, Any]:
    properties = {member.name: member.schema() for member in members}
    return {"type": "object", "required": list(properties), "properties": properties}
