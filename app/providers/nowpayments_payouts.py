"""NOWPayments' payouts (sheet ``nowpayments.md``, section 10): money out of our custody balance, to a customer.

There is no idempotency: ``create`` may have happened although it failed with ``may_have_happened``. Write the attempt
down first, and look for it by our own id with ``find`` before anything is asked again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Any, TypeVar
from urllib.parse import quote

import httpx

from app.core import clock
from app.core.money import plain
from app.providers import nowpayments_answers as answers
from app.providers import shapes
from app.providers.answers import Answer
from app.providers.errors import ApiKeyRejected, Fault, Observer, ProviderError, ProviderProtocolError, ProviderRefused
from app.providers.http import TOTAL_SECONDS, HttpProvider
from app.providers.shapes import Members, WrongShape

DECIMALS = Decimal("0.000001")  # section 10: an amount has at most six decimals
TOKEN_LIFETIME = timedelta(minutes=4)  # theirs lives five (section 1)
PAGE_ROWS = 100
MAX_PAGES = 20  # 2,000 payouts since the attempt was written down
PLAIN = {"validate_address", "verify"}  # answered with the text OK, which is not JSON
T = TypeVar("T")


class AddressRefused(ProviderRefused):
    """The address, or its memo, is not one of that coin's."""


class PayoutUnknown(ProviderRefused):
    """No such payout, or one that another API key made."""


class CodeRefused(ProviderRefused):
    """The one-time code was wrong, stale, or the tenth try is used up."""


class BalanceTooLow(ProviderRefused):
    """Our custody balance in that coin does not cover it. It works again after a top-up."""


@dataclass(frozen=True, slots=True)
class Payout:
    """One withdrawal. ``batch_id`` is what ``verify`` and ``show`` take; ``status`` in lower case, any word.

    ``amount`` and ``fee`` are in whole ``currency`` coins; ``hash`` is the transaction's, once there is one.
    """

    id: str
    batch_id: str
    external_id: str | None
    status: str
    currency: str | None
    amount: Decimal | None
    fee: Decimal | None
    hash: str | None
    error: str | None
    created_at: datetime | None


class Payouts(HttpProvider):
    """``base_url`` ends in ``/v1``; without ``email`` and ``password`` only the calls that need a key alone work."""

    provider = "nowpayments"

    def __init__(
        self,
        base_url: str,
        api_key: str,
        *,
        email: str = "",
        password: str = "",
        transport: httpx.AsyncBaseTransport | None = None,
        observer: Observer | None = None,
        total_seconds: float = TOTAL_SECONDS,
    ) -> None:
        super().__init__(
            base_url,
            {"x-api-key": api_key},
            secret=api_key,
            transport=transport,
            observer=observer,
            total_seconds=total_seconds,
        )
        self._email, self._password = email, password
        self._token: tuple[datetime, str] | None = None

    async def validate_address(self, address: str, coin: str, memo: str | None = None) -> None:
        """Returns if money can be sent there; raises AddressRefused."""
        body = {"address": address, "currency": coin.lower(), "extra_id": memo}
        await self.ask("validate_address", "POST", "/payout/validate-address", _ok, body=body)

    async def least(self, coin: str) -> Decimal:
        """The least that can be sent of a coin; it moves with the network's fees."""
        path = f"/payout-withdrawal/min-amount/{quote(coin.lower(), safe='')}"
        return await self.ask("payout_min", "GET", path, _least)

    async def worth(self, amount: Decimal, fiat: str, coin: str) -> Decimal:
        """What ``amount`` of ``fiat`` is in ``coin`` now, rounded down to what a payout may have."""
        query = {"amount": plain(shapes.exact(amount)), "currency_from": fiat.lower(), "currency_to": coin.lower()}
        found = await self.ask("estimate", "GET", "/estimate", answers.estimated, query=query)
        return found.quantize(DECIMALS, ROUND_DOWN)

    async def create(
        self, *, address: str, coin: str, amount: Decimal, external_id: str, memo: str | None, description: str
    ) -> Payout:
        """Ask for one payout; it moves nothing until it is verified. Raises AddressRefused or BalanceTooLow."""
        withdrawal = {
            "address": address,
            "currency": coin.lower(),
            "amount": shapes.exact(amount.quantize(DECIMALS, ROUND_DOWN)),
            "unique_external_id": external_id,
        } | ({"extra_id": memo} if memo else {})
        body = {"withdrawals": [withdrawal], "payout_description": description}
        return await self._signed_in("create_payout", "POST", "/payout", _one, body=body)

    async def verify(self, batch_id: str, code: str) -> None:
        """Confirm a batch by a one-time code; each code once (section 10). Raises CodeRefused."""
        path = f"/payout/{quote(batch_id, safe='')}/verify"
        await self._signed_in("verify", "POST", path, _ok, body={"verification_code": code})

    async def show(self, batch_id: str, payout_id: str) -> Payout:
        """How one payout of a batch stands. Raises PayoutUnknown."""
        path = f"/payout/{quote(batch_id, safe='')}"
        found = await self._maybe_signed_in("payout", "GET", path, _many)
        ours = next((one for one in found if one.id == payout_id), None)
        if ours is None:
            raise PayoutUnknown(self.provider, "payout", "the batch does not hold it")
        return ours

    async def find(self, external_id: str, since: datetime) -> Payout | None:
        """Our payout by the id we gave it, newest first since ``since``; None where there is none."""
        for page in range(MAX_PAGES):
            query: dict[str, str | int] = {
                "limit": PAGE_ROWS, "page": page, "order_by": "dateCreated", "order": "desc",
                "date_from": f"{since:%Y-%m-%dT%H:%M:%SZ}",
            }  # fmt: skip
            found = await self._maybe_signed_in("payouts", "GET", "/payout", _many, query=query)
            ours = next((one for one in found if one.external_id == external_id), None)
            if ours is not None or len(found) < PAGE_ROWS:
                return ours
        raise ProviderProtocolError(self.provider, "payouts", f"more than {MAX_PAGES} pages of payouts")

    async def _maybe_signed_in(self, call: str, method: str, path: str, read: Callable[[Any], T], **more: Any) -> T:
        """A call that takes the key alone; some accounts answer 401 to it, and then it is made with the token too."""
        try:
            return await self.ask(call, method, path, read, **more)
        except ApiKeyRejected as refused:
            if refused.status != 401 or not self._email:
                raise
        return await self._signed_in(call, method, path, read, **more)

    async def _signed_in(self, call: str, method: str, path: str, read: Callable[[Any], T], **more: Any) -> T:
        """With key and token; a 401 means that nothing was done, so it logs in again once."""
        for fresh in (False, True):
            headers = {"authorization": f"Bearer {await self._bearer(fresh=fresh)}"}
            try:
                return await self.ask(call, method, path, read, headers=headers, **more)
            except ApiKeyRejected as refused:
                if refused.status != 401 or fresh:
                    raise
        raise AssertionError("unreachable")

    async def _bearer(self, *, fresh: bool) -> str:
        if fresh or self._token is None or self._token[0] <= clock.now():
            until = clock.now() + TOKEN_LIFETIME
            body = {"email": self._email, "password": self._password}
            self._token = (until, await self.ask("auth", "POST", "/auth", _token, body=body))
        return self._token[1]

    def _judge(self, call: str, method: str, answer: Answer, read: Callable[[Any], T]) -> T:
        if call in PLAIN and 200 <= answer.status < 300:
            text = answer.body[:64].decode("utf-8", "replace").strip().strip('"')
            answer = Answer(answer.status, answer.headers, b'"%s"' % (b"OK" if text.upper() == "OK" else b""))
        return super()._judge(call, method, answer, read)

    def _clean(self, said: str) -> str:
        hidden = [self._password, self._token[1] if self._token else ""]
        for secret in filter(None, hidden):
            said = said.replace(secret, "***")
        return super()._clean(said)

    def explain(self, fault: Fault) -> ProviderError | None:
        if not 400 <= fault.status < 500 or fault.status == 429:
            return None
        if fault.code in {"INVALID_API_KEY", "ENDPOINT_NOT_ALLOWED", "AUTH_REQUIRED", "INVALID_TOKEN"}:
            return fault.refused(ApiKeyRejected)
        if fault.status == 404 or fault.code == "NOT_FOUND":
            return fault.refused(PayoutUnknown)
        if fault.call == "verify" and fault.status == 400:
            return fault.refused(CodeRefused)
        said = fault.detail.lower()
        if fault.call == "validate_address" or "address" in said or "extra_id" in said:
            return fault.refused(AddressRefused)
        return fault.refused(BalanceTooLow) if "insufficient" in said else None


def _ok(value: object) -> None:
    if value != "OK":
        raise WrongShape("not the text OK")


def _token(value: object) -> str:
    return shapes.need_text(shapes.members(value), "token")


def _least(value: object) -> Decimal:
    """``result`` by the documentation, ``min_amount`` as some clients read it."""
    data = shapes.members(value)
    return shapes.need_amount(data, "result" if data.get("result") is not None else "min_amount")


def _one(value: object) -> Payout:
    found = _many(value)
    if len(found) != 1:
        raise WrongShape(f"{len(found)} withdrawals instead of one")
    return found[0]


def _many(value: object) -> list[Payout]:
    """Withdrawals, in each shape seen: a bare list, ``{withdrawals}`` of a batch, ``{payouts}`` of the list."""
    batch = None
    if not isinstance(value, list):
        data = shapes.members(value)
        batch = shapes.ident(data, "id")
        value = data.get("withdrawals") if data.get("withdrawals") is not None else data.get("payouts")
    return [_payout(row, batch) for row in shapes.rows(value, "withdrawals")]


def _payout(row: Members, batch: str | None) -> Payout:
    """Live answers spell members with underscores, the old official types in camelCase."""

    def either(name: str) -> Members:
        camel = "".join(part.capitalize() if n else part for n, part in enumerate(name.split("_")))
        return {name: row.get(name) if row.get(name) is not None else row.get(camel)}

    batch_id = shapes.ident(either("batch_withdrawal_id"), "batch_withdrawal_id") or batch
    if batch_id is None:
        raise WrongShape("batch_withdrawal_id is missing")
    return Payout(
        id=shapes.need_ident(row, "id"),
        batch_id=batch_id,
        external_id=shapes.ident(either("unique_external_id"), "unique_external_id"),
        status=shapes.need_folded(row, "status"),
        currency=shapes.folded(row, "currency"),
        amount=shapes.amount(row, "amount"),
        fee=shapes.amount(row, "fee"),
        hash=shapes.text(row, "hash"),
        error=shapes.text(row, "error"),
        created_at=shapes.moment(either("created_at"), "created_at"),
    )
