"""What the providers' doors share: the size cap, what is kept, what is refused and how it is counted."""

import asyncio
from collections.abc import Mapping
from typing import Any, NoReturn

from litestar import Request
from litestar.exceptions import HTTPException

from app.core import log, metrics
from app.core.errors import Unauthorized, Unavailable
from app.inbox import service as inbox
from app.inbox.refusals import refusals
from app.web.kernel.request_context import has_hung_up
from app.web.kernel.viewer import client_ip

LARGEST = 256 * 1024  # bytes; a genuine notice has about one kB
GIVING_WAY = 0.05  # seconds that an answer to a forgery waits while a genuine notice is being stored
Req = Request[Any, Any, Any]
_storing = 0  # genuine notices between their signature and their answer, in this process


class BadSignature(Unauthorized):
    title = "The signature does not match"


class NotStored(Unavailable):
    title = "We could not store this notice: send it again"
    retry_after = 5  # seconds


async def body_of(request: Req, provider: str) -> bytes:
    """The raw body. What is larger than LARGEST is refused with 413 before anything else is looked at."""
    try:
        return await request.body()
    except HTTPException:
        count(request, provider, "broken off" if has_hung_up(request) else "too large", b"")
        raise


def count(request: Req, provider: str, reason: str, raw: bytes) -> None:
    """Count a post that was not genuine, and keep the first of each kind and hour as a sample."""
    metrics.NOTICES.labels(provider, "refused").inc()
    refusals.count(provider, reason, request.headers, raw, client_ip(request))


async def refuse(request: Req, provider: str, reason: str, raw: bytes, advice: str) -> NoReturn:
    """Count it and raise BadSignature; a flood that waits for its answers leaves the loop to the genuine ones."""
    count(request, provider, reason, raw)
    if _storing:
        await asyncio.sleep(GIVING_WAY)
    raise BadSignature(advice)


async def keep(provider: str, dedupe: str, headers: Mapping[str, str], raw: bytes) -> None:
    """Store a genuine notice with the job that applies it, once. Raises NotStored."""
    global _storing
    _storing += 1
    try:
        fresh = await inbox.keep(provider, dedupe, headers, raw, job=inbox.APPLIED_BY[provider])
    except Exception as error:
        log.get("bitloot.hooks").error("notice.not_stored", provider=provider, why=type(error).__name__)
        raise NotStored("The database did not answer.") from error
    finally:
        _storing -= 1
    metrics.NOTICES.labels(provider, "stored" if fresh else "repeat").inc()
