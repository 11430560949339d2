"""The control panel: the same acts as JSON for tests and as pages for people."""

from dev.sandbox.panel.doors import routes
from dev.sandbox.panel.render import template_config

__all__ = ["routes", "template_config"]
