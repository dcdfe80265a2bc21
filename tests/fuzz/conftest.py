"""A served hub with records of every kind, for callers who send what its descriptions allow and what they forbid."""

from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from hub.settings import Settings
from tests.schema.rest.furnishing import furnish
from tests.schema.rest.houses import House, open_house
from tests.schema.served import serving


@pytest.fixture(scope="module")
async def house(database_url: str, redis_url: str) -> AsyncIterator[House]:
    settings = Settings(database_url=database_url, redis_url=redis_url, secret_key="the fuzzers' secret")
    async with serving(settings) as (services, port):
        house = await open_house(services.database)
        await house.client.aclose()
        host = house.client.base_url.host.replace("hub.test", "localhost")
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers={"Host": host}) as client:
            house = replace(house, client=client)
            await furnish(house)
            yield house
