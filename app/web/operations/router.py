"""Health and metrics. Open to all, but for the metrics, which ask for a token in production."""

from litestar import Router

from app.web.operations import health

router = Router("/", route_handlers=[health.alive, health.ready, health.components, health.prometheus])
