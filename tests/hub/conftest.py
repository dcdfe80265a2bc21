"""The world that many of these tests begin with."""

import pytest

from hub.db import Database
from tests.hub.sync.worlds import World, new_world


@pytest.fixture
async def world(database: Database) -> World:
    return await new_world(database)
