"""Desks at which the tests of the mutations begin."""

import pytest

from hub.db import Database
from schema.context import Services
from tests.schema.mutations.desks import Desk, open_desk, services_of


@pytest.fixture(scope="module")
async def services(database: Database, redis_url: str) -> Services:
    return services_of(database, redis_url)


@pytest.fixture
async def desk(services: Services) -> Desk:
    return await open_desk(services)


@pytest.fixture
async def other_desk(services: Services) -> Desk:
    """Another tenant."""
    return await open_desk(services)
