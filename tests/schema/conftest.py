"""A hub on a port."""

from collections.abc import AsyncIterator

import pytest

from hub.settings import Settings
from tests.schema.served import Served, furnished, serving


@pytest.fixture(scope="module")
def door_settings(database_url: str, redis_url: str) -> Settings:
    return Settings(database_url=database_url, redis_url=redis_url, secret_key="the doors' secret")


@pytest.fixture(scope="module")
async def served(door_settings: Settings) -> AsyncIterator[Served]:
    """The hub of a module, with one tenant."""
    async with serving(door_settings) as (services, port):
        yield await furnished(services, port)
