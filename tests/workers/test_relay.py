"""Jobs are made of what the database says may be worked on: fairly, in order, and again when the queue forgot them."""

from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from sqlalchemy import text

from hub.db import Database
from hub.sync import inbox
from tests.hub.sync.bench import Bench, new_bench
from tests.hub.sync.vendor import CODE
from workers.relay import Relay


@dataclass(slots=True)
class Queue:
    """Remembers what was put; `stuck` jobs are taken but never ended."""

    jobs: list[tuple[str, tuple[int | str, ...]]] = field(default_factory=list)
    stuck: bool = False

    async def put(self, job: str, *args: int | str, job_id: str, delay: timedelta | None = None) -> bool:
        if self.stuck:
            return False
        self.jobs.append((job, args))
        return True

    async def is_begun(self, job_id: str) -> bool:
        return self.stuck


@pytest.fixture
def queue() -> Queue:
    return Queue()


async def round_of(bench: Bench, queue: Queue) -> list[tuple[int, int]]:
    """(tenant, run) of the jobs that a fresh relay puts for these tenants."""
    await Relay(bench.database, queue).round()
    return [(int(args[0]), int(args[1])) for job, args in queue.jobs if job == "work_on_run"]


async def only(*benches: Bench) -> None:
    """Nothing is open but what these tenants open from now on."""
    async with benches[0].database.system_work() as session:
        await session.execute(text("UPDATE sync_runs SET state = 'CANCELED' WHERE state IN ('QUEUED', 'RUNNING')"))


async def test_the_first_run_of_each_tenant_comes_before_the_second_of_any(database: Database, queue: Queue) -> None:
    busy, idle = await new_bench(database), await new_bench(database)
    await only(busy, idle)
    for stream in ("products", "order_statuses", "nir_statuses"):
        await busy.start(stream)
    await idle.start("products")

    jobs = await round_of(busy, queue)

    assert [tenant for tenant, _ in jobs[:2]] == [busy.world.tenant_id, idle.world.tenant_id]
    assert len(jobs) == 4


async def test_documents_wait_for_the_first_products_but_not_for_ever(database: Database, queue: Queue) -> None:
    bench = await new_bench(database)
    await only(bench)
    ids = await bench.start("products", "orders")
    first = await round_of(bench, queue)
    await bench.world.run("UPDATE sync_runs SET not_before = now() + interval '1 hour' WHERE stream = 'products'")

    queue.jobs.clear()
    later = await round_of(bench, queue)

    assert [run for _, run in first] == ids[:1]
    assert [run for _, run in later] == ids[1:]


async def test_a_run_somebody_works_on_is_left_alone(database: Database, queue: Queue) -> None:
    bench = await new_bench(database)
    await only(bench)
    await bench.start("products")
    await bench.world.run("UPDATE sync_runs SET state = 'RUNNING', lease_until = now() + interval '1 minute'")

    assert await round_of(bench, queue) == []


async def test_a_job_is_not_put_at_every_look(database: Database, queue: Queue) -> None:
    bench = await new_bench(database)
    await only(bench)
    await bench.start("products")
    one = Relay(database, queue)

    for _ in range(3):
        await one.round()

    assert len(queue.jobs) == 1


async def test_a_run_whose_job_died_before_the_lease_gets_a_new_slice(database: Database, queue: Queue) -> None:
    bench = await new_bench(database)
    await only(bench)
    (run_id,) = await bench.start("products")
    queue.stuck = True
    one = Relay(database, queue, repeat=0.0, stuck=0.0)

    await one.round()
    await one.round()

    assert (await bench.run(run_id))["slice"] >= 1


async def test_messages_are_put_when_their_time_has_come(database: Database, queue: Queue) -> None:
    bench = await new_bench(database)
    await only(bench)
    for key in "12":
        await bench.database.write(
            bench.scope, lambda work, k=key: inbox.receive(work, code=CODE, topic="orders", key=k)
        )
    await bench.world.run("UPDATE inbox SET available_at = now() + interval '1 hour' WHERE key = '2'")

    await Relay(database, queue).round()

    messages = [args for job, args in queue.jobs if job == "work_on_message"]
    assert messages == [(bench.world.tenant_id, 1)]
