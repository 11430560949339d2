"""Journeys share the faults' town and browser: both come as plugins, so that there is one of each."""

import pytest

from tests import town
from tests.journeys import browsing, merchant_pages, samples

PLUGINS = {"town": town, "browsing": browsing, "samples": samples, "merchant_pages": merchant_pages}


def pytest_configure(config: pytest.Config) -> None:
    for name, plugin in PLUGINS.items():
        if not config.pluginmanager.has_plugin(name):
            config.pluginmanager.register(plugin, name)
