"""Exchange rates: kept by currency and day. Without a fresh one nothing is sold, as no price can be trusted.

The supplier's prices are in EUR, ours in the shop's currency: prices, the least margin and the most that a key may cost
are worked out with the newest rate. A shop that sells in EUR needs none.
"""

from datetime import date, timedelta
from decimal import ROUND_DOWN, Decimal

from app.catalog.models import Rate
from app.catalog.reprice import reprice
from app.core import clock, db, log
from app.core.errors import Unavailable
from app.core.ids import new_id
from app.core.money import smallest
from app.core.settings import settings
from app.issues import service as issues
from app.issues.codes import IssueCode
from app.providers.errors import ProviderError
from app.providers.rates import BASE, DailyRates, Rates

MOST_WORKING_DAYS = 3  # a rate older than so many working days is stale; Easter and Christmas skip two
ALARM_AFTER = timedelta(hours=12)  # without an answer of the source, a person is told before sales stop
MOST_MOVE = Decimal("0.10")  # from one rate to the next; the euro's largest move in a day was under 0.04
PLAUSIBLE = (Decimal("0.2"), Decimal(5))  # what one EUR can be worth in any currency a shop sells in


class SalesStopped(Unavailable):
    title = "We can't take orders just now"


class NoRate(Unavailable):
    title = "No exchange rate is known yet"
    retry_in = None
    counts = False  # a job waits for the first rate for as long as it takes

    @property
    def why(self) -> str:
        return f"{type(self).__name__}: {self}"


async def newest() -> Rate | None:
    """The newest rate of the shop's currency, fresh or stale; None before the first."""
    currency, now = settings().shop_currency, clock.now()
    if currency == BASE:
        return Rate(currency, now.date(), Decimal(1), now)
    found = await db.fetch_as(
        Rate,
        "SELECT currency, day, rate, fetched_at FROM exchange_rate WHERE currency = $1 ORDER BY day DESC LIMIT 1",
        currency,
    )
    return found[0] if found else None


async def current() -> Decimal:
    """One EUR in the shop's currency, by the newest rate there is. Raises NoRate."""
    found = await newest()
    if found is None:
        raise NoRate("Every price needs one. Run `bitloot catalog rates` to read it now.")
    return found.rate


async def between(one: str, other: str) -> Decimal | None:
    """What one unit of a currency is worth in another, by the newest rates; None where one is unknown or stale."""
    if one == other:
        return Decimal(1)
    found = await db.fetch_as(
        Rate,
        """SELECT DISTINCT ON (currency) currency, day, rate, fetched_at FROM exchange_rate
           WHERE currency = ANY($1) ORDER BY currency, day DESC""",
        [one, other],
    )
    worth = {BASE: Decimal(1)} | {rate.currency: rate.rate for rate in found if not is_stale(rate)}
    return worth[other] / worth[one] if {one, other} <= worth.keys() else None


async def converted(amount: Decimal, currency: str) -> Decimal:
    """An amount of the shop's currency in another, for limits: rounded down to that currency's smallest unit.

    Where no fresh rate is known, as many smallest units as the amount has cents: 0.50 is 50 of KRW and 0.050 of KWD.
    Smallest units are of like worth, so that is the right order of size for most currencies, where the bare number is
    off by a thousand.
    """
    rate = await between(settings().shop_currency, currency)
    worth = amount * rate if rate is not None else amount / smallest(settings().shop_currency) * smallest(currency)
    return worth.quantize(smallest(currency), ROUND_DOWN)


async def selling() -> bool:
    """Whether prices can be trusted, so that orders are taken."""
    found = await newest()
    return found is not None and not is_stale(found)


async def must_sell() -> None:
    """Raises SalesStopped while there is no fresh rate."""
    if not await selling():
        raise SalesStopped(
            "Our exchange rates are out of date, so our prices may be wrong. Nothing was ordered or charged. "
            "Please try again in a few hours."
        )


def is_stale(rate: Rate) -> bool:
    """Whether more than MOST_WORKING_DAYS working days have passed since the rate's own."""
    return working_days(rate.day, clock.now().date()) > MOST_WORKING_DAYS


def working_days(since: date, until: date) -> int:
    """Mondays to Fridays after ``since``, up to and with ``until``."""
    weeks, rest = divmod(max((until - since).days, 0), 7)
    days = (since + timedelta(days=number) for number in range(1, rest + 1))
    return weeks * 5 + sum(day.weekday() < 5 for day in days)


async def sync(*, rates: Rates, accept: bool = False) -> None:
    """Read the newest rates, keep them, and bring all prices to them; what is wrong with them goes to a person.

    Args:
        rates: the source.
        accept: take a rate although it is far from the last one, as a person has looked.

    Raises ProviderError when the source does not answer; what stands stays.
    """
    if settings().shop_currency == BASE:
        return
    before = await newest()
    try:
        said = await rates.latest()
    except ProviderError as error:
        await _judge_age(str(error))
        raise
    doubt = None if accept else _doubt(said, before)
    if doubt is None:
        await _keep(said)
    await _judge_doubt(doubt)
    await _judge_age(doubt or "")
    after = await newest()
    if after is not None:  # though it be the one before: whoever kept that may have died before prices followed
        await reprice(after.rate)


def _doubt(said: DailyRates, before: Rate | None) -> str | None:
    """Why these rates are not believed; None if they are."""
    currency = settings().shop_currency
    rate = said.rates.get(currency)
    if rate is None:
        return f"the source gives no rate for {currency}"
    if said.day > clock.now().date() + timedelta(days=1):
        return f"the source's rates are of {said.day}, a day to come"
    if not PLAUSIBLE[0] <= rate <= PLAUSIBLE[1]:
        return f"one EUR is said to be {rate} {currency}"
    if before is not None and abs(rate - before.rate) > before.rate * MOST_MOVE:
        return (
            f"one EUR is said to be {rate} {currency} on {said.day}, after {before.rate.normalize():f} on {before.day}"
        )
    return None


async def _keep(said: DailyRates) -> None:
    kept = {code: rate for code, rate in said.rates.items() if Decimal("1e-7") < rate < Decimal("1e9")}
    await db.fetch(
        """INSERT INTO exchange_rate (id, currency, day, rate, fetched_at)
           SELECT id, currency, $4, rate, $5
           FROM unnest($1::uuid[], $2::text[], $3::numeric[]) AS r (id, currency, rate)
           ON CONFLICT (currency, day) DO UPDATE SET rate = excluded.rate, fetched_at = excluded.fetched_at""",
        [new_id() for _ in kept], list(kept), list(kept.values()), said.day, clock.now(),
    )  # fmt: skip


async def trouble() -> str:
    """What is wrong with the age of our rates, for who watches the shop; empty while nothing is."""
    found = await newest()
    if found is None or is_stale(found):
        return f"the newest rate is of {found.day}: nothing is sold" if found else "there is no rate: nothing is sold"
    hours = (clock.now() - found.fetched_at).total_seconds() / 3600
    late = clock.now() - found.fetched_at > ALARM_AFTER
    return f"the source has not answered for {hours:.0f} hours; the newest rate is of {found.day}" if late else ""


async def _judge_age(why: str) -> None:
    """Open or resolve the issues about how old the newest rate is. ``why``: what went wrong this time, if anything."""
    found = await newest()
    stale = found is None or is_stale(found)
    late = found is not None and not stale and clock.now() - found.fetched_at > ALARM_AFTER
    kept = f"Our newest exchange rate is from {found.day}." if found else "We have no exchange rate yet."
    reason = f" The source: {why}." if why else ""
    await _issue(
        IssueCode.RATES_STALE,
        stale,
        f"{kept} Nothing is sold until there is a newer one; sales then resume by themselves.{reason}",
    )
    sales_stop = f"Sales stop when it is more than {MOST_WORKING_DAYS} working days old."
    await _issue(IssueCode.RATES_LATE, late, f"{kept} {sales_stop}{reason}")


async def _judge_doubt(doubt: str | None) -> None:
    hint = "If it is right, run `bitloot catalog rates --accept`."
    await _issue(IssueCode.RATE_IMPLAUSIBLE, doubt is not None, f"Not used: {doubt}. {hint}")


async def _issue(code: IssueCode, stands: bool, detail: str) -> None:
    if not stands:
        await issues.resolve("rates", code)
    elif await issues.open_issue("rates", code, detail):
        log.get("bitloot.catalog").error(code.replace("_", "."), detail=detail)
