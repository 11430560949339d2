"""Every POST of the API: the body read strictly, the effect in one transaction, the answer kept with it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from litestar import Request, Response

from app.core import db
from app.core.crypto import bound
from app.core.errors import Problem
from app.merchants import idempotency
from app.merchants.api_keys import Caller
from app.merchants.idempotency import IdempotencyKeyUnusable, Reply
from app.web.api import answers, authentication, bodies, error_codes

Req = Request[Any, Any, Any]
AT_ONCE = 6  # transactions of this door: in turn, each is short and all wait alike; all at once, some wait for ever
_turn = asyncio.Semaphore(AT_ONCE)
Prepare = Callable[[Caller, Any], Awaitable[None]]
Work = Callable[[Caller, Any], Awaitable[msgspec.Struct]]


async def act(request: Req, work: Work, *, prepare: Prepare | None = None) -> Response[Any]:
    """Let ``work`` answer what was asked, once for each Idempotency-Key; a malformed body is refused before.

    The body is read as the route declares it, and ``work``'s answer has the route's status.

    ``prepare`` brings the request into its one form where that takes a look at the tables; what it raises is not kept.
    """
    caller, status = authentication.caller(request), request.route_handler.status_code
    key, raw = _key(request), await request.body()
    asked = bodies.read(request, raw)
    if prepare is not None:
        await prepare(caller, asked)

    async def effect() -> tuple[int, bytes]:
        return status, answers.encoded(await work(caller, asked))

    async with _turn:
        if key is None:
            async with db.transaction():
                reply = Reply(*await effect())
        else:
            # What is asked is compared, not how it is written: the typed request, its defaults filled in.
            print_ = bound(request.method.encode(), request.url.path.lower().encode(), bodies.canonical(asked))
            reply = await idempotency.once(
                caller.merchant_id, test=caller.test, key=key, asked=print_, effect=effect, refused=_final
            )
    kind = "application/json" if reply.status < 400 else answers.PROBLEM
    more = {"idempotent-replayed": "true"} if reply.replayed else {}
    return Response(reply.body, status_code=reply.status, media_type=kind, headers=more)


def _final(refusal: Problem) -> Reply | None:
    """The answer to keep for a refusal; None for one that hangs on a state that may change."""
    if not error_codes.is_final(refusal):
        return None
    return Reply(error_codes.status_of(refusal), answers.described(refusal))


def _key(request: Req) -> str | None:
    given = request.headers.getall("idempotency-key", [])
    if len(given) > 1:
        raise IdempotencyKeyUnusable("Send one Idempotency-Key.", field="Idempotency-Key")
    return idempotency.check(given[0]) if given else None
