"""The demo of `hub up`: sandboxes in this process, tenants connected to them, goods for the first orders."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from connectors.registry import REGISTRY
from connectors.sandbox.app import Running, running
from hub import demo
from hub.bell import RedisBell
from hub.cli.listening import check_free
from hub.crypto import Vault
from hub.db import Database
from hub.demo import DemoConnection
from hub.errors import HubError
from hub.settings import Settings

log = logging.getLogger(__name__)

SANDBOXES = {"gomag": "demo"}
"""Vendor → the tenant that works with its sandbox."""
OPTIONS = ("syncOrders", "syncNirs", "sendStocks")
LEFT_OUT = ("outboundPickingStatusId",)
"""Nobody works in the sandbox's own back office, so orders may be picked at once."""
ORDER_EVERY = 20.0
LOOK_AGAIN = 1.0


@asynccontextmanager
async def sandboxes(data: Path, first_port: int) -> AsyncIterator[dict[str, Running]]:
    """The sandboxes of the demo by vendor, on `first_port` and following where those are free."""
    folder = data / "sandboxes"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    async with AsyncExitStack() as open_things:
        yield {
            vendor: await open_things.enter_async_context(
                running(
                    vendor,
                    port=_free(first_port + place),
                    order_every=ORDER_EVERY,
                    state=folder / f"{vendor}.json",
                )
            )
            for place, vendor in enumerate(SANDBOXES)
        }


async def furnish(settings: Settings, found: dict[str, Running]) -> list[DemoConnection]:
    """Make what the demo shows, as far as it is missing; the connections that still want goods."""
    connections = [_connection(vendor, sandbox) for vendor, sandbox in found.items()]
    database = await Database(settings.database_url, pool_size=2, pgbouncer=settings.pgbouncer).open()
    try:
        await demo.make_people(database)
        for connection in connections:
            await demo.connect(database, connection, registry=REGISTRY, vault=Vault(settings.secret_key))
    finally:
        await database.close()
    return connections


async def animate(settings: Settings, connection: DemoConnection) -> None:
    """Until cancelled: receive the first goods once there are products, then take in the sandbox's orders as they come.

    Trouble is told and tried again.
    """
    bell = await RedisBell(settings.redis_url).open()
    database = await Database(settings.database_url, pool_size=2, pgbouncer=settings.pgbouncer, bell=bell).open()
    try:
        stocked = False
        while True:
            await asyncio.sleep(ORDER_EVERY if stocked else LOOK_AGAIN)
            try:
                stocked = stocked or await demo.stock_up(database, connection, registry=REGISTRY)
                if stocked:
                    await demo.poll(database, connection, registry=REGISTRY)
            except HubError as error:
                log.warning("the demo of %s has to wait: %s", connection.code, error)
    finally:
        await database.close()
        await bell.close()


def _connection(vendor: str, found: Running) -> DemoConnection:
    connector = REGISTRY[vendor.upper()]
    mappings = {name: status for name, status in found.sandbox.mappings.items() if name not in LEFT_OUT}
    return DemoConnection(
        tenant=SANDBOXES[vendor],
        code=connector.code,
        fields=found.sandbox.settings(found.url),
        mappings=mappings,
        options={option: True for option in OPTIONS if option in connector.options},
    )


def _free(port: int) -> int:
    """This port, or 0 for any when somebody has it."""
    try:
        check_free("127.0.0.1", port)
    except HubError:
        return 0
    return port
