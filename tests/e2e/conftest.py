"""A hub of separate processes around this module's own database."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.e2e.processes import PASSWORD, Hub, ended, eventually, free_port, ran, started


@pytest.fixture(scope="module")
async def hub(database_url: str, redis_url: str) -> AsyncIterator[Hub]:
    environment = {"DATABASE_URL": database_url, "REDIS_URL": redis_url, "HUB_SECRET_KEY": "e2e " * 16}
    port, shop_port = free_port(), free_port()
    await ran("tenant", "add", "acme", "--name", "Acme", "--admin-password", PASSWORD, environment=environment)
    shop, api, worker = await asyncio.gather(
        started("sandbox", "gomag", "--port", str(shop_port), "--order-every", "0", environment=environment),
        started("serve", "--port", str(port), "--no-migrations", environment=environment),
        started("worker", "--no-migrations", environment=environment),
    )
    headers = {"Host": "acme.localhost", "Authorization": f"Bearer admin:{PASSWORD}"}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=30) as http:
        hub = Hub(environment, port, shop_port, worker, http)
        for path, client_port in (("/readyz", port), ("/_sandbox/state", shop_port)):
            await eventually(lambda p=path, c=client_port: _status(c, p), lambda status: status == 200, path)
        yield hub
        assert await ended(hub.worker) == 0
        assert await ended(api) == 0
        assert await ended(shop) == 0


async def _status(port: int, path: str) -> int:
    try:
        async with httpx.AsyncClient() as client:
            return (await client.get(f"http://127.0.0.1:{port}{path}")).status_code
    except httpx.HTTPError:
        return 0
