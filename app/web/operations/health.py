"""Whether we are alive, ready, and how each part is doing."""

import asyncio
import hmac
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import msgspec
import prometheus_client
from litestar import Request, Response, get
from litestar.exceptions import NotFoundException

from app.catalog import rates
from app.core import clock, db, metrics
from app.core.crypto import DataKey
from app.core.errors import Unavailable
from app.core.settings import settings
from app.core.vault import vault
from app.issues import clocks
from app.issues import queries as issues
from app.ledger import queries as ledger
from app.mail import queries as mail
from app.orders import queries as orders
from app.providers.kit import Providers
from app.queue import breaker_queries as breakers
from app.queue import health_probes
from app.queue import queries as jobs
from app.refunds import queries as refunds
from app.web.kernel.described import json_answer
from app.web.kernel.render import answer

METRICS_TYPE = prometheus_client.CONTENT_TYPE_LATEST.partition("; charset")[0]  # the framework adds the charset itself
PATIENCE = 3.0  # seconds a component may take before it counts as down
OURS = {"database", "redis", "jobs", "clock", "rates", "mail"}
KEPT, STORAGE_KEPT = 5.0, 60.0  # seconds another's state is believed: a health page must not become load on them
VITAL = {"database", "vault", "storage"}  # without these nothing works; without others orders wait
Req = Request[Any, Any, Any]


class NotReady(Unavailable):
    title = "Not ready"
    retry_after = 5  # seconds


class Component(msgspec.Struct, frozen=True, rename="camel"):
    status: str
    latency_ms: float
    error: str | None


class Health(msgspec.Struct, frozen=True, rename="camel"):
    status: str
    components: dict[str, Component]
    timestamp: datetime


@get("/healthz", summary="Alive", tags=["operations"])
async def alive() -> dict[str, str]:
    return {"status": "alive"}


@get("/readyz", summary="Ready for requests", tags=["operations"])
async def ready() -> dict[str, str]:
    """503 while the database or Redis takes no writes: orders would be taken that nobody can serve."""
    for name, words in (("database", "The database takes no writes"), ("redis", "Redis takes no writes")):
        state = await _look(name, PROOFS[name])
        if state.error:
            raise NotReady(f"{words}: {state.error}.")
    return {"status": "ready"}


@get("/health", summary="Components", tags=["operations"], responses=json_answer(Health))
async def components(request: Req) -> Response[bytes]:
    """Every component with status, latency and error; 503 when one that nothing works without is down."""
    kit: Providers = request.app.state.kit
    checks: dict[str, Callable[[], Awaitable[object]]] = {
        **PROOFS,
        "nowpayments": kit.nowpayments.health,
        "kinguin": kit.kinguin.health,
        "storage": kit.store.health,
        "vault": _vault,
        "mail": lambda: _mail(kit),
        "jobs": health_probes.progress,
        "clock": _clock,
        "rates": _rates,
    }
    found = dict(zip(checks, await asyncio.gather(*(_look(n, c) for n, c in checks.items())), strict=True))
    down = {name for name, state in found.items() if state.error}
    status = "unhealthy" if down & VITAL else "degraded" if down else "healthy"
    return answer(Health(status, found, clock.now()), status=503 if status == "unhealthy" else 200)


_seen: dict[str, tuple[float, Component]] = {}


async def _look(name: str, check: Callable[[], Awaitable[object]]) -> Component:
    read_at, state = _seen.get(name, (0.0, None))
    if state and time.monotonic() - read_at < _kept(name, well=not state.error):
        return state
    began = time.perf_counter()
    error = None
    try:
        await asyncio.wait_for(check(), PATIENCE)
    except Exception as problem:
        error = _words(problem)
    latency = round((time.perf_counter() - began) * 1000, 1)
    state = Component("unhealthy" if error else "healthy", latency, error)
    _seen[name] = (time.monotonic(), state)
    return state


def _kept(name: str, *, well: bool) -> float:
    if name in OURS:
        return 0.0
    return STORAGE_KEPT if name == "storage" and well else KEPT  # each look at a store is three paid calls


def _words(problem: Exception) -> str:
    if isinstance(problem, health_probes.Unfit):
        return str(problem)
    return "no answer in time" if isinstance(problem, TimeoutError | db.DatabaseAway) else type(problem).__name__


PROOFS: dict[str, Callable[[], Awaitable[object]]] = {"database": health_probes.database, "redis": health_probes.cache}


async def _clock() -> None:
    if said := clocks.words():
        raise health_probes.Unfit(said)


async def _rates() -> None:
    """There is an exchange rate, and the source still says one: too old a rate stops all sales."""
    if why := await rates.trouble():
        raise health_probes.Unfit(why)


async def _mail(kit: Providers) -> None:
    """The provider is up, takes our key, and letters leave and arrive."""
    provider = await _look("resend", kit.resend.health)
    if provider.error:
        raise health_probes.Unfit(provider.error)
    if why := await mail.trouble():
        raise health_probes.Unfit(why)


async def _vault() -> None:
    """Wrap and unwrap a throw-away key: the master keys are there and work."""
    wrapped = vault().wrap(DataKey.random(), order_id="health")
    vault().unwrap(wrapped, order_id="health")


@get("/metrics", summary="Prometheus metrics", tags=["operations"])
async def prometheus(request: Req) -> Response[bytes]:
    """In production only for who holds METRICS_TOKEN: how many orders a shop has is nobody else's business."""
    token = settings().metrics_token.get_secret_value()
    given = request.headers.get("authorization", "").partition(" ")[2].strip()
    if (token or settings().production) and not (token and hmac.compare_digest(given.encode(), token.encode())):
        raise NotFoundException
    counted = (
        (metrics.JOBS, await jobs.counts()),
        (metrics.ORDERS, await orders.counts()),
        (metrics.REFUNDS, await refunds.counts()),
        (metrics.ISSUES, await issues.counts()),
    )
    for gauge, counts in counted:
        gauge.clear()
        for label, number in counts.items():
            gauge.labels(label).set(number)
    metrics.BREAKERS.clear()
    for provider, standing in (await breakers.all_standings()).items():
        metrics.BREAKERS.labels(provider).set(not standing.closed)
    metrics.LEDGERS_OFF.set(len(await ledger.marked()))
    metrics.OLDEST_JOB.set(await jobs.oldest_due())
    return Response(prometheus_client.generate_latest(), media_type=METRICS_TYPE)
