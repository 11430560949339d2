"""A member's context: the merchant and the mode in which a person works. Remembered in a cookie, which opens nothing:
whether the person is in the team is asked of the table at each request. To everybody else nothing is here."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from litestar import Request, Response
from litestar.exceptions import NotFoundException
from litestar.handlers import BaseRouteHandler

from app.core.errors import Conflict, NotFound
from app.core.i18n import _
from app.core.ids import parse_id
from app.core.settings import settings
from app.merchants import members
from app.merchants.models import Merchant
from app.web.kernel import cookies, guards, render
from app.web.kernel.csrf import SAFE
from app.web.kernel.guards import Connection
from app.web.kernel.viewer import CONTEXT_COOKIE, Viewer

Req = Request[Any, Any, Any]
ENTRANCE = {"entrance": True}  # the opt of a page that leads whoever is not signed in to the login
ANY_CONTEXT = {"any_context": True}  # the opt of a form that may come from a page of another merchant or mode
PAGE = 50  # rows of a list
LONGEST_ACT = 250  # characters of an act's details in the audit log


class NothingHere(NotFound):
    """An unknown id, another merchant's, or one of the other mode: nobody learns which."""

    title = "There is nothing here"

    def __init__(self) -> None:
        super().__init__(
            _("It does not exist, or it belongs to the other mode: switch between test and live to look there.")
        )


class StaleContext(Conflict):
    """A form sent from a page that was opened before its sender switched merchant or mode."""

    title = "You switched in another window"

    def __init__(self, now: str) -> None:
        super().__init__(
            _(
                "This page was opened in another mode or merchant, and you are now in %(now)s. Nothing was changed.",
                now=now,
            )
        )


@dataclass(frozen=True, slots=True)
class MerchantContext:
    email: str
    merchants: list[Merchant]
    merchant: Merchant
    test: bool

    @property
    def id(self) -> UUID:
        return self.merchant.id

    @property
    def actor(self) -> str:
        """As the audit log names who acts."""
        return f"member {self.email}"

    @property
    def mode(self) -> str:
        return "test" if self.test else "live"

    @property
    def key(self) -> str:
        """What the cookie and each form of a page hold."""
        return context_key(self.id, test=self.test)


def context_key(merchant_id: UUID, *, test: bool) -> str:
    return f"{merchant_id}.{'test' if test else 'live'}"


def person(request: Req) -> str | None:
    """The proven address of who looks, if any."""
    viewer: Viewer = request.state.viewer
    return viewer.email


async def members_only(connection: Connection, handler: BaseRouteHandler) -> None:
    """A guard: finds out where the viewer works. To whoever is in no team, nothing is here: NotFoundException.

    Whoever is not signed in is led to the login where the handler says so.
    """
    if guards.asks_methods(connection):
        return
    request = cast(Req, connection)
    if handler.opt.get("entrance") and request.state.viewer.session is None:
        raise guards.RedirectTo("/login")
    request.state.merchant_context = await _context_of(request)


async def _context_of(request: Req) -> MerchantContext:
    email = person(request)
    merchants = await members.joined(email) if email else []
    if email is None or not merchants:
        raise NotFoundException
    wanted, _dot, mode = cookies.read(request, CONTEXT_COOKIE).partition(".")
    chosen = next((merchant for merchant in merchants if str(merchant.id) == wanted), merchants[0])
    return MerchantContext(email, merchants, chosen, test=mode != "live" or str(chosen.id) != wanted)


async def context_unchanged(connection: Connection, handler: BaseRouteHandler) -> None:
    """A guard, behind ``members_only``. Raises StaleContext for a form from a page of another merchant or mode."""
    request = cast(Req, connection)
    if request.method in SAFE or handler.opt.get("any_context"):
        return
    here, form = current(request), await request.form()
    if form.get("merchant_context") != here.key:
        raise StaleContext(f"{here.mode} mode of {here.merchant.name}")


async def limit_invitations(connection: Connection, _handler: BaseRouteHandler) -> None:
    """A guard, behind ``members_only``: LIMIT_LOOKUPS invitations a minute by one merchant. Raises TooManyAttempts."""
    request = cast(Req, connection)
    await guards.spend(request, "invites", settings().limit_lookups, who=str(current(request).id))


def current(request: Req) -> MerchantContext:
    """Where the viewer works; the guard found out."""
    found: MerchantContext = request.state.merchant_context
    return found


def text(form: Mapping[str, Any], name: str, longest: int = 400) -> str:
    """A form's field, trimmed; empty where it is missing or a file."""
    value = form.get(name, "")
    return value.strip()[:longest] if isinstance(value, str) else ""


def require_id(given: str) -> UUID:
    """An id from an address. Raises NothingHere for what is none."""
    parsed = parse_id(given)
    if parsed is None:
        raise NothingHere
    return parsed


def recorded(request: Req, ctx: MerchantContext, action: str, details: str = "") -> AbstractAsyncContextManager[None]:
    """What a member does inside commits together with its line of the audit log, or not at all."""
    said = f"{ctx.merchant.name}, {ctx.mode} mode: {details}".removesuffix(": ")
    return guards.recorded(request, action, details=said[:LONGEST_ACT], actor=ctx.actor)


def page(
    request: Req,
    ctx: MerchantContext,
    template: str,
    context: Mapping[str, Any],
    *,
    partial: str | None = None,
    status: int = 200,
) -> Response[bytes]:
    return render.page(request, template, {"ctx": ctx, **context}, partial=partial, status=status)
