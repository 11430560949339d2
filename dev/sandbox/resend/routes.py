"""Resend over HTTP, at `/resend` (fact sheet, sections 1 to 6)."""

from __future__ import annotations

import hmac

from litestar import Router, get, post
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath

from dev.sandbox.fault_middleware import fault_middleware
from dev.sandbox.holds import holding
from dev.sandbox.records import Mail
from dev.sandbox.resend import post as mailroom
from dev.sandbox.resend import refusals
from dev.sandbox.resend.refusals import ResendRefusal
from dev.sandbox.times import spaced
from dev.sandbox.wire import Answer, Call, Fields, answer, read_json, read_object
from dev.sandbox.world import World, world_of

PREFIX = "/resend"
LIST_LIMIT = 100


def routes(world: World) -> Router:
    """All routes of this provider behind its faults."""
    return Router(
        PREFIX,
        guards=[_caller_guard],
        middleware=[
            holding("resend", world.holds, refusals.face),
            fault_middleware("resend", world.switches, refusals.face),
        ],
        route_handlers=[send_mail, send_batch, list_mails, show_mail],
    )


async def _caller_guard(connection: ASGIConnection, handler: BaseRouteHandler) -> None:  # type: ignore[type-arg]
    if not connection.headers.get("user-agent"):
        raise ResendRefusal(403, "validation_error", "error code: 1010")
    scheme, _, given = connection.headers.get("authorization", "").partition(" ")
    if scheme != "Bearer" or not given:
        raise ResendRefusal(401, "missing_api_key", "Missing API key in the authorization header.")
    expected = connection.app.state["world"].config.resend_api_key
    if not hmac.compare_digest(given.encode(), expected.encode()):
        raise ResendRefusal(403, "invalid_api_key", "API key is invalid.")


@post("/emails", status_code=200)
async def send_mail(request: Call) -> Answer:
    """Accept one mail for sending."""
    world, key = world_of(request), _key(request)
    fields = await read_object(request)
    _may_send(world, key)
    return answer(mailroom.once(world, key, fields, lambda: {"id": mailroom.accept(world, fields, key).id}))


@post("/emails/batch", status_code=200)
async def send_batch(request: Call) -> Answer:
    """Accept up to a hundred mails."""
    world, key = world_of(request), _key(request)
    batch = await read_json(request)
    permissive = request.headers.get("x-batch-validation") == "permissive"
    _may_send(world, key)
    return answer(
        mailroom.once(world, key, batch, lambda: mailroom.accept_all(world, batch, key, permissive=permissive))
    )


@get("/emails")
async def list_mails(request: Call) -> Answer:
    """Mails, newest first, paged by `after` and `before`."""
    mails = list(world_of(request).storage.mails.newest())
    query = request.query_params
    text = query.get("limit", "20")
    limit = min(int(text), LIST_LIMIT) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    if limit < 1:
        raise refusals.invalid("The `limit` must be a number between 1 and 100.")
    places = {mail.id: place for place, mail in enumerate(mails)}
    start = places.get(query.get("after", ""), -1) + 1
    end = places.get(query.get("before", ""), len(mails))
    if "before" in query:
        start = max(end - limit, 0)
    page = mails[start : min(start + limit, end)]
    rows = [{name: value for name, value in _view(mail).items() if name not in _BODY} for mail in page]
    return answer({"object": "list", "has_more": start + len(page) < len(mails), "data": rows})


@get("/emails/{mail_id:str}")
async def show_mail(request: Call, mail_id: FromPath[str]) -> Answer:
    """One mail."""
    mail = world_of(request).storage.mails.get(mail_id)
    if mail is None:
        raise ResendRefusal(404, "not_found", "Email not found")
    return answer(_view(mail))


_BODY = {"object", "html", "text", "headers", "tags"}  # a list's rows leave these out


def _view(mail: Mail) -> Fields:
    return {
        "object": "email",
        "id": mail.id,
        "message_id": f"<{mail.id}@sandbox.resend.local>",
        "to": mail.to,
        "from": mail.sender,
        "created_at": spaced(mail.created_at),
        "subject": mail.subject,
        "html": mail.html,
        "text": mail.text,
        "bcc": mail.bcc,
        "cc": mail.cc,
        "reply_to": mail.reply_to,
        "last_event": mail.last_event,
        "scheduled_at": mail.scheduled_at,
        "tags": mail.tags,
    }


def _key(request: Call) -> str | None:
    return request.headers.get("idempotency-key")


def _may_send(world: World, key: str | None) -> None:
    if key and world.switches.fires("resend", ("concurrent",)):
        message = "There's another request with the same idempotency key in progress."
        raise ResendRefusal(409, "concurrent_idempotent_requests", message)
    mailroom.check_rate(world)
