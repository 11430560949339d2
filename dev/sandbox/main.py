"""The sandbox as one ASGI application: `uvicorn dev.sandbox.main:create_app --factory --host 127.0.0.1`.

It must listen on loopback or in a private network only: whoever reaches it can steer it.
"""

from __future__ import annotations

from typing import Any, NoReturn

import httpx
from litestar import Litestar, Request
from litestar.datastructures import State
from litestar.exceptions import HTTPException

from dev.sandbox import kinguin, nowpayments, panel, rates, resend, store
from dev.sandbox.config import Config, from_environment
from dev.sandbox.kinguin import orders
from dev.sandbox.kinguin.refusals import KinguinRefusal
from dev.sandbox.nowpayments import cases
from dev.sandbox.nowpayments.refusals import NowRefusal
from dev.sandbox.panel.refusals import ControlRefusal
from dev.sandbox.rates.refusals import RatesRefusal
from dev.sandbox.resend.refusals import ResendRefusal
from dev.sandbox.storage import Storage
from dev.sandbox.switches import Switches
from dev.sandbox.timers import Timers
from dev.sandbox.webhook_sender import WebhookSender
from dev.sandbox.wire import Answer, Malformed, Refusal, answer
from dev.sandbox.world import World


def create_app(config: Config | None = None, shop: httpx.AsyncBaseTransport | None = None) -> Litestar:
    """Build the sandbox from the environment, or from a given configuration.

    `shop` carries notices in place of the network, so that a test can mount the shop's own application.
    """
    world = _open_world(config or from_environment(), shop)

    async def resume() -> None:
        cases.resume(world)
        orders.resume(world)
        world.sender.resume()

    async def close() -> None:
        world.timers.cancel_all()
        await world.sender.close()
        world.storage.close()

    return Litestar(
        [
            nowpayments.routes(world),
            kinguin.routes(world),
            resend.routes(world),
            rates.routes(world),
            store.handler(world),
            panel.routes(),
        ],
        state=State({"world": world}),
        on_startup=[resume],
        on_shutdown=[close],
        exception_handlers={
            Refusal: _render_refusal,
            Malformed: _render_malformed,
            HTTPException: _render_http_error,
            httpx.RemoteProtocolError: _raise_through,
        },
        template_config=panel.template_config(),
        openapi_config=None,
        logging_config=None,
    )


def _open_world(config: Config, shop: httpx.AsyncBaseTransport | None) -> World:
    storage, timers = Storage(config.books_path, config.mails_kept), Timers()
    switches = Switches(storage)
    return World(config, storage, switches, timers, WebhookSender(storage, switches, timers, shop, config.peers))


def _render_refusal(request: Request[Any, Any, Any], refusal: Refusal) -> Answer:
    body = refusal.body(request.url.path, request.method)
    return answer(body, refusal.status, refusal.headers)


def _render_malformed(request: Request[Any, Any, Any], error: Malformed) -> Answer:
    return _render_refusal(request, _in_the_words_of(request.url.path, 400, str(error)))


def _render_http_error(request: Request[Any, Any, Any], error: HTTPException) -> Answer:
    return _render_refusal(request, _in_the_words_of(request.url.path, error.status_code, error.detail))


def _raise_through(_: Request[Any, Any, Any], error: httpx.RemoteProtocolError) -> NoReturn:
    """A hang-up where there is no socket (see `fault_middleware`) must reach the caller as what it is."""
    raise error


def _in_the_words_of(path: str, status: int, detail: str) -> Refusal:
    """An error before or beside any handler, as the provider whose path it was would say it."""
    if path.startswith("/nowpayments/"):
        return NowRefusal(status, "NOT_FOUND" if status == 404 else "INVALID_REQUEST_PARAMS", detail)
    if path.startswith("/kinguin/"):
        return KinguinRefusal("Http", status, detail)
    if path.startswith("/resend/"):
        names = {404: "not_found", 405: "method_not_allowed"}
        return ResendRefusal(status, names.get(status, "validation_error"), detail)
    if path.startswith("/rates/"):
        return RatesRefusal(status, detail)
    return ControlRefusal(status, detail)
