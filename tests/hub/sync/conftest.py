"""A tenant connected to a tiny external system."""

import pytest

from hub.db import Database
from tests.hub.sync.bench import Bench, new_bench


@pytest.fixture
async def bench(database: Database) -> Bench:
    return await new_bench(database)
