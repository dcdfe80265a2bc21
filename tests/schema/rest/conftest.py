"""Shops that the tests of the REST layer begin with."""

from collections.abc import AsyncIterator

import pytest

from hub.db import Database
from tests.schema.rest.shops import Shop, open_shop


@pytest.fixture
async def shop(database: Database) -> AsyncIterator[Shop]:
    shop = await open_shop(database)
    yield shop
    await shop.client.aclose()


@pytest.fixture
async def other_shop(database: Database) -> AsyncIterator[Shop]:
    """Another tenant."""
    shop = await open_shop(database)
    yield shop
    await shop.client.aclose()
