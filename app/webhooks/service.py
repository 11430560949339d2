"""Endpoints, and what their owners do with deliveries by hand. Another merchant's or mode's are as unknown ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.contract.event import TestedEndpoint
from app.contract.event_types import TEST, TYPES
from app.core import clock, db
from app.core.errors import Conflict, Invalid, NotFound
from app.core.i18n import _
from app.core.ids import new_id
from app.providers.merchant_http import Refused, check_url
from app.webhooks import models, publish, queries, secrets
from app.webhooks.publish import NewEvent
from app.webhooks.states import MOVES, DeliveryStatus
from app.webhooks.tables import Endpoint

MOST_ENDPOINTS = 20  # of one merchant in one mode
URL_LENGTH, NAME_LENGTH = 2000, 100  # the columns'
LONGEST_OVERLAP = timedelta(days=7)
MOST_RETIRED = 8  # secrets in overlaps: each is a signature more on every request
MOST_RESENT = 5000  # deliveries that one call sends again
BY_HAND = "disabled by hand"
OPEN = [DeliveryStatus.PENDING.value, DeliveryStatus.RETRYING.value]


class NoSuchEndpoint(NotFound):
    title = "No such endpoint"


class NoSuchDelivery(NotFound):
    title = "No such delivery"


class BadEndpoint(Invalid):
    title = "This endpoint can't be used"


class TooManyEndpoints(Conflict):
    title = "Too many endpoints"


class EndpointDisabled(Conflict):
    title = "This endpoint is disabled"


class TooManySecrets(Conflict):
    title = "Too many secrets in use"


class DeliveryInLine(Conflict):
    title = "This delivery is already queued"


class DeliveryUndeliverable(Conflict):
    title = "This delivery's endpoint was removed"


async def add(
    merchant_id: UUID, *, test: bool, url: str, name: str = "", types: Sequence[str] = ()
) -> tuple[models.Endpoint, str]:
    """A new endpoint's row and its secret, which is shown this once. Raises BadEndpoint, TooManyEndpoints."""
    _check(url, test=test, name=name, types=types)
    endpoint_id, secret = new_id(), secrets.fresh()
    async with db.transaction():
        await db.fetch("SELECT FROM merchant WHERE id = $1 FOR NO KEY UPDATE", merchant_id)
        if len(await queries.endpoints(merchant_id, test)) >= MOST_ENDPOINTS:
            raise TooManyEndpoints(
                _(
                    "You can have at most %(most)s in each mode. Remove one that you no longer need.",
                    most=MOST_ENDPOINTS,
                )
            )
        await db.fetch(
            """INSERT INTO endpoint (id, merchant_id, test, url, name, types, secret, failures, created_at)
               VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7, 0, $8)""",
            endpoint_id, merchant_id, test, url, name.strip(), _types(types), secrets.seal(secret, endpoint_id),
            clock.now(),
        )  # fmt: skip
    return await find(endpoint_id, merchant_id, test=test), secrets.shown(secret)


async def find(endpoint_id: UUID, merchant_id: UUID, *, test: bool | None = None) -> models.Endpoint:
    """Raises NoSuchEndpoint."""
    row = await queries.endpoint(endpoint_id, merchant_id, test)
    if row is None:
        raise NoSuchEndpoint
    return row


async def change(
    endpoint_id: UUID,
    merchant_id: UUID,
    *,
    test: bool | None = None,
    url: str | None = None,
    name: str | None = None,
    types: Sequence[str] | None = None,
) -> models.Endpoint:
    """Change what is given. What is in line goes to the new address. Raises NoSuchEndpoint, BadEndpoint."""
    async with db.transaction():
        row = await _lock(endpoint_id, merchant_id, test)
        _check(url or row.url, test=row.test, name=name or "", types=types or ())
        changes: dict[Any, Any] = {}
        if url is not None:
            changes[Endpoint.url] = url
        if name is not None:
            changes[Endpoint.name] = name.strip()
        if types is not None:
            changes[Endpoint.types] = _types(types)
        if changes:
            await Endpoint.update(changes).where(Endpoint.id == endpoint_id)
    return await find(endpoint_id, merchant_id)


def _check(url: str, *, test: bool, name: str, types: Sequence[str]) -> None:
    if len(url) > URL_LENGTH:
        raise BadEndpoint(_("The URL can have at most %(longest)s characters.", longest=URL_LENGTH), field="url")
    try:
        check_url(url, test=test)
    except Refused as refused:
        raise BadEndpoint(refused.why, field="url") from None
    if len(name) > NAME_LENGTH:
        raise BadEndpoint(_("The name can have at most %(longest)s characters.", longest=NAME_LENGTH), field="name")
    if unknown := [one for one in types if one not in TYPES]:
        raise BadEndpoint(
            _("There is no event %(name)s. Known are: %(names)s.", name=repr(unknown[0][:64]), names=", ".join(TYPES)),
            field="types",
        )


def _types(types: Sequence[str]) -> str:
    return "[" + ",".join(f'"{one}"' for one in dict.fromkeys(types)) + "]"


async def _lock(endpoint_id: UUID, merchant_id: UUID, test: bool | None) -> models.Endpoint:
    """The endpoint's row, locked: the first lock of every transaction that moves its deliveries."""
    sql = "SELECT FROM endpoint WHERE id = $1 AND merchant_id = $2 FOR NO KEY UPDATE"
    await db.fetch(sql, endpoint_id, merchant_id)
    return await find(endpoint_id, merchant_id, test=test)


async def rotate(endpoint_id: UUID, merchant_id: UUID, overlap: timedelta, *, test: bool | None = None) -> str:
    """A new secret, shown this once. For ``overlap`` requests are signed with the one before, too, and with each
    earlier one as long as its own overlap lasts; without an overlap all of them end now.

    Raises BadEndpoint, NoSuchEndpoint or TooManySecrets.
    """
    if not timedelta() <= overlap <= LONGEST_OVERLAP:
        raise BadEndpoint(_("Choose an overlap of 0 to %(days)s days.", days=LONGEST_OVERLAP.days), field="overlap")
    secret = secrets.fresh()
    async with db.transaction():
        row = await _lock(endpoint_id, merchant_id, test)
        before = (row.secret, clock.now() + overlap) if overlap else (None, None)
        still = secrets.retired(row, clock.now()) if overlap else []
        if len(still) >= MOST_RETIRED:
            raise TooManySecrets("Wait until an overlap ends, or rotate without one: that ends all old secrets.")
        changes: dict[Any, Any] = {
            Endpoint.secret: secrets.seal(secret, endpoint_id), Endpoint.old_secret: before[0],
            Endpoint.old_until: before[1], Endpoint.older_secrets: secrets.as_older(still),
        }  # fmt: skip
        await Endpoint.update(changes).where(Endpoint.id == endpoint_id)
    return secrets.shown(secret)


async def disable(
    endpoint_id: UUID, merchant_id: UUID, *, test: bool | None = None, why: str = BY_HAND
) -> models.Endpoint:
    """Send nothing any more; what happens is kept in line."""
    async with db.transaction():
        row = await _lock(endpoint_id, merchant_id, test)
        if row.disabled_at is None:
            await pause(endpoint_id, why)
    return await find(endpoint_id, merchant_id)


async def pause(endpoint_id: UUID, why: str) -> None:
    """Under the endpoint's lock: its deliveries wait until it is enabled."""
    disabled: dict[Any, Any] = {Endpoint.disabled_at: clock.now(), Endpoint.disabled_why: why[:200]}
    await Endpoint.update(disabled).where(Endpoint.id == endpoint_id)
    await db.fetch(
        """UPDATE delivery SET next_at = NULL, status = CASE WHEN status = ANY($2) THEN 'pending' ELSE status END
           WHERE endpoint_id = $1 AND next_at IS NOT NULL""",
        endpoint_id, OPEN,
    )  # fmt: skip


async def enable(endpoint_id: UUID, merchant_id: UUID, *, test: bool | None = None) -> models.Endpoint:
    """Send again, first of all what was kept meanwhile."""
    async with db.transaction():
        row = await _lock(endpoint_id, merchant_id, test)
        if row.disabled_at is not None:
            blank: dict[Any, Any] = {
                Endpoint.disabled_at: None, Endpoint.disabled_why: None, Endpoint.failing_since: None,
                Endpoint.failures: 0,
            }  # fmt: skip
            await Endpoint.update(blank).where(Endpoint.id == endpoint_id)
            await db.fetch(
                "UPDATE delivery SET next_at = $2 WHERE endpoint_id = $1 AND status = ANY($3) AND next_at IS NULL",
                endpoint_id, clock.now(), OPEN,
            )  # fmt: skip
            await publish.schedule_drain(endpoint_id)
    return await find(endpoint_id, merchant_id)


async def remove(endpoint_id: UUID, merchant_id: UUID, *, test: bool | None = None) -> None:
    """For good: its secret is erased and what was in line is given up. Its log stays until its events go."""
    async with db.transaction():
        await _lock(endpoint_id, merchant_id, test)
        await db.fetch(
            """UPDATE delivery SET status = 'failed', next_at = NULL, ended_at = $2
               WHERE endpoint_id = $1 AND status = ANY($3)""",
            endpoint_id, clock.now(), OPEN,
        )  # fmt: skip
        gone: dict[Any, Any] = {Endpoint.deleted_at: clock.now(), Endpoint.secret: b"", Endpoint.old_secret: None}
        gone[Endpoint.older_secrets] = "[]"
        await Endpoint.update(gone).where(Endpoint.id == endpoint_id)


async def send_test_event(endpoint_id: UUID, merchant_id: UUID, *, test: bool | None = None) -> UUID:
    """Send this endpoint alone an event that is about nothing but itself. Returns the event's id.

    Raises EndpointDisabled.
    """
    async with db.transaction():
        row = await _lock(endpoint_id, merchant_id, test)
        if row.disabled_at is not None:
            raise EndpointDisabled("Enable it first: until then nothing is sent to it.")
        sequence = 1 + await queries.last_sequence(endpoint_id)
        data = TestedEndpoint(id=endpoint_id, object="endpoint", url=row.url, name=row.name)
        event = NewEvent(TEST, "endpoint", endpoint_id, endpoint_id, sequence, clock.now(), data)
        return (await publish.store(merchant_id, row.test, [event], only=endpoint_id))[0]


async def resend(delivery_id: UUID, merchant_id: UUID, *, test: bool | None = None) -> None:
    """Send a delivery round again, whatever became of it; its log stays.

    Raises NoSuchDelivery, DeliveryUndeliverable, and DeliveryInLine for one that is about to be sent in any case.
    """
    found = await queries.delivery(delivery_id, merchant_id, test)
    if found is None:
        raise NoSuchDelivery
    async with db.transaction():
        try:
            await _lock(found.endpoint_id, merchant_id, test)
        except NoSuchEndpoint:
            raise DeliveryUndeliverable(
                "It can't be sent any more. You can still read it from the feed of events."
            ) from None
        again = [one.value for one in MOVES.sources(DeliveryStatus.PENDING)]
        if not await _again(found.endpoint_id, again, one=delivery_id):
            raise DeliveryInLine("It is about to be sent, or is waiting for its endpoint to be enabled.")


@dataclass(frozen=True, slots=True)
class Span:
    """Of what happened from ``since`` on and before ``until``: what failed, or what was delivered as well."""

    since: datetime
    until: datetime | None = None
    delivered: bool = False


async def resend_all(endpoint_id: UUID, merchant_id: UUID, span: Span, *, test: bool | None = None) -> int:
    """Send round again what ended in a span, the oldest first, MOST_RESENT at most. Returns how many."""
    ended = [DeliveryStatus.FAILED.value, *([DeliveryStatus.DELIVERED.value] if span.delivered else [])]
    async with db.transaction():
        await _lock(endpoint_id, merchant_id, test)
        return await _again(endpoint_id, ended, span=span)


async def _again(
    endpoint_id: UUID, statuses: Sequence[str], *, one: UUID | None = None, span: Span | None = None
) -> int:
    """A new round for deliveries in these states that nobody is trying now. At a disabled endpoint they wait."""
    now = clock.now()
    rows = await db.fetch(
        """WITH chosen AS MATERIALIZED (
             SELECT d.id FROM delivery d JOIN merchant_event m ON m.id = d.event_id
             WHERE d.endpoint_id = $1 AND d.status = ANY($3) AND (d.lease_until IS NULL OR d.lease_until <= $2)
               AND ($4::uuid IS NULL OR d.id = $4) AND ($5::timestamptz IS NULL OR m.created_at >= $5)
               AND ($6::timestamptz IS NULL OR m.created_at < $6)
             ORDER BY d.id LIMIT $7 FOR UPDATE OF d)
           UPDATE delivery d SET status = 'pending', attempts = 0, ended_at = NULL, lease_until = NULL,
             next_at = CASE WHEN e.disabled_at IS NULL THEN $2::timestamptz END
           FROM chosen, endpoint e WHERE d.id = chosen.id AND e.id = d.endpoint_id RETURNING d.id""",
        endpoint_id, now, list(statuses), one, span and span.since, span and span.until, MOST_RESENT,
    )  # fmt: skip
    if rows:
        await publish.schedule_drain(endpoint_id)
    return len(rows)


async def post_due() -> int:
    """Have somebody work on each line in which a delivery is due; the clock's sweep. Returns how many lines."""
    found = await queries.due_endpoints(clock.now())
    for endpoint_id in found:
        await publish.schedule_drain(endpoint_id)
    return len(found)
