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
from app.core.settings import settings

FOLDER = shipped("static") / "sdk"
VERSION = "1.0.1"
SHORT = "public, max-age=300"  # a fix reaches every page that names no version within five minutes
FOR_EVER = "public, max-age=31536000, immutable"
OPEN = {
    "access-control-allow-origin": "*",
    "cross-origin-resource-policy": "cross-origin",
}  # public files; SRI needs it


class NoSuchVersion(NotFound):
    title = "No such version of the SDK"


@get("/checkout.js", summary="The checkout SDK", tags=["embed"])
async def newest() -> Response[bytes]:
    """The newest version. Cached for five minutes; pages that pin a digest name a version instead."""
    return _file("checkout.js", "text/javascript", SHORT)


@get("/sdk/{version:str}/checkout.js", summary="One version of the checkout SDK", tags=["embed"])
async def pinned(version: FromPath[str]) -> Response[bytes]:
    """The same bytes for ever: for `integrity`."""
    if version not in published():
        raise NoSuchVersion(f"The newest is {VERSION}.")
    return _file(_name(version), "text/javascript", FOR_EVER)


@get("/sdk/checkout.d.ts", summary="Types of the checkout SDK", tags=["embed"])
async def types() -> Response[bytes]:
    return _file("checkout.d.ts", "text/plain", SHORT)


@lru_cache(maxsize=1)
def published() -> dict[str, str]:
    """Each version and the digest its file must have."""
    found: dict[str, str] = json.loads((FOLDER / "versions.json").read_text())
    return found


@lru_cache(maxsize=32)
def integrity(version: str = VERSION) -> str:
    """Of the version's file as it is, such as ``sha384-…`` (W3C Subresource Integrity)."""
    return "sha384-" + base64.b64encode(hashlib.sha384((FOLDER / _name(version)).read_bytes()).digest()).decode()


def address(version: str = VERSION) -> str:
    return f"{settings().frontend_url}/sdk/{version}/checkout.js"


def script_tag(version: str = VERSION) -> Markup:
    """What a merchant pastes into its page to get exactly this version."""
    pinned_to = f'integrity="{integrity(version)}" crossorigin="anonymous"'
    return Markup(f'<script src="{escape(address(version))}" {pinned_to}></script>')  # noqa: S704


def _name(version: str) -> str:
    """Older versions stand in folders of their own."""
    return "checkout.js" if version == VERSION else f"{version}/checkout.js"


def _file(name: str, kind: str, kept: str) -> Response[bytes]:
    return Response((FOLDER / name).read_bytes(), media_type=kind, headers=OPEN | {"cache-control": kept})
