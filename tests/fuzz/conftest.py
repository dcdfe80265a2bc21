"""A served hub with records of every kind, for callers who send what its descriptions allow and what they forbid."""

from collections.abc import AsyncIterator

import pytest

from hub.settings import Settings
from tests.schema.rest.furnishing import furnished_house
from tests.schema.rest.houses import House


@pytest.fixture(scope="module")
async def house(database_url: str, redis_url: str) -> AsyncIterator[House]:
    settings = Settings(database_url=database_url, redis_url=redis_url, secret_key="the fuzzers' secret")
    async with furnished_house(settings) as house:
        yield house
