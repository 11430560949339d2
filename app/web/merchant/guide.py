"""The integration guide: from nothing to a paid test order that a server knows of, with the viewer's own test keys.

A secret is kept nowhere, so the snippets hold one only in the answer that issues a key for them.
"""

from collections.abc import Mapping
from typing import Any

from litestar import Request, Response, get, post

from app.core.settings import settings
from app.merchants import api_keys, queries
from app.merchants.api_keys import SCOPES, Issued, TooManyKeys
from app.payments import test_processor
from app.payments.cards import network_of
from app.web.embed import sdk
from app.web.kernel.render import templates
from app.web.kernel.viewer import client_ip
from app.web.merchant import context as contexts
from app.web.merchant.context import MerchantContext

Req = Request[Any, Any, Any]
LANGUAGES = {"curl": "curl", "python": "Python", "node": "Node", "php": "PHP"}
WHOLE = {
    "checkout": "checkout.html",
    "sample": "sample.sh",
    "policy": "policy",
    "listen": "listen.sh",
}  # the same in every language
STEPS = ("order", "payment", "refund", "verify")
BLANK = "bls_…"  # stands where a secret would: whoever has one knows where it goes
CARDS = [(number, network_of(number), scenario.value) for number, scenario in test_processor.CARDS.items()]
VPAS = [(vpa, scenario.value) for vpa, scenario in test_processor.VPAS.items()]


@get("/merchant/guide", include_in_schema=False)
async def show(request: Req) -> Response[bytes]:
    """The guide, its snippets in one language: ``?in=``, else curl."""
    return await _guide(request, contexts.current(request), str(request.query_params.get("in", "")))


@post("/merchant/guide/keys", include_in_schema=False, status_code=200)
async def issue(request: Req) -> Response[bytes]:
    """Issue a test key for the snippets, and show them with it: its secret stands in this answer alone."""
    ctx, form = contexts.current(request), await request.form()
    language = contexts.text(form, "in")
    try:
        issued = await api_keys.issue(
            ctx.id, test=True, name="Integration guide", scopes=SCOPES, by=ctx.actor, ip=client_ip(request)
        )
    except TooManyKeys as error:
        return await _guide(request, ctx, language, error=error.detail)
    return await _guide(request, ctx, language, issued=issued)


async def _guide(
    request: Req, ctx: MerchantContext, language: str, *, issued: Issued | None = None, error: str = ""
) -> Response[bytes]:
    language = language if language in LANGUAGES else "curl"
    secret_keys = [key for key in await queries.keys(ctx.id, test=True) if key.kind == "secret" and key.in_use]
    base = settings().frontend_url.rstrip("/")
    facts = {
        "base": base,
        "api": f"{base}/api/v1",
        "key": issued.key if issued else secret_keys[0].key if secret_keys else "bl_test_…",
        "secret": issued.secret if issued else BLANK,
        "publishable": await api_keys.publishable(ctx.id, test=True),
        "script": sdk.script_tag(),
    }
    context = {
        **facts,
        "issued": issued,
        "error": error,
        "has_key": bool(secret_keys),
        "language": language,
        "languages": LANGUAGES,
        "snippets": {step: _snippet(f"{step}.{language}", facts) for step in STEPS}
        | {name: _snippet(file, facts) for name, file in WHOLE.items()},
        "cards": CARDS,
        "vpas": VPAS,
    }
    return contexts.page(request, ctx, "merchant/guide.html", context, status=409 if error else 200)


def _snippet(name: str, facts: Mapping[str, str]) -> str:
    return templates().get_template(f"merchant/snippets/{name}.txt").render(facts).rstrip("\n")
