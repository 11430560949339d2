"""How many live streams one viewer may hold: each costs memory and a socket for as long as it lasts."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

from litestar import Request

from app.core import rate_limit
from app.core.client_address import limit_key
from app.web.kernel.viewer import Viewer, client_ip

PER_VIEWER = 20  # streams of one browser, session or token, in a process: tabs of one person; pages share one
_open: Counter[str] = Counter()


class TooManyStreams(rate_limit.TooManyAttempts):
    title = "Too many pages are open"


@contextmanager
def _place(who: str) -> Iterator[None]:
    _open[who] += 1
    try:
        yield
    finally:
        _open[who] -= 1
        if not _open[who]:
            del _open[who]


def of_viewer(request: Request[Any, Any, Any], token: object) -> str:
    """Who a stream counts for: the session, else the browser, else what was shown (``token``) and from where."""
    viewer: Viewer = request.state.viewer
    if viewer.session is not None:
        return f"session {viewer.session.id}"
    return f"browser {viewer.browser}" if viewer.browser else f"{token} {limit_key(client_ip(request))}"


def capped(who: str, feed: AsyncIterator[str]) -> AsyncIterator[str]:
    """``feed``, counted for ``who`` while it lasts. Raises TooManyStreams at once, before an answer has begun."""
    if _open.get(who, 0) >= PER_VIEWER:
        raise TooManyStreams("Close some of the shop's pages and try again.", retry_after=60)
    return _counted(who, feed)


async def _counted(who: str, feed: AsyncIterator[str]) -> AsyncIterator[str]:
    with _place(who):
        async for part in feed:
            yield part
