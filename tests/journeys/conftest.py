"""Journeys share the faults' shop and browser: both come as plugins, so that there is one of each."""

import pytest

from tests import environment
from tests.journeys import browsing, merchant_pages, samples

PLUGINS = {"environment": environment, "browsing": browsing, "samples": samples, "merchant_pages": merchant_pages}


def pytest_configure(config: pytest.Config) -> None:
    for name, plugin in PLUGINS.items():
        if not config.pluginmanager.has_plugin(name):
            config.pluginmanager.register(plugin, name)
