"""Each POST form of ours takes effect once, however often it is sent: a double click, a reload, a flaky line.

A submission is claimed by a row of its own before its handler runs, and after the limits: what they or the CSRF check
refuse writes nothing. What becomes of the claim is decided by how the handler ended:

- an answer below 400 is kept, and given to each repeat by the same caller: a key or a secret that it shows must not be
  shown again to whoever sends the form once the session is over;
- a refusal (a Problem, or a page that is answered with 4xx) changed nothing: the claim is given up;
- anything else is not known to have changed nothing. A fault may come after the commit, when the page is rendered or
  while the answer is on its way. The claim stays, and a repeat is told that we don't know and where to look.

Why not inside the handler's transaction: handlers have several or none, and a claim that commits with the first of
them says as little about the rest. Nor would it tell who sent the form what its first answer was. Refusing the repeat
of a submission of which we know no end can't do anything twice, which is what this is for.
"""

from typing import Any, NamedTuple

from litestar import Request
from litestar.enums import RequestEncodingType, ScopeType
from litestar.exceptions import HTTPException
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from app.core import log
from app.core.errors import Conflict
from app.core.i18n import _
from app.core.rate_limit import TooManyAttempts
from app.forms import service as forms
from app.web.kernel import errors, rate_limits, request_context
from app.web.kernel.csrf import OWN_PROOF
from app.web.kernel.viewer import standing

FIELD, CSRF_FIELD = "_form_key", "_csrf_token"
FORMS = {RequestEncodingType.URL_ENCODED, RequestEncodingType.MULTI_PART}
LONGEST_KEY = 64
NO_FORMS = (*OWN_PROOF, "/api/v1/")  # machines send here: their body is theirs, whatever its content type says
SEE_OTHER = 303
REFUSED = 400
BROKEN = 500


class AlreadySent(Conflict):
    title = "This form was already sent"

    def __init__(self) -> None:
        super().__init__(_("It was processed once. Go back and reload the page to see where things stand."))


class OutcomeUnknown(Conflict):
    """The first submission has no answer: it failed on our side, or is still being worked on."""

    title = "We don’t know whether this worked"

    def __init__(self) -> None:
        super().__init__(
            _(
                "This form was sent before and we could not finish our answer, so it may have taken effect or not. "
                "Reload the page and check your orders and your inbox before you send it again."
            )
        )


class FormKeys(ASGIMiddleware):
    """Answers the second submission of a form as the first was answered. Forms without a key pass."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        request: Request[Any, Any, Any] = Request(scope, receive)
        try:
            key, submission = await _submission(request)
        except HTTPException as unreadable:
            # Answered here: the body is read, and whoever asked for it again would wait for ever.
            response = errors.handle(request, unreadable).to_asgi_response(None, request)
            await response(scope, receive, send)
            return
        if not key:
            await next_app(scope, receive, send)
            return
        try:
            await rate_limits.by_caller(request, scope["route_handler"])
        except TooManyAttempts as refused:
            await errors.handle(request, refused).to_asgi_response(None, request)(scope, receive, send)
            return
        caller = await standing(request.state.viewer)  # now: what the answer itself opens is no part of who asked
        sent = _Sent(key, submission, caller)
        if await forms.claim(submission):
            await _first(request, receive, send, next_app, sent)
        else:
            await _again(request, receive, send, sent)


class _Sent(NamedTuple):
    """A submission: its form's key, its id, and who sent it as ``standing`` has it."""

    key: str
    id: str
    caller: str


async def _submission(request: Request[Any, Any, Any]) -> tuple[str, str]:
    """The form's key and this submission's id; both empty where there is none. Raises HTTPException if unreadable."""
    if request.method != "POST" or request.content_type[0] not in FORMS or request.url.path.startswith(NO_FORMS):
        return "", ""
    form = await request.form()
    key = form.get(FIELD, "")
    if not isinstance(key, str) or not 0 < len(key) <= LONGEST_KEY:
        return "", ""
    fields = [(name, str(value)) for name, value in form.multi_items() if name not in {FIELD, CSRF_FIELD}]
    return key, forms.submission_id(key, request.url.path, fields)


def _is_unknown(request: Request[Any, Any, Any], status: int) -> bool:
    """Whether nobody can say if the handler took effect. A Problem that it raised itself says that it did not."""
    return (status >= BROKEN or status == request_context.HUNG_UP) and not request.state.get("refused")


async def _first(request: Request[Any, Any, Any], receive: Receive, send: Send, next_app: ASGIApp, sent: _Sent) -> None:
    status, headers, body = BROKEN, [], bytearray()

    async def copied(message: Message) -> None:
        nonlocal status, headers
        if message["type"] == "http.response.start":
            status, headers = message["status"], list(message.get("headers", []))
        elif message["type"] == "http.response.body" and len(body) <= forms.LARGEST:
            body.extend(message.get("body", b""))
        await send(message)

    try:
        await next_app(request.scope, receive, copied)
    finally:
        if _is_unknown(request, status):
            await forms.mark_unknown(sent.id)
        elif status >= REFUSED:
            await forms.release(sent.id)
        else:
            await forms.finish(sent.id, sent.key, forms.Answer(status, headers, bytes(body), sent.caller))


async def _again(request: Request[Any, Any, Any], receive: Receive, send: Send, sent: _Sent) -> None:
    found = await forms.first_answer(sent.id, sent.key, sent.caller)
    log.get("bitloot.web").info("form.repeated", found=type(found).__name__.lower())
    if isinstance(found, forms.Stale) and found.answer.status == SEE_OTHER:
        kept = [header for header in found.answer.headers if header[0].lower() != b"set-cookie"]
        found = forms.Answer(found.answer.status, kept, b"")
    if isinstance(found, forms.Answer):
        await send({"type": "http.response.start", "status": found.status, "headers": found.headers})
        await send({"type": "http.response.body", "body": found.body, "more_body": False})
        return
    refused = AlreadySent() if isinstance(found, forms.Stale | forms.Lost) else OutcomeUnknown()
    response = errors.handle(request, refused).to_asgi_response(None, request)
    await response(request.scope, receive, send)
