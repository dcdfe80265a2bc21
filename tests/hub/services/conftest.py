"""A second tenant, for rules about isolation."""

import pytest

from hub.db import Database
from tests.hub.sync.worlds import World, new_world


@pytest.fixture
async def other_world(database: Database) -> World:
    return await new_world(database)
