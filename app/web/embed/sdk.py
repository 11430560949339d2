"""The SDK's files. A version that was published keeps its bytes for ever, so that pages may pin it by its digest."""

import base64
import hashlib
import json
from functools import lru_cache

from litestar import Response, get
from litestar.params import FromPath
from markupsafe import Markup, escape

from app.core.errors import NotFound
from app.core.files import shipped
from app.core.i18n import _
from app.core.settings import settings
from app.web.embed.checkout_session import own_origin

FOLDER = shipped("static") / "sdk"
VERSION = "2.0.1"
SCRIPT, MODULE = "checkout.js", "checkout.mjs"
SHORT = "public, max-age=300"  # a fix reaches every page that names no version within five minutes
FOR_EVER = "public, max-age=31536000, immutable"
OPEN = {
    "access-control-allow-origin": "*",
    "cross-origin-resource-policy": "cross-origin",
}  # public files; SRI needs it
GLOBALS = "type Gateway = "  # where the part of the types begins that a module has no use for
SERVED_BY = 'const SERVED_BY = "";'


class NoSuchVersion(NotFound):
    title = "No such version of the SDK"


@get("/checkout.js", summary="The checkout SDK", tags=["embed"])
async def newest() -> Response[bytes]:
    """The newest version, as a script. Cached for five minutes; pages that pin a digest name a version instead."""
    return _served(_newest(SCRIPT), "text/javascript", SHORT)


@get("/checkout.mjs", summary="The checkout SDK as a module", tags=["embed"])
async def newest_module() -> Response[bytes]:
    """The newest version, as an ES module that exports `PaymentGateway`."""
    return _served(_newest(MODULE), "text/javascript", SHORT)


@get("/sdk/{version:str}/checkout.js", summary="One version of the checkout SDK", tags=["embed"])
async def pinned(version: FromPath[str]) -> Response[bytes]:
    """The same bytes for ever: for `integrity`."""
    return _served(_file(version, SCRIPT), "text/javascript", FOR_EVER)


@get("/sdk/{version:str}/checkout.mjs", summary="One version of the checkout SDK as a module", tags=["embed"])
async def pinned_module(version: FromPath[str]) -> Response[bytes]:
    """The same bytes for ever, as an ES module."""
    return _served(_file(version, MODULE), "text/javascript", FOR_EVER)


@get("/sdk/checkout.d.ts", summary="Types of the checkout SDK", tags=["embed"])
async def types() -> Response[bytes]:
    """For `checkout.js`: what it exports and what it puts on `window`."""
    return _served((FOLDER / "checkout.d.ts").read_bytes(), "text/plain", SHORT)


@get("/sdk/checkout.d.mts", summary="Types of the checkout SDK as a module", tags=["embed"])
async def module_types() -> Response[bytes]:
    """For `checkout.mjs`: the exports alone, so that a project may hold both files."""
    exports, _, _ = (FOLDER / "checkout.d.ts").read_text().partition(GLOBALS)
    return _served(exports.encode(), "text/plain", SHORT)


@lru_cache(maxsize=1)
def published() -> dict[str, str]:
    """Each published file, such as ``2.0.0/checkout.js``, and the digest it must have."""
    found: dict[str, str] = json.loads((FOLDER / "versions.json").read_text())
    return found


@lru_cache(maxsize=32)
def integrity(version: str = VERSION, name: str = SCRIPT) -> str:
    """Of a version's file as it is, such as ``sha384-…`` (W3C Subresource Integrity)."""
    return "sha384-" + base64.b64encode(hashlib.sha384(_file(version, name)).digest()).decode()


def address(version: str = VERSION, name: str = SCRIPT) -> str:
    return f"{settings().frontend_url.rstrip('/')}/sdk/{version}/{name}"


def script_tag(version: str = VERSION) -> Markup:
    """What a merchant pastes into its page to get exactly this version."""
    pinned_to = f'integrity="{integrity(version)}" crossorigin="anonymous"'
    return Markup(f'<script src="{escape(address(version))}" {pinned_to}></script>')  # noqa: S704


def _file(version: str, name: str) -> bytes:
    if f"{version}/{name}" not in published():
        raise NoSuchVersion(_("The newest is %(version)s.", version=VERSION))
    return (FOLDER / version / name).read_bytes()


def _newest(name: str) -> bytes:
    """With our address in it, so that it knows where to ask in a bundle, too, or evaluated by an optimiser."""
    text = _file(VERSION, name).decode()
    return text.replace(SERVED_BY, SERVED_BY.replace('""', json.dumps(own_origin())), 1).encode()


def _served(body: bytes, kind: str, kept: str) -> Response[bytes]:
    return Response(body, media_type=kind, headers=OPEN | {"cache-control": kept})
