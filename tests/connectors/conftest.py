from collections.abc import AsyncIterator

import httpx
import pytest

from connectors.transport import open_client


@pytest.fixture(scope="session")
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with open_client(allow_private=True) as client:
        yield client
