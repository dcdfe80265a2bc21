"""Houses that the tests of the REST layer begin with."""

from collections.abc import AsyncIterator

import pytest

from hub.db import Database
from tests.schema.rest.houses import House, open_house


@pytest.fixture
async def house(database: Database) -> AsyncIterator[House]:
    """A tenant whose users come in with real credentials."""
    house = await open_house(database)
    yield house
    await house.client.aclose()


@pytest.fixture
async def other_house(database: Database) -> AsyncIterator[House]:
    """Another tenant."""
    house = await open_house(database)
    yield house
    await house.client.aclose()
