"""The rates source over HTTP, at `/rates/v1`. The bank sets its rates on working days; else the last day's stand."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from litestar import Router, get

from dev.sandbox.fault_middleware import fault_middleware
from dev.sandbox.holds import holding
from dev.sandbox.rates import refusals
from dev.sandbox.rates.refusals import RatesRefusal
from dev.sandbox.records import Settings
from dev.sandbox.wire import Answer, Call, answer
from dev.sandbox.world import World, world_of

PREFIX = "/rates/v1"
OTHERS = {"CHF": Decimal("0.9312"), "GBP": Decimal("0.8341"), "INR": Decimal("98.64"), "JPY": Decimal("168.35")}


def routes(world: World) -> Router:
    """All routes of this provider behind its faults."""
    return Router(
        PREFIX,
        middleware=[
            holding("rates", world.holds, refusals.face),
            fault_middleware("rates", world.switches, refusals.face),
        ],
        route_handlers=[latest],
    )


@get("/latest")
async def latest(request: Call) -> Answer:
    """The newest rates of one EUR; `?base=EUR`, `?symbols=USD,CHF`."""
    settings, query = world_of(request).storage.settings, request.query_params
    if query.get("base", "EUR") != "EUR":
        raise RatesRefusal(422, "invalid currency")
    rates = OTHERS | {"USD": settings.eur_usd}
    wanted = {code for code in query.get("symbols", "").split(",") if code} or set(rates)
    if not wanted <= set(rates):
        raise RatesRefusal(404, "not found")
    shown = {code: rates[code] for code in sorted(wanted)}
    return answer({"amount": Decimal("1.0"), "base": "EUR", "date": _day(settings).isoformat(), "rates": shown})


def _day(settings: Settings) -> date:
    """The set day, else the last working day."""
    if settings.rates_day:
        return date.fromisoformat(settings.rates_day)
    today = datetime.now(UTC).date()
    return today - timedelta(days=max(today.weekday() - 4, 0))
