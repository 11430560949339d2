"""Every POST of the API: the body read strictly, the effect in one transaction, the answer kept with it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from litestar import Request, Response

from app.core import db
from app.core.crypto import bound
from app.core.errors import Invalid
from app.merchants import idempotency
from app.merchants.idempotency import IdempotencyKeyUnusable, Reply
from app.merchants.keys import Caller
from app.web.api import answers, bodies, gate

Asked = Request[Any, Any, Any]
UNFIT = 422
AT_ONCE = 6  # transactions of this door: in turn, each is short and all wait alike; all at once, some wait for ever
_turn = asyncio.Semaphore(AT_ONCE)
Work = Callable[[Caller, Any], Awaitable[tuple[int, Mapping[str, Any]]]]


async def act(request: Asked, scope: str, shape: Any, work: Work) -> Response[bytes]:
    """Let ``work`` answer what was asked, once for each Idempotency-Key; a malformed body is refused before."""
    caller = await gate.enter(request, scope)
    key, raw = _key(request), await request.body()
    asked = bodies.read(request, raw, shape)

    async def effect() -> tuple[int, bytes]:
        with understood():
            status, said = await work(caller, asked)
        return status, answers.encoded(said)

    async with _turn:
        if key is None:
            async with db.transaction():
                reply = Reply(*await effect())
        else:
            print_ = bound(request.method.encode(), request.url.path.encode(), raw)
            reply = await idempotency.once(
                caller.merchant_id, test=caller.test, key=key, asked=print_, effect=effect, refused=answers.described
            )
    more = {"idempotent_replayed": "true"} if reply.replayed else {}
    return answers.respond(request, reply.status, reply.body, **more)


@contextmanager
def understood() -> Iterator[None]:
    """What a room refuses inside was well-formed: it is answered 422 (RFC 9110, 15.5.21), not 400."""
    try:
        yield
    except Invalid as unfit:
        unfit.status = UNFIT
        raise


def _key(request: Asked) -> str | None:
    given = request.headers.getall("idempotency-key", [])
    if len(given) > 1:
        raise IdempotencyKeyUnusable("Send one Idempotency-Key.", field="Idempotency-Key")
    return idempotency.check(given[0]) if given else None
