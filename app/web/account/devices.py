"""Where a person is signed in: customers, merchants and staff alike. Each place can be ended, or all at once."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath

from app.accounts import sessions
from app.accounts.tokens import Session
from app.core.errors import NotFound, Unauthorized
from app.core.i18n import _
from app.core.ids import parse_id
from app.web.kernel import guards
from app.web.kernel.browsers import browser_name
from app.web.kernel.guards import Connection
from app.web.kernel.render import answer, page, see_other, wants_json
from app.web.kernel.viewer import SESSION_COOKIE, forget

Req = Request[Any, Any, Any]


class NoSuchDevice(NotFound):
    title = "No such device"


class SignInFirst(Unauthorized):
    title = "Sign in first"


class DeviceLine(msgspec.Struct, frozen=True, rename="camel"):
    """A place where the viewer is signed in."""

    id: UUID
    name: str
    ip: str
    signed_in_at: datetime
    last_seen_at: datetime
    current: bool


def device_name(user_agent: str) -> str:
    return browser_name(user_agent) or _("Unknown device")


@get("/account/devices", summary="List signed-in devices", tags=["account"])
async def index(request: Req) -> Response[bytes]:
    """Each browser that the viewer is signed in with."""
    session = _session_of(request)
    lines = [
        DeviceLine(d.id, device_name(d.user_agent), d.ip, d.created_at, d.last_seen_at, d.id == session.id)
        for d in await sessions.devices(session)
    ]
    if wants_json(request):
        return answer({"devices": lines})
    return page(request, "account/devices.html", {"devices": lines})


@post("/account/devices/{device_id:str}/revocations", summary="Sign out a device", tags=["account"], status_code=200)
async def revoke(request: Req, device_id: FromPath[str]) -> Response[bytes]:
    """End the viewer's session in one place."""
    session = _session_of(request)
    found = parse_id(device_id)
    if found is None or not await sessions.end(session, found):
        raise NoSuchDevice("It was signed out already, or it is not yours.")
    if session.role == "admin":
        await guards.write(request, "admin.logged_out", details="one device")
    return _out() if found == session.id else _back(request)


@post("/account/devices/revocations", summary="Sign out everywhere", tags=["account"], status_code=200)
async def revoke_all(request: Req) -> Response[bytes]:
    """End all of the viewer's sessions, this one too."""
    session = _session_of(request)
    await sessions.end_all(session.email, session.role)
    if session.role == "admin":
        await guards.write(request, "admin.logged_out", details="everywhere")
    return _out()


async def signed_in_only(connection: Connection, _handler: BaseRouteHandler) -> None:
    """A guard. Leads a page's reader to the login; whoever asks for JSON or sends a form gets SignInFirst."""
    request = cast(Req, connection)
    if guards.asks_methods(request) or request.state.viewer.session is not None:
        return
    if request.method != "GET":
        raise SignInFirst("This browser is signed out already.")
    if wants_json(request):
        raise SignInFirst("Sign in to see where you are signed in.")
    raise guards.RedirectTo("/login")


def _session_of(request: Req) -> Session:
    """Whoever looks is signed in: the guard has seen to it."""
    session: Session = request.state.viewer.session
    return session


def _back(request: Req) -> Response[bytes]:
    return answer({"location": "/account/devices"}) if wants_json(request) else see_other("/account/devices")


def _out() -> Response[bytes]:
    response = see_other("/")
    forget(response, SESSION_COOKIE)
    return response
