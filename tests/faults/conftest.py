"""Faults share the journeys' shop and browser; a second shop lives beside it."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from dev.up_environment import UpEnvironment
from tests.faults.catastrophes import Revived, kill_and_start_again
from tests.journeys.conftest import pytest_configure as pytest_configure


@pytest.fixture(scope="session")
async def reviving() -> AsyncIterator["asyncio.Task[Revived]"]:
    """A second shop: started, killed and started again beside whatever else is being tested."""
    made = UpEnvironment("second")
    story = asyncio.create_task(kill_and_start_again(made))
    try:
        yield story
    finally:
        story.cancel()
        await asyncio.gather(story, return_exceptions=True)
        await made.close()


@pytest.fixture(scope="session")
async def revived(reviving: "asyncio.Task[Revived]") -> Revived:
    """The second shop, once it is up again."""
    return await reviving
