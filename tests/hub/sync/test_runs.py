"""One open run per stream; refused by name; cancelled, ended and begun again as asked."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from hub.context import Grant, Level, Scope
from hub.errors import Conflict, NotAllowed, NotFound
from hub.sync import runs
from tests.hub.sync.bench import OPTIONS, Bench, new_bench
from tests.hub.sync.vendor import CODE

STATES = "SELECT stream, state FROM sync_runs ORDER BY id"


async def test_nomenclatures_are_started_before_the_documents_that_name_them(bench: Bench) -> None:
    await bench.start()

    streams = [row["stream"] for row in await bench.world.rows(STATES)]
    assert streams == ["products", "orders", "nirs", "order_statuses", "nir_statuses"]


async def test_a_stream_that_has_an_open_run_keeps_it(bench: Bench) -> None:
    started = await asyncio.gather(*(bench.start("orders") for _ in range(4)))

    assert len({run_id for (run_id,) in started}) == 1
    assert await bench.world.value("SELECT count(*) FROM sync_runs") == 1


async def test_a_stream_whose_option_is_off_is_refused_by_name(bench: Bench) -> None:
    await bench.world.run("UPDATE integrations SET options = '{\"syncOrders\": true}'")

    with pytest.raises(Conflict, match=r"nirs.*syncNirs"):
        await bench.start("nirs")


async def test_an_unknown_stream_is_refused_by_name(bench: Bench) -> None:
    with pytest.raises(NotFound, match="teapots"):
        await bench.start("teapots")


async def test_nothing_starts_without_an_active_connection(bench: Bench) -> None:
    await bench.world.run("UPDATE integrations SET active = false")

    with pytest.raises(Conflict, match="no active integration"):
        await bench.start()


async def test_a_stopped_connection_says_why_it_does_not_start(bench: Bench) -> None:
    await bench.world.run("UPDATE integrations SET stopped_reason = 'the key was refused'")

    with pytest.raises(Conflict, match="the key was refused"):
        await bench.start()


async def test_stock_nobody_confirmed_is_not_started(bench: Bench) -> None:
    with pytest.raises(Conflict, match="confirmation"):
        await bench.start("stock")


@pytest.mark.parametrize(("level", "allowed"), [(Level.USER, False), (Level.ADMINISTRATOR, True)])
async def test_administrators_start_and_cancel(bench: Bench, level: Level, allowed: bool) -> None:
    scope = Scope({bench.world.tenant_id: Grant(level)})

    async def start_and_cancel() -> None:
        registry = bench.outside.registry
        (run_id,) = await bench.database.write(
            scope, lambda work: runs.start(work, registry=registry, streams=["orders"])
        )
        await bench.database.write(scope, lambda work: runs.cancel(work, run_id=run_id, registry=registry))

    if allowed:
        await start_and_cancel()
        assert await bench.world.value("SELECT state FROM sync_runs") == "CANCELED"
    else:
        with pytest.raises(NotAllowed):
            await start_and_cancel()


async def test_a_full_resynchronisation_is_one_at_a_time_and_begins_running_streams_again(bench: Bench) -> None:
    for key in "123":
        bench.system.product(key)
    (run_id,) = await bench.start("products")
    await bench.slice(run_id, slice_pages=1)
    registry = bench.outside.registry

    first = await bench.database.write(bench.scope, lambda work: runs.resync(work, registry=registry))
    second = await bench.database.write(bench.scope, lambda work: runs.resync(work, registry=registry))

    assert first == second
    assert run_id in first
    run = await bench.run(run_id)
    assert (run["trigger"], run["checkpoint"]) == ("RESYNC", {})


async def test_a_second_resynchronisation_waits_for_the_end_of_the_first(bench: Bench) -> None:
    registry = bench.outside.registry
    first = await bench.database.write(bench.scope, lambda work: runs.resync(work, registry=registry))
    await bench.slice(first[0])

    second = await bench.database.write(bench.scope, lambda work: runs.resync(work, registry=registry))

    assert (await bench.run(first[0]))["state"] == "SUCCEEDED"
    assert second == first[1:]


async def test_a_resynchronisation_reads_from_the_beginning_and_moves_the_stream_at_its_end(bench: Bench) -> None:
    for key in "123":
        bench.system.product(key)
    await bench.sync("products")
    bench.system.reads.clear()

    await bench.resync()

    assert bench.system.reads[0] == ("products", 0)
    assert await bench.world.value("SELECT checkpoint FROM sync_streams WHERE stream = 'products'") == {"after": 3}
    assert await bench.world.value("SELECT count(*) FROM products") == 3


async def test_the_date_of_the_last_synchronisation_moves_only_without_an_error(bench: Bench) -> None:
    bench.system.product("1", name=None)
    await bench.sync("products")
    moved = await bench.world.value("SELECT last_sync_at FROM integrations")

    def refuse() -> None:
        raise Conflict("the system is inconsistent")

    bench.system.traps["products"] = [refuse]
    failed = await bench.sync("products")

    assert moved is not None
    assert failed["state"] == "FAILED"
    assert await bench.world.value("SELECT last_sync_at FROM integrations") == moved


async def test_a_failing_stream_is_due_later_each_time(bench: Bench) -> None:
    def refuse() -> None:
        raise Conflict("no")

    waits = []
    for _ in range(3):
        bench.system.traps["products"] = [refuse]
        await bench.sync("products")
        due = await bench.world.value("SELECT due_at FROM sync_streams WHERE stream = 'products'")
        waits.append(due - datetime.now(UTC))

    assert timedelta(minutes=9) < waits[0] < waits[1] < waits[2] <= timedelta(hours=1)


async def test_a_run_whose_lease_has_passed_is_not_shown_as_running(bench: Bench) -> None:
    (run_id,) = await bench.start("products")
    shown = f"SELECT {runs.SHOWN_STATE} AS state FROM sync_runs WHERE id = :id"

    await bench.world.run("UPDATE sync_runs SET state = 'RUNNING', lease_until = now() + interval '1 minute'")
    held = await bench.world.value(shown, id=run_id)
    await bench.world.run("UPDATE sync_runs SET lease_until = now() - interval '1 second'")

    assert (held, await bench.world.value(shown, id=run_id)) == ("RUNNING", "QUEUED")


async def test_every_step_of_a_run_is_an_event(bench: Bench) -> None:
    bench.system.product("1")
    bench.system.product("2", name=None)

    await bench.sync("products")

    rows = await bench.world.rows("SELECT kind, data FROM events WHERE topic = 'sync' ORDER BY occurred_at, id")
    kinds = [row["kind"] for row in rows]
    assert kinds == ["run_queued", "run_started", "record_parked", "page_done", "page_done", "run_finished"]
    assert (rows[-1]["data"]["created"], rows[-1]["data"]["parked"]) == (1, 1)


async def test_the_only_run_of_another_tenant_is_not_ours_to_cancel(bench: Bench) -> None:
    other = await new_bench(bench.database, options=OPTIONS)
    (run_id,) = await other.start("orders")

    with pytest.raises(NotFound):
        await bench.database.write(
            bench.scope, lambda work: runs.cancel(work, run_id=run_id, registry=bench.outside.registry)
        )

    async with bench.database.system_work() as session:
        states = await session.execute(text("SELECT state FROM sync_runs WHERE code = :c"), {"c": CODE})
        assert "QUEUED" in states.scalars().all()


async def test_starting_by_hand_ends_the_wait_for_the_next_try(bench: Bench) -> None:
    (run_id,) = await bench.start("products")
    await bench.world.run("UPDATE sync_runs SET not_before = now() + interval '1 hour'")

    again = await bench.start("products")

    assert again == [run_id]
    assert (await bench.run(run_id))["not_before"] is None
