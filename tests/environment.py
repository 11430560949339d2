"""The shop that journeys and faults share: the fixture ``env``. Their ``conftest`` registers this as a plugin."""

from collections.abc import AsyncIterator

import pytest

from dev.up_environment import UpEnvironment


@pytest.fixture(scope="session")
async def env() -> AsyncIterator[UpEnvironment]:
    """The shop that journeys and faults share."""
    made = UpEnvironment("up")
    made.launch()
    try:
        await made.greeting()
        # A provider tries a notice again after minutes; here after two seconds, so that a dead shop costs no more.
        await made.box.settings(ipnRetryInterval=2, webhookRetryInterval=2)
        yield made
    finally:
        await made.close()
