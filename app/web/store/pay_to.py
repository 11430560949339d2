"""Where a payment's coins are to go, as every page that asks for them shows it."""

from decimal import Decimal

import msgspec
import segno
from markupsafe import Markup

from app.core import clock
from app.core.i18n import _
from app.core.money import plain
from app.payments.models import Coin, Payment
from app.web.store.wallets import MEMO_LABELS, wallet_uri


class PayTo(msgspec.Struct, frozen=True):
    """``expires_in``: seconds for which the rate is still held, None where it never was."""

    coin_name: str
    network: str
    pay_currency: str
    pay_amount: str
    to_send: str
    pay_address: str
    memo: str | None
    memo_label: str
    uri: str | None
    qr: Markup
    expires_in: int | None
    actually_paid: str | None


def pay_to(payment: Payment, coins: list[Coin], to_send: str = "") -> PayTo:
    """``to_send``: less than the payment's whole amount."""
    code, address, memo = payment.pay_currency, payment.pay_address or "", payment.memo
    coin = next((c for c in coins if c.code == code), None)
    amount, paid = plain(payment.pay_amount or Decimal(0)), payment.actually_paid
    uri = wallet_uri(code, address, to_send or amount, memo)
    return PayTo(
        coin_name=coin.name if coin else code.upper(),
        network=coin.network if coin else payment.network or "",
        pay_currency=code,
        pay_amount=amount,
        to_send=to_send or amount,
        pay_address=address,
        memo=memo,
        memo_label=_(MEMO_LABELS.get(code, "Memo")),
        uri=uri,
        qr=_qr(uri or address),
        expires_in=max(int(seconds_left(payment)), 0) if payment.expires_at else None,
        actually_paid=plain(paid) if paid else None,
    )


def seconds_left(payment: Payment) -> float:
    """For how long its rate is still held; negative when it no longer is."""
    return (payment.expires_at - clock.now()).total_seconds() if payment.expires_at else 0


def _qr(text: str) -> Markup:
    """A QR code as inline SVG without styles, so that a strict content policy lets it through."""
    code = segno.make(text, error="m")
    return Markup(code.svg_inline(scale=4, border=2, svgclass="qr", lineclass="qr-line", omitsize=True))  # noqa: S704
