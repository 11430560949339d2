"""The API's reference page at ``/api/docs``: rendered here from the description, so it needs no script."""

from typing import Any

from litestar import Request
from litestar.openapi.plugins import JsonRenderPlugin, OpenAPIRenderPlugin
from markupsafe import Markup

from app.web.api import description
from app.web.kernel import reference
from app.web.kernel.render import fragment, templates
from app.web.store.json_schemas import complete


class Description(JsonRenderPlugin):
    """``/api/docs/openapi.json`` with the shapes of our JSON in it."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, object]) -> bytes:
        return super().render(request, description.complete(complete(openapi_schema)))


class Reference(OpenAPIRenderPlugin):
    """The page; the schema itself is at ``/api/docs/openapi.json``. Its content is rendered once a process."""

    def __init__(self) -> None:
        super().__init__(path="/reference")
        self._content: Markup | None = None

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, object]) -> bytes:
        if self._content is None:
            document = description.complete(complete(openapi_schema))
            context = {"parts": reference.parts_of(document), "shapes": reference.shapes_of(document)}
            text = templates().get_template("manual/_reference.html").render(context)
            self._content = Markup(text)  # noqa: S704 - our own template, which escapes
        context = {"content": self._content, "spec": self.get_openapi_json_route(request)}
        return fragment(request, "manual/reference.html", context).encode()
