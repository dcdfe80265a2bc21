"""A worker that is killed at any moment leaves the same end as one that is not: everything once, nothing half done.

GoMag's sandbox over HTTP, the real connector, a real process and a real SIGKILL.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest

from connectors.registry import REGISTRY
from connectors.sandbox.app import Running, running
from connectors.sandbox.faults import Fault
from hub.crypto import Vault
from hub.db import Database
from hub.services import integrations, order_moves, supply
from hub.services.stock import Movement, apply
from hub.sync import outbound_stock
from tests.hub.sync.worlds import World, new_world
from tests.workers.conftest import SECRET, eventually
from tests.workers.process import WorkerProcess, worker_process

CODE = "GOMAG"


@dataclass(slots=True)
class Scene:
    """A tenant connected to a sandbox, and a worker process."""

    world: World
    shop: Running
    worker: WorkerProcess

    async def calls(self, path: str) -> int:
        return sum(path in call["path"] for call in self.shop.book.calls)

    async def called(self, path: str, times: int) -> None:
        async def enough() -> bool:
            return await self.calls(path) >= times

        await eventually(enough, True)

    def slow(self, path: str, times: int = 100, seconds: float = 0.5) -> None:
        self.shop.book.pending.append(Fault(path=path, kind="slow", times=times, seconds=seconds))

    async def taken(self) -> tuple[int, int]:
        count = "SELECT (SELECT count(*) FROM products) AS products, (SELECT count(*) FROM orders) AS orders"
        (row,) = await self.world.rows(count)
        return row["products"], row["orders"]

    @property
    def expected(self) -> tuple[int, int]:
        """Everything that is sold, and the orders that are to be taken over."""
        sandbox: Any = self.shop.sandbox
        waiting = [order for order in sandbox.shop.orders if order.status_id == "1"]
        return len(list(sandbox.shop.units())), len(waiting)

    async def stock_everything(self, quantity: int) -> None:
        ids = [row["id"] for row in await self.world.rows("SELECT id FROM products ORDER BY id")]
        movements = [
            Movement(product_id=id_, location_id=2, quantity=Decimal(quantity), document_kind="nir", document_id=1)
            for id_ in ids
        ]
        await self.world.database.write(self.world.scope, lambda work: apply(work, movements))

    async def confirm_stock(self) -> None:
        await self.world.database.write(self.world.scope, lambda work: outbound_stock.confirm(work, registry=REGISTRY))


@pytest.fixture
async def scene(database: Database, database_url: str, redis_url: str) -> AsyncIterator[Scene]:
    world, vault = await new_world(database), Vault(SECRET)
    async with (
        running("gomag", order_every=0, seed=7, products=150, orders=120, rate=1000, burst=1000) as shop,
        worker_process(database_url, redis_url, SECRET) as worker,
    ):
        named: dict[str, Any] = {"code": CODE, "registry": REGISTRY, "vault": vault}
        async with database.unit_of_work(world.scope) as work:
            await integrations.save(
                work,
                **named,
                fields=shop.sandbox.settings(shop.url),
                options={"syncOrders": True, "sendStocks": True},
                mappings=shop.sandbox.mappings,
            )
        yield Scene(world, shop, worker)
        await world.run("UPDATE integrations SET active = false")


async def activate(scene: Scene) -> None:
    async with scene.world.database.unit_of_work(scene.world.scope) as work:
        await integrations.activate(work, code=CODE, registry=REGISTRY, vault=Vault(SECRET))


async def test_a_worker_killed_while_it_reads_takes_everything_in_once(scene: Scene) -> None:
    scene.slow("product/read")
    scene.slow("order/read")
    await activate(scene)

    for path in ("product/read", "order/read"):
        await scene.called(path, 1)
        await asyncio.sleep(0.6)  # an answer is under way, or a page is being stored
        await scene.worker.kill()
        await scene.worker.start()
    scene.shop.book.pending.clear()

    await eventually(scene.taken, scene.expected)
    doubled = "SELECT count(*) - count(DISTINCT record_id) FROM external_references WHERE stream = 'orders'"
    assert await scene.world.value(doubled) == 0
    assert await scene.world.value("SELECT count(*) FROM sync_exceptions WHERE state = 'OPEN'") == 0


async def test_a_worker_killed_while_it_sends_leaves_the_shop_with_the_right_stock(scene: Scene) -> None:
    await activate(scene)
    await eventually(scene.taken, scene.expected)
    await scene.stock_everything(40)
    scene.slow("product/inventory")

    await scene.confirm_stock()
    await scene.called("product/inventory", 1)
    await scene.worker.kill()
    await scene.worker.start()

    async def waiting() -> int:
        left: int = await scene.world.value("SELECT count(*) FROM outbox WHERE state IN ('WAITING', 'SENDING')")
        return left

    await eventually(waiting, 0)
    free = {
        row["sku"]: row["free"]
        for row in await scene.world.rows(
            "SELECT p.sku, sum(i.quantity - i.reserved) AS free FROM products p JOIN stock_items i "
            "ON i.tenant_id = p.tenant_id AND i.product_id = p.id GROUP BY p.sku"
        )
    }
    sandbox: Any = scene.shop.sandbox
    assert {unit.sku: unit.stock for _, unit in sandbox.shop.units()} == free


async def test_a_status_is_written_once_though_its_answer_is_lost(scene: Scene) -> None:
    await activate(scene)
    await eventually(scene.taken, scene.expected)
    await scene.stock_everything(40)
    database, scope = scene.world.database, scene.world.scope
    await database.write(scope, supply.recheck)
    (order,) = await scene.world.rows("SELECT id, third_party_reference AS key FROM orders WHERE status = 2 LIMIT 1")
    await database.write(scope, lambda work: order_moves.release_for_picking(work, order_ids=[order["id"]]))
    scene.shop.book.pending.append(Fault(path="order/status/json", kind="cut"))

    await database.write(scope, lambda work: order_moves.change_status(work, order_id=order["id"], status=3))

    async def told() -> str:
        sandbox: Any = scene.shop.sandbox
        return str(sandbox.shop.order(int(order["key"])).status_id)

    await eventually(told, "9")
    await eventually(
        lambda: scene.world.value("SELECT count(*) FROM outbox WHERE state <> 'SENT' AND stream <> 'stock'"), 0
    )
    attempts = await scene.world.rows("SELECT status, outcome FROM delivery_attempts ORDER BY id")
    assert attempts[0]["outcome"] == "NO_ANSWER"


async def test_a_worker_asked_to_stop_ends_in_time_and_leaves_no_lease(scene: Scene) -> None:
    scene.slow("product/read", seconds=3)
    await activate(scene)
    await scene.called("product/read", 1)

    code = await scene.worker.stop()

    (run,) = await scene.world.rows("SELECT state, lease_owner FROM sync_runs WHERE stream = 'products'")
    assert code == 0
    assert run == {"state": "RUNNING", "lease_owner": None}


TROUBLES = (
    Fault(path="product/read", kind="garbage"),
    Fault(path="product/read", kind="cut", skip=1),
    Fault(path="product/read", kind="status", status=429, headers={"Retry-After": "1"}),
    Fault(path="order/read", kind="status", status=500),
    Fault(path="order/read", kind="malformed", skip=1),
)


async def test_a_vendor_in_all_kinds_of_trouble_is_read_to_the_end(scene: Scene) -> None:
    scene.shop.book.pending += [replace(fault) for fault in TROUBLES]

    await activate(scene)

    async def taken_or_parked() -> tuple[int, int]:
        products, orders = await scene.taken()
        parked = await scene.world.value("SELECT count(*) FROM sync_exceptions WHERE state = 'OPEN'")
        return products, orders + int(parked)

    await eventually(taken_or_parked, scene.expected)
    assert scene.shop.book.pending == []
    waits = await scene.world.rows("SELECT data->>'message' AS message FROM events WHERE kind = 'run_waits'")
    assert len(waits) >= 4
    assert await scene.world.value("SELECT stopped_reason FROM integrations") is None
