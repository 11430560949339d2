"""create_app(): the only place where real things are chosen and the surfaces' routers are mounted."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator, Iterator
from types import FrameType

from litestar import Litestar
from litestar.config.compression import CompressionConfig
from litestar.datastructures import State
from litestar.middleware import DefineMiddleware
from litestar.openapi.config import OpenAPIConfig
from litestar.static_files import create_static_files_router

from app.core import db, garbage, log, pools
from app.core.event_hub import EventHub
from app.core.redis_publisher import publisher
from app.core.settings import settings
from app.history import queries as history
from app.inbox.refusals import refusals
from app.issues.clocks import ClockWatch
from app.providers.kit import open_providers
from app.web.account.router import router as account
from app.web.admin.router import router as admin
from app.web.api.router import router as api
from app.web.embed.router import router as embed
from app.web.hooks.router import router as hooks
from app.web.kernel import csrf, errors, openapi, rate_limits, static_files
from app.web.kernel.body import LARGEST
from app.web.kernel.form_keys import FormKeys
from app.web.kernel.head_requests import HeadAware
from app.web.kernel.request_context import RequestContext
from app.web.manual.router import router as manual
from app.web.merchant.router import router as merchant
from app.web.operations.router import router as operations
from app.web.store.router import router as store

CATCH_UP = 3.0  # seconds between looks at the tables for news that Redis did not bring
# Streams must not be held back, and answers with secrets in them are not to be measured by their compressed size.
PLAIN = [
    r"^/orders/[^/]+/events", "^/embed/events", "^/fulfillment/", "^/webhooks/", "^/payments/", "^/blobs/", "^/links/",
    "^/refunds/", "^/api/v1/", "^/merchant/(keys|endpoints|guide)",
]  # fmt: skip

SURFACES = (store, account, admin, merchant, manual, embed, operations, hooks, api)


@contextlib.asynccontextmanager
async def lifespan(app: Litestar) -> AsyncIterator[None]:
    """Open the pools, the providers and the event_hub; close them in reverse."""
    await db.open_pool_of(pools.WEB)
    kit = open_providers(settings())
    event_hub = EventHub()
    event_hub.open()
    app.state.update({"kit": kit, "store": kit.store, "event_hub": event_hub})
    catching_up = asyncio.create_task(_catch_up(event_hub), name="catch-up")
    watching = asyncio.create_task(ClockWatch().run(), name="clock-watch")
    garbage.settle(crowded=True)
    collecting = asyncio.create_task(garbage.collect_when_quiet(lambda: len(event_hub.subjects)), name="garbage")
    try:
        with _hanging_up(event_hub):
            yield
    finally:
        catching_up.cancel()
        watching.cancel()
        collecting.cancel()
        await event_hub.close()
        await refusals.close()
        await kit.aclose()
        await asyncio.to_thread(publisher.close)
        await db.close_pool()


@contextlib.contextmanager
def _hanging_up(event_hub: EventHub) -> Iterator[None]:
    """End every stream at SIGTERM: the server shuts us down only once all answers have ended, and these never would."""
    loop, before = asyncio.get_running_loop(), signal.getsignal(signal.SIGTERM)
    if not callable(before):
        yield  # no server runs us
        return

    def hang_up() -> None:
        event_hub.closing = True
        for subject in event_hub.subjects:
            event_hub.notify(subject)

    def stop(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(hang_up)
        before(number, frame)

    signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


async def _catch_up(event_hub: EventHub) -> None:
    """Wake the streams whose news got lost on the way; with Redis down this alone keeps pages moving."""
    while True:
        await asyncio.sleep(CATCH_UP)
        try:
            if subjects := event_hub.subjects:
                event_hub.catch_up(await history.last_seqs(subjects))
        except Exception as error:
            log.get("bitloot.live").warning("catch_up.failed", why=type(error).__name__)


def create_app() -> Litestar:
    """The web application, from this process's settings. ``uvicorn app.main:create_app --factory``."""
    log.set_up(settings().log_level, "web")
    for name in ("uvicorn", "uvicorn.access"):
        # The server's own handlers would write plain lines between our JSON.
        server = logging.getLogger(name)
        server.handlers.clear()
        server.propagate = True
    static = create_static_files_router(
        path="/static",
        directories=[static_files.ROOT],
        middleware=[static_files.KeptByDigest()],
        include_in_schema=False,
        guards=[rate_limits.file_name],
    )
    return HeadAware(
        route_handlers=[*SURFACES, static],
        middleware=[RequestContext(), DefineMiddleware(csrf.Csrf, config=csrf.config()), FormKeys()],
        exception_handlers={Exception: errors.handle},
        guards=[rate_limits.by_caller],
        lifespan=[lifespan],
        request_max_body_size=LARGEST,
        compression_config=CompressionConfig(backend="gzip", gzip_compress_level=5, exclude=PLAIN),
        state=State(),
        openapi_config=OpenAPIConfig(
            title="BitLoot", version="1", openapi_router=openapi.router(), render_plugins=openapi.PLUGINS
        ),
        logging_config=None,
        debug=False,
    )
