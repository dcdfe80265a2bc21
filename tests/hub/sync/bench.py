"""A tenant connected to a `FakeSystem`, and the engine without any queue: runs are worked on when a test says so."""

import asyncio
import json
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from hub.context import Scope
from hub.crypto import Vault
from hub.db import Database
from hub.ports import HttpAnswer, HttpRequest, Limit
from hub.services.stock import Movement, apply
from hub.sync import runs
from hub.sync.engine import Pace, work_on
from hub.sync.outside import Outside
from tests.hub.sync.vendor import CODE, FakeSystem
from tests.hub.sync.worlds import World, new_world

QUICK = Pace(
    slice=timedelta(seconds=20),
    fetch=timedelta(seconds=10),
    lease=timedelta(seconds=2),
    heartbeat=timedelta(seconds=0.2),
)
MAPPINGS = {
    "outboundTakeoverStatusId": "new, paid",
    "outboundCompletedStatusId": "shipped",
    "outboundReturnedStatusId": "back",
    "returnCompletedStatusId": "refunded",
    "inboundTakeoverStatusId": "announced",
    "inboundCompletedStatusId": "received",
}
OPTIONS = {"syncOrders": True, "syncNirs": True, "sendStocks": True}


class NoNetwork:
    """The sender of a system that lives in the same process."""

    async def send(self, request: HttpRequest) -> HttpAnswer:
        raise AssertionError(f"nobody calls {request.url}")


class NoLimit:
    async def take(self, limit: Limit) -> None: ...

    async def correct(self, limit: Limit, *, remaining: float | None, per_second: float | None) -> None: ...


def outside_of(database: Database, system: FakeSystem) -> Outside:
    return Outside(
        database=database,
        registry={CODE: system.connector()},
        vault=Vault("a key for tests, long enough to be one"),
        open_sender=lambda connector, config, *, budget, on_exchange: NoNetwork(),
        open_budget=lambda tenant_id, code: NoLimit(),
    )


@dataclass(slots=True)
class Bench:
    """What most tests of the synchronisation begin with."""

    world: World
    system: FakeSystem
    outside: Outside
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    pace: Pace = QUICK

    @property
    def scope(self) -> Scope:
        return self.world.scope

    @property
    def database(self) -> Database:
        return self.world.database

    async def start(self, *streams: str, trigger: str = "MANUAL") -> list[int]:
        return await self.database.write(
            self.scope,
            lambda work: runs.start(
                work, registry=self.outside.registry, streams=list(streams) or None, trigger=trigger
            ),
        )

    async def slice(self, run_id: int, **pace: Any) -> None:
        """Work on the next slice of a run."""
        number = await self.world.value("SELECT slice FROM sync_runs WHERE id = :id", id=run_id)
        await work_on(
            self.outside,
            tenant_id=self.world.tenant_id,
            run_id=run_id,
            slice=number,
            stopping=self.stopping,
            pace=replace(self.pace, **pace),
        )

    async def sync(self, *streams: str) -> dict[str, Any]:
        """Run streams to their ends, in order; the last run as it stands then."""
        run: dict[str, Any] = {}
        for stream in streams:
            (run_id,) = await self.start(stream)
            for _ in range(50):
                await self.slice(run_id)
                run = await self.run(run_id)
                if run["state"] not in ("QUEUED", "RUNNING") or run["not_before"] is not None:
                    break
        return run

    async def resync(self) -> None:
        """Read everything again, to the end."""
        ids = await self.database.write(self.scope, lambda work: runs.resync(work, registry=self.outside.registry))
        for run_id in ids:
            await self.slice(run_id)

    async def remap(self, **mappings: str) -> None:
        await self.world.run(
            "UPDATE integrations SET mappings = mappings || cast(:new AS jsonb)", new=json.dumps(mappings)
        )

    async def run(self, run_id: int) -> dict[str, Any]:
        (row,) = await self.world.rows("SELECT * FROM sync_runs WHERE id = :id", id=run_id)
        return row

    async def add_stock(self, product_id: int, quantity: int, *, location_id: int = 2) -> None:
        """Book goods in, or out with a negative quantity."""
        movement = Movement(
            product_id=product_id,
            location_id=location_id,
            quantity=Decimal(quantity),
            document_kind="nir",
            document_id=1,
        )
        await self.database.write(self.scope, lambda work: apply(work, [movement]))


async def new_bench(database: Database, **columns: Any) -> Bench:
    world = await new_world(database)
    system = FakeSystem()
    settings = {"options": OPTIONS, "mappings": MAPPINGS} | columns
    await world.connect(CODE, **settings)
    return Bench(world, system, outside_of(database, system))
