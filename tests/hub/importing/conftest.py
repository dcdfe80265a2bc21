"""Houses that imports come from and go to."""

from collections.abc import AsyncIterator

import pytest

from hub.db import Database
from tests.schema.rest.houses import House, open_house


@pytest.fixture
async def house(database: Database) -> AsyncIterator[House]:
    """A tenant that has nothing but its warehouses."""
    house = await open_house(database)
    yield house
    await house.client.aclose()


@pytest.fixture
async def old(database: Database) -> AsyncIterator[House]:
    """The tenant that stands for the old system."""
    house = await open_house(database)
    yield house
    await house.client.aclose()
