"""An endpoint's line: what is due in it is claimed, sent and noted, a few at a time.

A delivery is held by a lease that the claim writes and the note looks for. So a worker that dies delays what it held
until the lease runs out, and one that comes back from the dead notes nothing.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from app.core import clock, db, log
from app.core.crypto import SealBroken
from app.core.db import encode
from app.core.settings import settings
from app.mail import service as mail
from app.providers.merchant_http import MerchantHttp, Refused, Reply, Unreachable
from app.webhooks import publish, queries, schedule, secrets, service, signing
from app.webhooks.models import ClaimedDelivery, Endpoint
from app.webhooks.states import MOVES, DeliveryStatus

TURN = 5.0  # seconds a job works on a line before another goes on: well within its own lease
LEASE = timedelta(seconds=15)  # longer than a request may take, with its note
UNSIGNED = "unsigned"  # our own fault, and none of the endpoint's
GONE = 410  # "send me nothing any more"
MANY = 20  # failures in a row …
LONG = timedelta(days=1)  # … over this time disable an endpoint
KEPT_TEXT = 2048  # characters of an answer
KEPT_HEADERS, KEPT_VALUE = 30, 300  # of an answer's head
MASKED = frozenset({*signing.SIGNATURES, "authorization", "cookie", "set-cookie", "x-api-key", "x-api-secret"})
WAITING = {DeliveryStatus.PENDING, DeliveryStatus.RETRYING}
ALARMED = timedelta(minutes=1)  # waits for which the sweep, every few seconds, would be too late by more than 10 %
STILL_GOOD = timedelta(minutes=1)  # how old the note of an endpoint's last success may grow


@dataclass(slots=True)
class AttemptResult:
    """One request and what came back, as the log keeps it."""

    at: datetime
    request: Mapping[str, str]
    outcome: str = "delivered"
    ms: int = 0
    status: int | None = None
    address: str | None = None
    head: Mapping[str, str] = field(default_factory=dict)
    response: str = ""
    error: str | None = None

    @property
    def delivered(self) -> bool:
        return self.outcome == "delivered"


async def drain_endpoint(endpoint_id: UUID, *, http: MerchantHttp) -> None:
    """Send what is due at one endpoint, several at once, until nothing is or the turn is over; then call the next.

    A request that hangs holds one place in this line and none in another.
    """
    loop = asyncio.get_running_loop()
    ends, running = loop.time() + TURN, set[asyncio.Task[None]]()
    try:
        while True:
            if loop.time() < ends:
                running |= {asyncio.create_task(_send(one, http)) for one in await claim(endpoint_id)}
            elif await queries.is_due(endpoint_id, clock.now()):
                await publish.schedule_drain(endpoint_id)
            if not running:
                return
            done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
    finally:
        await asyncio.gather(*running, return_exceptions=True)


async def claim(endpoint_id: UUID) -> list[ClaimedDelivery]:
    """Take as many due deliveries as there is room for, whoever else works on the line. None of a disabled endpoint."""
    now = clock.now()
    async with db.transaction():
        endpoint = await db.fetch_one(
            """SELECT id AS endpoint_id, url, test, secret, old_secret, old_until, older_secrets FROM endpoint
               WHERE id = $1 AND disabled_at IS NULL AND deleted_at IS NULL FOR NO KEY UPDATE""",
            endpoint_id,
        )
        if endpoint is None:
            return []
        rows = await db.fetch(
            """WITH due AS MATERIALIZED (
                 SELECT id FROM delivery WHERE endpoint_id = $1 AND next_at <= $2
                   AND (lease_until IS NULL OR lease_until <= $2)
                 ORDER BY next_at, id FOR UPDATE SKIP LOCKED
                 LIMIT greatest(0, $4 - (SELECT count(*) FROM delivery
                   WHERE endpoint_id = $1 AND next_at IS NOT NULL AND lease_until > $2)))
               UPDATE delivery d SET lease_until = $3 FROM due, merchant_event m
               WHERE d.id = due.id AND m.id = d.event_id
               RETURNING d.id, d.attempts, d.event_id, d.lease_until, m.payload""",
            endpoint_id, now, now + LEASE, settings().webhook_concurrency,
        )  # fmt: skip
    return [db.as_model(ClaimedDelivery, {**endpoint, **row}) for row in rows]


async def _send(claimed: ClaimedDelivery, http: MerchantHttp) -> None:
    tried = await attempt(claimed, http)
    if tried.delivered:
        await _delivered(claimed, tried)
    else:
        await _not_delivered(claimed, tried)


async def attempt(claimed: ClaimedDelivery, http: MerchantHttp) -> AttemptResult:
    """One request. Whatever comes of it is in what is returned."""
    now, body = clock.now(), claimed.payload.encode()
    headers = {"content-type": "application/json", "x-webhook-attempt": str(claimed.attempts + 1)}
    try:
        signed = signing.headers(str(claimed.event_id), now, body, secrets.standing(claimed, claimed.endpoint_id, now))
    except SealBroken:
        log.get("bitloot.webhooks").error("webhooks.secret_stuck", endpoint_id=str(claimed.endpoint_id))
        return AttemptResult(
            now, headers, UNSIGNED, error="We could not open this endpoint's secret; nothing was sent."
        )
    tried = AttemptResult(now, headers | signed)
    try:
        reply = await http.post(claimed.url, body, tried.request, test=claimed.test)
    except Refused as refused:
        tried.outcome, tried.error = "refused", refused.why
    except Unreachable as away:
        tried.outcome, tried.error = away.kind, away.why
        tried.ms, tried.address = away.ms, away.address or None
    else:
        _read(tried, reply)
    return tried


def _read(tried: AttemptResult, reply: Reply) -> None:
    tried.status, tried.address, tried.ms, tried.head = reply.status, reply.address, reply.ms, reply.headers
    tried.response = reply.body.decode("utf-8", "replace").replace("\x00", "\ufffd")[:KEPT_TEXT]
    if reply.status == GONE:
        tried.outcome, tried.error = "gone", "It asked us to send nothing more (410)."
    elif 300 <= reply.status < 400:
        tried.outcome, tried.error = "redirect", "It redirects, and redirects are not followed. Give the final URL."
    elif not 200 <= reply.status < 300:
        tried.outcome, tried.error = "status", f"It answered {reply.status}; anything but 2xx is a failure."


def masked(headers: Mapping[str, str], *, most: int = KEPT_HEADERS) -> dict[str, str]:
    """Headers as the log may keep them."""
    return {
        name: "hidden" if name.lower() in MASKED else value.replace("\x00", "\ufffd")[:KEPT_VALUE]
        for name, value in list(headers.items())[:most]
    }


def _logged(claimed: ClaimedDelivery, tried: AttemptResult) -> tuple[Any, ...]:
    said = tried.response
    # Some receivers answer with what they were sent.
    for name in signing.SIGNATURES:
        for signature in tried.request.get(name, "").split():
            said = said.replace(signature, "hidden")
    kept = encode({"request": masked(tried.request), "response": masked(tried.head)})
    return (
        claimed.id, tried.at, tried.ms, tried.outcome, tried.status, tried.address, kept, said,
        tried.error and tried.error[:300],
    )  # fmt: skip


_LOG = """INSERT INTO delivery_attempt (delivery_id, number, at, ms, outcome, status, address, headers, response, error)
  SELECT id, (SELECT count(*) FROM delivery_attempt WHERE delivery_id = $1) + 1, $2, $3, $4, $5, $6, $7::jsonb, $8, $9
  FROM done"""


async def _delivered(claimed: ClaimedDelivery, tried: AttemptResult) -> None:
    # One statement, one round trip. The endpoint's lock comes before the delivery's, as everywhere.
    await db.fetch(
        f"""WITH held AS MATERIALIZED (SELECT id, failures, succeeded_at FROM endpoint WHERE id = $10
              FOR NO KEY UPDATE),
            done AS (UPDATE delivery SET status = 'delivered', attempts = attempts + 1, next_at = NULL,
              lease_until = NULL, ended_at = $12 FROM held
              WHERE delivery.id = $1 AND lease_until = $11 AND status = ANY($13) RETURNING delivery.id),
            log AS ({_LOG})
            UPDATE endpoint SET failures = 0, failing_since = NULL, succeeded_at = $12 FROM held, done
            WHERE endpoint.id = held.id
              AND (held.failures > 0 OR held.succeeded_at IS NULL OR held.succeeded_at < $14)""",  # noqa: S608 - ours
        *_logged(claimed, tried), claimed.endpoint_id, claimed.lease_until, clock.now(),
        [one.value for one in MOVES.sources(DeliveryStatus.DELIVERED)], clock.now() - STILL_GOOD,
    )  # fmt: skip


async def _not_delivered(claimed: ClaimedDelivery, tried: AttemptResult) -> None:
    """Note a failure: later, or never; and perhaps that was one too many."""
    now, count = clock.now(), claimed.attempts + 1
    wish = schedule.wished(tried.head.get("retry-after"), now)
    gone = tried.outcome == "gone"
    again = None if gone else schedule.next_try(count, now, test=claimed.test, wish=wish)
    async with db.transaction():
        endpoint = await db.fetch_one_as(
            Endpoint, "SELECT * FROM endpoint WHERE id = $1 FOR NO KEY UPDATE", claimed.endpoint_id
        )
        assert endpoint is not None
        held = endpoint.disabled_at is not None
        # One that is tried again is retrying while there is a time for it, and in line while its endpoint is disabled.
        to = (DeliveryStatus.PENDING if held else DeliveryStatus.RETRYING) if again else DeliveryStatus.FAILED
        noted = await db.fetch(
            f"""WITH done AS (UPDATE delivery SET status = $12, attempts = attempts + 1, next_at = $10,
                  lease_until = NULL, ended_at = $13 WHERE id = $1 AND lease_until = $11 AND status = ANY($14)
                  RETURNING id)
                {_LOG} RETURNING id""",  # noqa: S608 - our own text
            *_logged(claimed, tried), None if held else again, claimed.lease_until, to.value,
            None if again else now, _sources(to),
        )  # fmt: skip
        if noted and not held and tried.outcome != UNSIGNED:
            await _count(endpoint, tried, now)
        if noted and again and not held and again - now <= ALARMED:
            await publish.schedule_attempt(claimed.endpoint_id, claimed.id, again)


def _sources(to: DeliveryStatus) -> list[str]:
    """One that waits and fails again stays what it is. What has ended is not begun anew by a late answer."""
    same = [to] if to in {DeliveryStatus.RETRYING, DeliveryStatus.PENDING} else []
    return [one.value for one in [*MOVES.sources(to), *same] if one in WAITING]


async def _count(endpoint: Endpoint, tried: AttemptResult, now: datetime) -> None:
    """One more failure in a row, under the endpoint's lock. Its owners are told when it is the last."""
    failures, since = endpoint.failures + 1, endpoint.failing_since or now
    await db.fetch("UPDATE endpoint SET failures = $2, failing_since = $3 WHERE id = $1", endpoint.id, failures, since)
    if tried.outcome == "gone":
        why = "it answered 410 Gone"
    elif failures >= MANY and now - since >= LONG:
        why = f"{failures} attempts in a row failed, over more than a day"
    else:
        return
    await service.pause(endpoint.id, why)
    members = await db.fetch_values(
        "SELECT email FROM member WHERE merchant_id = $1 AND joined_at IS NOT NULL ORDER BY email",
        endpoint.merchant_id,
    )
    # Its host alone: in paths and queries merchants keep secrets.
    said = {
        "endpoint": endpoint.name or urlsplit(endpoint.url).hostname,
        "why": why,
        "path": "/merchant/webhooks",
    }
    for email in members:
        await db.write(*mail.draft("endpoint_disabled", email, said, about=endpoint.id).writes)
    log.get("bitloot.webhooks").warning("endpoint.disabled", endpoint_id=str(endpoint.id), why=why)
