"""The control panel: the same actions as JSON for tests and as pages for people."""

from dev.sandbox.panel.render import template_config
from dev.sandbox.panel.router import routes

__all__ = ["routes", "template_config"]
