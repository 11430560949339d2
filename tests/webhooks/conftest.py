"""Receivers."""

from collections.abc import AsyncIterator

import pytest

from tests.cli.conftest import bitloot as bitloot
from tests.webhooks.builders import Receiver, receiving


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as made:
        yield made


@pytest.fixture
async def other_receiver() -> AsyncIterator[Receiver]:
    async with receiving() as made:
        yield made
