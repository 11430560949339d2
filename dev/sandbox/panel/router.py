"""All routes of the panel: the JSON, the pages, the forms on them, and the hosted invoice."""

from __future__ import annotations

from litestar import Router

from dev.sandbox.panel import api, forms, holds, hosted, pages
from dev.sandbox.panel.refusals import same_origin_guard


def routes() -> Router:
    """All of them, guarded against pages from elsewhere."""
    return Router(
        "/",
        guards=[same_origin_guard],
        route_handlers=[
            Router("/sandbox/api", route_handlers=[*api.HANDLERS, *holds.HANDLERS]),
            Router("/sandbox/invoice", route_handlers=hosted.HANDLERS),
            *pages.HANDLERS,
            *forms.HANDLERS,
        ],
    )
