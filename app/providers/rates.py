"""Exchange rates of the European Central Bank, as a Frankfurter server gives them (https://frankfurter.dev).

``GET /latest?base=EUR`` answers ``{"amount": 1.0, "base": "EUR", "date": "2026-11-27", "rates": {"USD": 1.0843}}``. The
bank sets its rates at about 16:00 CET on working days; on others the answer is that of the last one. No key is needed.
"""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import httpx

from app.providers import shapes
from app.providers.errors import Observer
from app.providers.http import TOTAL_SECONDS, HttpProvider
from app.providers.shapes import WrongShape

BASE = "EUR"
_CODE = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class DailyRates:
    """What one EUR was worth on ``day``, by currency (ISO 4217)."""

    day: date
    rates: dict[str, Decimal]


class Rates(HttpProvider):
    """``base_url`` ends in ``/v1``."""

    provider = "rates"

    def __init__(
        self,
        base_url: str,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        observer: Observer | None = None,
        total_seconds: float = TOTAL_SECONDS,
    ) -> None:
        super().__init__(
            base_url, {}, secret="", transport=transport, observer=observer, total_seconds=total_seconds
        )  # fmt: skip

    async def latest(self) -> DailyRates:
        """The newest rates there are. Raises ProviderError."""
        return await self.ask("latest", "GET", "/latest", read_rates, query={"base": BASE})


def read_rates(value: object) -> DailyRates:
    """Rates out of an answer; a currency that can't be read is left out. Raises WrongShape."""
    data = shapes.members(value)
    amount = shapes.amount(data, "amount")
    if shapes.need_text(data, "base").strip().upper() != BASE or amount not in {None, Decimal(1)}:
        raise WrongShape("these are not the rates of one EUR")
    rows = shapes.members(data.get("rates"), "rates")
    rates = {code: rate for code in rows if _CODE.fullmatch(code) and (rate := _rate(rows, code))}
    if not rates:
        raise WrongShape("rates holds no rate")
    return DailyRates(_day(shapes.need_text(data, "date")), rates)


def _rate(rows: shapes.Members, code: str) -> Decimal | None:
    try:
        return shapes.amount(rows, code)
    except WrongShape:
        return None


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise WrongShape("date is not a day") from None
