"""The API's reference page at ``/api/docs``: RapiDoc from our own files, nothing from other hosts."""

from typing import Any

from litestar import Request
from litestar.openapi.plugins import JsonRenderPlugin, OpenAPIRenderPlugin

from app.web import static_files
from app.web.api import description
from app.web.render import templates
from app.web.shapes import complete


class Description(JsonRenderPlugin):
    """``/api/docs/openapi.json`` with the shapes of our JSON in it."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        return super().render(request, description.complete(complete(openapi_schema)))


class Reference(OpenAPIRenderPlugin):
    """Renders ``templates/shared/docs.html``; the schema itself is at ``/api/docs/openapi.json``."""

    def __init__(self) -> None:
        super().__init__(path="/reference")

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        context = {
            "spec": self.get_openapi_json_route(request),
            "script": static_files.address("vendor/rapidoc.min.js"),
        }
        return templates().get_template("shared/docs.html").render(context).encode()
