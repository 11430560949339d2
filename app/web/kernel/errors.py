"""One handler renders every error: problem+json (RFC 9457) for JSON, a page or partial for people."""

from typing import Any
from urllib.parse import urlsplit

from asyncpg import CharacterNotInRepertoireError, UntranslatableCharacterError
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.response import Redirect

from app.core import db, i18n, log
from app.core.errors import Problem
from app.core.i18n import N_, _
from app.web.api import answers
from app.web.kernel import request_context
from app.web.kernel.body import UnusableText
from app.web.kernel.guards import LoginNeeded, RedirectTo
from app.web.kernel.languages import language_of
from app.web.kernel.render import answer, by_htmx, page, see_other, sent_json, wants_json
from app.web.kernel.viewer import Viewer

Req = Request[Any, Any, Any]

PLAIN = {
    400: (N_("That request can't be used"), N_("Go back, check what you entered and try again.")),
    403: (N_("That can't be done"), N_("Go back and reload the page.")),
    404: (N_("Page not found"), N_("Check the address. The page may have been removed.")),
    405: (N_("That can't be done here"), N_("Go back and use the buttons of the page.")),
    413: (N_("That is too large"), N_("Send less at once.")),
    500: (N_("Something went wrong on our side"), N_("Your order and your money are safe. Try again in a minute.")),
    503: (N_("We can't answer right now"), N_("Your order and your money are safe. Try again in a minute.")),
}


RELOADED = {
    "form_expired",
    "cookies_needed",
    "already_sent",
    "outcome_unknown",
}  # errors of a form, whose page is to be loaded anew
COME_AGAIN = 5  # seconds; RFC 9110, 10.2.3


def handle(request: Req, error: Exception) -> Response[Any]:
    """Render any error; what nobody foresaw is logged with its traceback and answered without it."""
    framed = hasattr(request.state, "viewer")
    with i18n.speaking(language_of(request)):
        response = _answer(request, error)
    if not framed:
        # No route matched, so no middleware ran and the frame's headers are missing.
        added = request_context.security_headers(request_context.request_id_of(request))
        response.headers.update({name.decode(): value.decode() for name, value in added})
    return response


def _answer(request: Req, error: Exception) -> Response[Any]:
    if isinstance(error, RedirectTo):
        return see_other(error.path)
    if isinstance(error, CharacterNotInRepertoireError | UntranslatableCharacterError):
        error = UnusableText("What you sent contains a NUL character, which isn't allowed. Remove it and try again.")
    if not isinstance(error, Problem) and request_context.has_hung_up(request):
        return Response(b"", status_code=request_context.HUNG_UP)
    by_api = request.url.path.startswith(answers.PREFIX)
    if isinstance(error, db.AWAY):
        return _away(request, error, by_api=by_api)
    if isinstance(error, Problem):
        request.state.refused = True  # raised on purpose: nothing was changed
        return answers.refuse(request, error) if by_api else _problem(request, error)
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status >= 500:
        log.get("bitloot.web").error("request.broken", error=type(error).__name__, exc_info=error)
    if by_api:
        return answers.broken(request, status, getattr(error, "headers", None) or {})
    title, detail = PLAIN.get(status, PLAIN[400] if status < 500 else PLAIN[500])
    return _render(request, status, _(title), _(detail), code="http_error" if status < 500 else "internal_error")


def _away(request: Req, error: Exception, *, by_api: bool) -> Response[Any]:
    """The database can't do its work just now, and soon can again: the caller is told when to come back."""
    log.get("bitloot.web").error("request.without_database", why=f"{type(error).__name__}: {error}")
    if by_api:
        response: Response[Any] = answers.broken(request, 503, {})
    else:
        response = _render(request, 503, *map(_, PLAIN[503]), code="unavailable")
    response.headers["retry-after"] = str(COME_AGAIN)
    return response


def _problem(request: Req, error: Problem) -> Response[Any]:
    if isinstance(error, LoginNeeded) and not _as_json(request):
        return Redirect("/admin/login", status_code=303)
    response = _render(request, error.status, _(error.title), _(error.detail), code=error.code, field=error.field)
    if hasattr(error, "retry_after"):
        response.headers["retry-after"] = str(error.retry_after)
    return response


def _as_json(request: Req) -> bool:
    return wants_json(request) or (sent_json(request) and not by_htmx(request)) or _is_api(request)


def _is_api(request: Req) -> bool:
    path = request.url.path
    json_first = path.startswith(("/fulfillment/", "/payments/", "/webhooks/", "/kinguin/"))
    return json_first and not by_htmx(request) and "text/html" not in request.headers.get("accept", "")


def _camel(field: str) -> str:
    """A field's name as it stands in our JSON."""
    first, *more = field.split("_")
    return first + "".join(word.capitalize() for word in more)


def _render(
    request: Req, status: int, title: str, detail: str, *, code: str, field: str | None = None
) -> Response[Any]:
    if _as_json(request):
        body = {"type": f"urn:bitloot:error:{code}", "title": title, "status": status, "detail": detail, "code": code}
        response = answer(body | ({"field": _camel(field)} if field else {}), status=status)
        response.media_type = "application/problem+json"
        return response
    if not hasattr(request.state, "viewer"):
        request.state.viewer, request.state.cart_count = Viewer(), 0
    href, label = _way_on(request, code)
    context = {
        "status": status,
        "title": title,
        "detail": detail,
        "action_href": href,
        "action_label": label,
    }
    return page(request, "shared/error.html", context, partial="shared/_problem.html", status=status)


def _way_on(request: Req, code: str) -> tuple[str, str]:
    """Where a page of an error leads, and its words."""
    if code == "order_not_found":
        return "/orders/lookup", _("Email me a new link")
    if code in RELOADED:
        return _page_before(request), _("Reload the page")
    if request.url.path.startswith("/merchant/"):
        return ("/merchant", _("Back to your pages")) if request.state.viewer.session else ("/login", _("Sign in"))
    return "/", _("Back to the shop")


def _page_before(request: Req) -> str:
    """The page whose form was sent, as its browser names it; the start page where it names none of ours."""
    try:
        before = urlsplit(request.headers.get("referer", ""))
    except ValueError:
        return "/"
    ours = before.netloc == request.headers.get("host", "") and before.path.startswith("/")
    return before._replace(scheme="", netloc="", fragment="").geturl() if ours and before.path[:2] != "//" else "/"
