"""A worker brings everything about by itself, and nothing that happens to Redis or to itself loses a record."""

import asyncio
from pathlib import Path

from redis.asyncio import Redis

from hub.errors import Retryable
from hub.services import order_moves, supply
from tests.hub.sync.bench import Bench
from tests.hub.sync.test_engine import raising
from tests.hub.test_bell import OwnValkey
from tests.workers.conftest import Crew, crew_at, eventually


def fill(bench: Bench, products: int = 5, orders: int = 5) -> None:
    for number in range(products):
        bench.system.product(f"{number:03}")
    for number in range(orders):
        bench.system.order(f"{number:03}", (f"{number % products:03}", 1))


async def taken(bench: Bench) -> tuple[int, int]:
    count = "SELECT (SELECT count(*) FROM products) AS products, (SELECT count(*) FROM orders) AS orders"
    (row,) = await bench.world.rows(count)
    return row["products"], row["orders"]


async def open_runs(bench: Bench) -> int:
    count: int = await bench.world.value("SELECT count(*) FROM sync_runs WHERE state IN ('QUEUED', 'RUNNING')")
    return count


async def test_an_active_connection_is_synchronised_without_anybody_asking(bench: Bench, crew: Crew) -> None:
    fill(bench)

    await crew.hire(bench)

    await eventually(lambda: taken(bench), (5, 5))
    await eventually(lambda: open_runs(bench), 0)
    states = await bench.world.rows("SELECT DISTINCT state, trigger FROM sync_runs")
    assert states == [{"state": "SUCCEEDED", "trigger": "SCHEDULE"}]
    assert await bench.world.value("SELECT count(*) FROM sync_exceptions") == 0
    await eventually(lambda: bench.world.value("SELECT count(*) FROM events WHERE position IS NULL"), 0)


async def test_what_is_picked_is_told_without_anybody_asking(bench: Bench, crew: Crew) -> None:
    fill(bench, 1, 1)
    await crew.hire(bench)
    await eventually(lambda: taken(bench), (1, 1))
    product_id, order_id = (
        await bench.world.value("SELECT id FROM products"),
        await bench.world.value("SELECT id FROM orders"),
    )
    await bench.add_stock(product_id, 3)

    async def serve_and_pick() -> None:

        await bench.database.write(bench.scope, lambda work: supply.recheck(work))
        await bench.database.write(
            bench.scope, lambda work: order_moves.change_status(work, order_id=order_id, status=3)
        )

    await serve_and_pick()

    await eventually(lambda: _value(bench.system.statuses.get("000")), "shipped")


async def _value(value: object) -> object:
    return value


async def test_emptying_redis_in_the_middle_loses_nothing(bench: Bench, crew: Crew, redis: "Redis") -> None:
    bench.system.page_size = 5
    fill(bench, 25, 25)
    bench.system.traps["products"] = [lambda: asyncio.sleep(0.2) for _ in range(6)]
    await crew.hire(bench)

    for _ in range(8):
        await asyncio.sleep(0.25)
        await redis.flushall()

    await eventually(lambda: taken(bench), (25, 25))


async def test_an_outage_of_redis_interrupts_nothing_for_long(bench: Bench, database_url: str, tmp_path: Path) -> None:
    valkey = OwnValkey(tmp_path / "own.sock")
    valkey.start()
    try:
        async with crew_at(database_url, valkey.url) as crew:
            bench.system.page_size = 5
            fill(bench, 20, 20)
            bench.system.traps["products"] = [lambda: asyncio.sleep(0.3) for _ in range(5)]
            worker = await crew.hire(bench)
            await eventually(lambda: _value(bool(bench.system.reads)), True)

            valkey.stop()
            await asyncio.sleep(5)
            during = await bench.world.value("SELECT count(*) FROM products")
            valkey.start()

            await eventually(lambda: taken(bench), (20, 20))
            assert during == 20  # the page under way, and those after it, need no queue
            assert not worker.done()
    finally:
        valkey.stop()


async def test_workers_that_compete_do_the_work_once(bench: Bench, crew: Crew) -> None:
    fill(bench, 20, 20)
    for _ in range(3):
        await crew.hire(bench)

    await eventually(lambda: taken(bench), (20, 20))
    await eventually(lambda: open_runs(bench), 0)

    afters = [after for stream, after in bench.system.reads if stream == "products"]
    assert afters == sorted(set(afters))
    assert await bench.world.value("SELECT count(*) FROM sync_runs WHERE stream = 'products'") == 1


async def test_a_vendor_in_trouble_is_asked_again_until_it_answers(bench: Bench, crew: Crew) -> None:
    fill(bench, 4, 0)
    bench.system.traps["products"] = [None, raising(Retryable("half a page"))]

    await crew.hire(bench)

    await eventually(lambda: taken(bench), (4, 0))
    assert await bench.world.value("SELECT count(*) FROM events WHERE kind = 'run_waits'") == 1


async def test_a_worker_that_shall_end_finishes_its_page_and_gives_its_lease_back(bench: Bench, crew: Crew) -> None:
    fill(bench, 6, 0)
    waiting = asyncio.Event()

    async def hang() -> None:
        waiting.set()
        await asyncio.sleep(60)

    bench.system.traps["products"] = [None, None, lambda: hang()]
    worker = await crew.hire(bench)
    await waiting.wait()

    crew.stops[0].set()
    await asyncio.wait_for(worker, 10)

    (run,) = await bench.world.rows("SELECT state, lease_owner, created FROM sync_runs WHERE stream = 'products'")
    assert run == {"state": "RUNNING", "lease_owner": None, "created": 4}
    await crew.hire(bench)
    await eventually(lambda: taken(bench), (6, 0))
