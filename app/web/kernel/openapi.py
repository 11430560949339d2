"""Two OpenAPI documents, of the merchants' API and of the shop's own JSON, and a page of each that needs no script."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from litestar import Request, Router
from litestar.openapi.plugins import JsonRenderPlugin, OpenAPIRenderPlugin
from markupsafe import Markup

from app.core.i18n import language
from app.core.settings import settings
from app.web.api import description
from app.web.api.answers import PREFIX
from app.web.kernel import reference
from app.web.kernel.render import fragment, templates
from app.web.manual.navigation import sections
from app.web.store import description as shop

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Document:
    """``page`` and ``spec``: where it is read, below ``/api/docs``. ``api``: whether it is of the paths of the API.

    ``complete`` fills in what Litestar does not know of them.
    """

    title: str
    about: str
    page: str
    spec: str
    api: bool
    complete: Callable[[Schema], Schema]

    def of(self, whole: Schema) -> Schema:
        """This part of Litestar's document, with no component that it does not use."""
        part = deepcopy(whole)
        part["info"] |= {"title": self.title, "description": self.about}
        part["servers"] = [{"url": settings().frontend_url.rstrip("/")}]
        part["paths"] = {path: of for path, of in part["paths"].items() if path.startswith(PREFIX) == self.api}
        part = self.complete(part)
        used = _used(part)
        schemas = part["components"]["schemas"]
        part["components"]["schemas"] = {name: schema for name, schema in schemas.items() if name in used}
        return part


def _used(document: Schema) -> set[str]:
    """The names of the schemas that the paths refer to, and those that these refer to."""
    found: set[str] = set()
    waiting = list(_references(document["paths"]))
    while waiting:
        if (name := waiting.pop()) not in found:
            found.add(name)
            waiting += _references(document["components"]["schemas"][name])
    return found


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"].rpartition("/")[2]
        node = list(node.values())
    for one in node if isinstance(node, list) else ():
        yield from _references(one)


MERCHANTS = Document(
    "BitLoot: the merchants' API",
    "Take payments through this gateway. A key is sent in `X-Api-Key` and its secret in `X-Api-Secret`.",
    "/reference", "/openapi.json", True, description.complete,
)  # fmt: skip
SHOP = Document(
    "BitLoot: the shop", "What the shop's own pages answer to those who ask for JSON.",
    "/shop", "/shop.json", False, shop.complete,
)  # fmt: skip


class Specification(JsonRenderPlugin):
    """A document as JSON."""

    def __init__(self, document: Document) -> None:
        super().__init__(path=document.spec)
        self._document = document

    def render(self, request: Request[Any, Any, Any], openapi_schema: Schema) -> bytes:
        return super().render(request, self._document.of(openapi_schema))


class Reference(OpenAPIRenderPlugin):
    """A document as a page. Its content is rendered once a language."""

    def __init__(self, document: Document) -> None:
        super().__init__(path=document.page)
        self._document = document
        self._content: dict[str, Markup] = {}  # by language

    def render(self, request: Request[Any, Any, Any], openapi_schema: Schema) -> bytes:
        if language() not in self._content:
            document = self._document.of(openapi_schema)
            context = {
                "api": self._document.api,
                "parts": reference.parts_of(document),
                "shapes": reference.shapes_of(document),
            }
            text = templates().get_template("manual/_reference.html").render(context)
            self._content[language()] = Markup(text)  # noqa: S704 - our own template, which escapes
        context = {
            "content": self._content[language()],
            "spec": f"/api/docs{self._document.spec}",
            "api": self._document.api,
            "sections": sections(),
        }
        return fragment(request, "manual/reference.html", context).encode()


def router() -> Router:
    """Where the documents are. A page of them is one person's, with that person's token: no cache may keep it."""
    return Router(
        "/api/docs", route_handlers=[], include_in_schema=False, response_headers={"cache-control": "no-store"}
    )


PLUGINS = [Reference(MERCHANTS), Specification(MERCHANTS), Reference(SHOP), Specification(SHOP)]
