"""What NOWPayments says, as values: the answers of its calls, the body of its notices (sections 2, 6)."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from urllib.parse import urlsplit

from app.core import texts
from app.providers import shapes
from app.providers.errors import ProviderProtocolError
from app.providers.shapes import Members, WrongShape

SELECTED = ("selectedCurrencies", "currencies")


@dataclass(frozen=True, slots=True)
class MinAmount:
    """The least one may pay, in units of the coin; ``fiat_equivalent`` is the same in the fiat asked for."""

    amount: Decimal
    fiat_equivalent: Decimal | None


@dataclass(frozen=True, slots=True)
class Coin:
    """One coin on one network. ``code`` and ``network`` in lower case; ``has_memo``: an address needs a memo."""

    code: str
    name: str
    network: str
    has_memo: bool


@dataclass(frozen=True, slots=True)
class ChosenCoins:
    """The merchant's coins in the merchant's order: those that are switched on, and the codes of those of which the
    provider says nothing that can be read. All others are switched off."""

    on: tuple[Coin, ...]
    unclear: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Invoice:
    """A hosted page where the customer pays. It has no status; its payments have."""

    id: str
    url: str
    order_id: str | None


@dataclass(frozen=True, slots=True)
class PaymentReport:
    """What NOWPayments says of one payment, in an answer or a notice. A statement, not yet a fact of ours.

    Ids are texts; currencies and ``status`` in lower case. ``status`` may be a word that section 5 lacks.
    ``pay_amount`` was asked and ``actually_paid`` came in, both in ``pay_currency``. ``parent_payment_id``
    marks a repeated deposit, which pays no order by itself; ``extra_ids`` are the deposits that repeat this one.
    ``expires_at`` is the estimate's end, else ``valid_until``. ``updated_at`` is ISO text or epoch milliseconds as
    text.
    """

    payment_id: str
    status: str
    invoice_id: str | None
    parent_payment_id: str | None
    purchase_id: str | None
    order_id: str | None
    price_amount: Decimal | None
    price_currency: str | None
    pay_amount: Decimal | None
    pay_currency: str | None
    actually_paid: Decimal | None
    outcome_amount: Decimal | None
    outcome_currency: str | None
    pay_address: str | None
    payin_extra_id: str | None
    network: str | None
    expires_at: datetime | None
    valid_until: datetime | None
    updated_at: str | None
    extra_ids: tuple[str, ...] = ()


def read_report(data: object) -> PaymentReport:
    """The report in a parsed notice. Raises ProviderProtocolError if id or status is missing or a type wrong."""
    try:
        return report(data)
    except WrongShape as wrong:
        raise ProviderProtocolError("nowpayments", "read_report", str(wrong)) from None


def message(value: object) -> str:
    return shapes.need_text(shapes.members(value), "message")


def codes(value: object) -> frozenset[str]:
    data = shapes.members(value)
    if not isinstance(data.get("currencies"), list):
        raise WrongShape("currencies is not a list")
    return frozenset(code.lower() for code in shapes.texts(data, "currencies"))


def selected(value: object) -> tuple[str, ...]:
    """Codes the merchant chose, in lower case: documented as ``currencies``, live ``selectedCurrencies``."""
    data = shapes.members(value)
    if not any(isinstance(data.get(name), list) for name in SELECTED):
        raise WrongShape("selectedCurrencies is not a list")
    return tuple(code.lower() for name in SELECTED for code in shapes.texts(data, name))


def coins(value: object) -> dict[str, Coin | None]:
    """All coins by code; None for one that is switched off. A row that can't be read is left out."""
    rows = shapes.members(value).get("currencies")
    if not isinstance(rows, list):
        raise WrongShape("currencies is not a list")
    found: dict[str, Coin | None] = {}
    for row in rows:
        try:
            code, coin = _coin(shapes.members(row))
        except WrongShape:
            continue
        found[code] = coin
    return found


def min_amount(value: object) -> MinAmount:
    data = shapes.members(value)
    return MinAmount(shapes.need_amount(data, "min_amount"), shapes.amount(data, "fiat_equivalent"))


def estimated(value: object) -> Decimal:
    return shapes.need_amount(shapes.members(value), "estimated_amount")


def invoice(value: object) -> Invoice:
    data = shapes.members(value)
    url = shapes.need_text(data, "invoice_url")
    if urlsplit(url).scheme not in {"http", "https"}:
        raise WrongShape("invoice_url is no web address")
    return Invoice(shapes.need_ident(data, "id"), url, shapes.ident(data, "order_id"))


def report(value: object) -> PaymentReport:
    data = shapes.members(value)
    valid_until = shapes.moment(data, "valid_until")
    return PaymentReport(
        payment_id=shapes.need_ident(data, "payment_id"),
        status=shapes.need_folded(data, "payment_status"),
        invoice_id=shapes.ident(data, "invoice_id"),
        parent_payment_id=shapes.ident(data, "parent_payment_id"),
        purchase_id=shapes.ident(data, "purchase_id"),
        order_id=_order_id(data),
        price_amount=shapes.amount(data, "price_amount"),
        price_currency=shapes.folded(data, "price_currency"),
        pay_amount=shapes.amount(data, "pay_amount"),
        pay_currency=shapes.folded(data, "pay_currency"),
        actually_paid=shapes.amount(data, "actually_paid"),
        outcome_amount=shapes.amount(data, "outcome_amount"),
        outcome_currency=shapes.folded(data, "outcome_currency"),
        pay_address=shapes.text(data, "pay_address"),
        payin_extra_id=shapes.text(data, "payin_extra_id"),
        network=shapes.folded(data, "network"),
        expires_at=shapes.moment(data, "expiration_estimate_date") or valid_until,
        valid_until=valid_until,
        updated_at=shapes.text(data, "updated_at"),
        extra_ids=shapes.idents(data, "payment_extra_ids"),
    )


def _order_id(data: Members) -> str | None:
    """Our own name for the order, if it is one: the payment's id says as much, so what is no name is none."""
    try:
        return shapes.ident(data, "order_id")
    except WrongShape:
        return None


def ident_of(notice: object, name: str) -> str | None:
    """An id in a notice, whatever else in it can't be read; None where that can't be read either."""
    try:
        return shapes.ident(shapes.members(notice), name)
    except WrongShape:
        return None


def _coin(row: Members) -> tuple[str, Coin | None]:
    code = shapes.need_folded(row, "code")
    if row.get("enable") is False or row.get("available_for_payment") is False:
        return code, None
    network = shapes.folded(row, "network") or code
    name = texts.line(shapes.text(row, "name") or "") or code.upper()
    return code, Coin(code, name, network, row.get("extra_id_exists") is True)
