"""Whatever happens in the middle, every record ends up taken in once, and the run says what is going on."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from hub.errors import NeedsAttention, RateLimited, Retryable
from hub.sync import lease, runs
from tests.hub.sync.bench import Bench


def raising(error: Exception) -> Callable[[], Any]:
    def trap() -> Any:
        raise error

    return trap


async def products(bench: Bench, count: int) -> None:
    for number in range(count):
        bench.system.product(f"{number:03}")


async def codes(bench: Bench) -> list[str]:
    return [row["code"] for row in await bench.world.rows("SELECT code FROM products ORDER BY code")]


async def test_a_slice_stops_after_its_pages_and_the_next_goes_on_there(bench: Bench) -> None:
    await products(bench, 7)
    (run_id,) = await bench.start("products")

    await bench.slice(run_id, slice_pages=2)
    between = await bench.run(run_id)
    await bench.slice(run_id)
    after = await bench.run(run_id)

    assert (between["state"], between["slice"], between["checkpoint"], between["lease_owner"]) == (
        "RUNNING",
        1,
        {"after": 4},
        None,
    )
    assert (after["state"], after["fetched"], after["created"]) == ("SUCCEEDED", 7, 7)
    assert [after_ for _, after_ in bench.system.reads] == [0, 2, 4, 6]


async def test_a_worker_that_dies_in_mid_page_leaves_nothing_half_done(bench: Bench) -> None:
    await products(bench, 6)
    (run_id,) = await bench.start("products")
    died = asyncio.Event()

    async def hang() -> None:
        died.set()
        await asyncio.Event().wait()

    bench.system.traps["products"] = [None, lambda: hang()]
    first = asyncio.create_task(bench.slice(run_id))
    await died.wait()
    await vanish(first, bench, run_id)

    await bench.slice(run_id)

    run = await bench.run(run_id)
    assert (run["state"], run["created"]) == ("SUCCEEDED", 6)
    assert await codes(bench) == [f"SKU-{number:03}" for number in range(6)]


async def vanish(task: "asyncio.Task[None]", bench: Bench, run_id: int) -> None:
    """What a kill leaves behind: the lease is still written down, its time passes, the sweeper frees the run."""
    held = await bench.run(run_id)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await bench.world.run(
        "UPDATE sync_runs SET lease_owner = :owner, slice = :slice, lease_until = now() - interval '1 second' "
        "WHERE id = :id",
        owner=held["lease_owner"],
        slice=held["slice"],
        id=run_id,
    )
    assert await bench.database.write(bench.scope, lambda work: lease.give_back(work, run_id))


async def test_a_page_of_a_worker_that_lost_its_lease_is_rolled_back(bench: Bench) -> None:
    await products(bench, 2)
    (run_id,) = await bench.start("products")

    async def steal() -> None:
        await bench.world.run("UPDATE sync_runs SET slice = slice + 1, lease_owner = 'another' WHERE id = :i", i=run_id)

    bench.system.traps["products"] = [lambda: steal()]
    await bench.slice(run_id)

    run = await bench.run(run_id)
    assert (run["lease_owner"], run["state"], run["fetched"]) == ("another", "RUNNING", 0)
    assert await codes(bench) == []


async def test_two_workers_at_one_slice_do_the_work_once(bench: Bench) -> None:
    await products(bench, 9)
    (run_id,) = await bench.start("products")

    await asyncio.gather(*(bench.slice(run_id) for _ in range(4)))

    run = await bench.run(run_id)
    assert (run["state"], run["fetched"], run["created"]) == ("SUCCEEDED", 9, 9)
    assert len(bench.system.reads) == 5


async def test_a_lease_is_kept_alive_while_the_vendor_takes_its_time(bench: Bench) -> None:
    await products(bench, 1)
    (run_id,) = await bench.start("products")
    bench.system.traps["products"] = [lambda: asyncio.sleep(1.2)]

    working = asyncio.create_task(bench.slice(run_id, lease=timedelta(seconds=0.6), heartbeat=timedelta(seconds=0.1)))
    await asyncio.sleep(0.9)
    taken = await bench.database.write(bench.scope, lambda work: lease.give_back(work, run_id))
    await working

    assert not taken
    assert (await bench.run(run_id))["state"] == "SUCCEEDED"


@pytest.mark.parametrize("error", [Retryable("no answer"), RateLimited("slow down"), Retryable("not JSON")])
async def test_a_passing_trouble_puts_the_run_off_and_loses_nothing(bench: Bench, error: Exception) -> None:
    await products(bench, 5)
    bench.system.traps["products"] = [None, raising(error)]

    waiting = await bench.sync("products")
    await bench.world.run("UPDATE sync_runs SET not_before = NULL")
    await bench.slice(waiting["id"])

    assert (waiting["state"], waiting["attempts"], waiting["error_message"]) == ("RUNNING", 1, str(error))
    assert waiting["not_before"] is not None
    run = await bench.run(waiting["id"])
    assert (run["state"], run["attempts"], run["error_message"], run["created"]) == ("SUCCEEDED", 0, None, 5)


async def test_a_vendor_that_asks_for_a_pause_gets_it(bench: Bench) -> None:
    bench.system.traps["products"] = [raising(RateLimited("busy", retry_after=timedelta(minutes=3)))]

    await bench.sync("products")

    wait = await bench.world.value("SELECT not_before - now() FROM sync_runs")
    assert timedelta(minutes=2.9) < wait < timedelta(minutes=3.5)


async def test_a_vendor_that_never_answers_ends_the_run_after_some_attempts(bench: Bench) -> None:
    bench.system.traps["products"] = [raising(Retryable("no answer")) for _ in range(20)]
    (run_id,) = await bench.start("products")

    for _ in range(12):
        await bench.slice(run_id)
        await bench.world.run("UPDATE sync_runs SET not_before = NULL")

    run = await bench.run(run_id)
    assert (run["state"], run["error_code"]) == ("FAILED", "REMOTE_RETRYABLE")
    assert len(bench.system.traps["products"]) == 12


async def test_a_fetch_that_takes_too_long_is_dropped(bench: Bench) -> None:
    await products(bench, 1)
    bench.system.traps["products"] = [lambda: asyncio.sleep(30)]
    (run_id,) = await bench.start("products")

    await bench.slice(run_id, fetch=timedelta(seconds=0.2))

    run = await bench.run(run_id)
    assert "took longer" in run["error_message"]
    assert run["state"] == "RUNNING"


async def test_refused_credentials_stop_the_connection_with_a_readable_reason(bench: Bench) -> None:
    (other,) = await bench.start("orders")
    bench.system.traps["products"] = [raising(NeedsAttention("the key was refused", hint="enter it again"))]

    run = await bench.sync("products")

    assert (run["state"], run["error_code"]) == ("FAILED", "NEEDS_ATTENTION")
    assert await bench.world.value("SELECT stopped_reason FROM integrations") == "the key was refused (enter it again)"
    assert (await bench.run(other))["state"] == "CANCELED"
    events = await bench.world.rows("SELECT data FROM events WHERE kind = 'connection_stopped'")
    assert events[0]["data"]["message"] == "the key was refused (enter it again)"
    due = "SELECT bool_and(due_at <= now()) FROM sync_streams"
    assert await bench.world.value(due), "once it is mended, nothing waits any longer"


async def test_a_mistake_of_a_connector_fails_the_run_and_names_no_secret(bench: Bench) -> None:
    bench.system.traps["products"] = [raising(KeyError("apiKey=hunter2"))]

    run = await bench.sync("products")

    assert (run["state"], run["error_code"]) == ("FAILED", "INTERNAL")
    assert "hunter2" not in run["error_message"]


async def test_cancelling_takes_effect_between_pages(bench: Bench) -> None:
    await products(bench, 6)
    (run_id,) = await bench.start("products")

    async def cancel() -> None:
        await bench.database.write(
            bench.scope, lambda work: runs.cancel(work, run_id=run_id, registry=bench.outside.registry)
        )

    bench.system.traps["products"] = [None, lambda: cancel()]
    await bench.slice(run_id)

    run = await bench.run(run_id)
    assert (run["state"], run["created"]) == ("CANCELED", 4)
    assert await bench.world.value("SELECT checkpoint FROM sync_streams") == {"after": 4}


async def test_cancelling_drops_an_unanswered_fetch(bench: Bench) -> None:
    await products(bench, 2)
    (run_id,) = await bench.start("products")
    waiting = asyncio.Event()

    async def hang() -> None:
        waiting.set()
        await asyncio.sleep(60)

    bench.system.traps["products"] = [lambda: hang()]
    working = asyncio.create_task(bench.slice(run_id))
    await waiting.wait()
    await bench.database.write(
        bench.scope, lambda work: runs.cancel(work, run_id=run_id, registry=bench.outside.registry)
    )
    await asyncio.wait_for(working, 10)

    assert (await bench.run(run_id))["state"] == "CANCELED"


async def test_switching_the_connection_off_lets_the_page_finish_and_starts_no_further(bench: Bench) -> None:
    await products(bench, 6)
    (run_id,) = await bench.start("products")

    async def switch_off() -> None:
        await bench.world.run("UPDATE integrations SET active = false")

    bench.system.traps["products"] = [None, lambda: switch_off()]
    await bench.slice(run_id)

    run = await bench.run(run_id)
    assert (run["state"], run["created"]) == ("CANCELED", 4)


async def test_a_process_that_shall_end_gives_its_run_back_at_once(bench: Bench) -> None:
    await products(bench, 4)
    (run_id,) = await bench.start("products")
    waiting = asyncio.Event()

    async def hang() -> None:
        waiting.set()
        await asyncio.sleep(60)

    bench.system.traps["products"] = [None, lambda: hang()]
    working = asyncio.create_task(bench.slice(run_id))
    await waiting.wait()
    bench.stopping.set()
    await asyncio.wait_for(working, 10)
    given_back = await bench.run(run_id)
    bench.stopping.clear()
    await bench.slice(run_id)

    assert (given_back["state"], given_back["lease_owner"], given_back["slice"]) == ("RUNNING", None, 1)
    run = await bench.run(run_id)
    assert (run["state"], run["created"]) == ("SUCCEEDED", 4)


async def test_the_checkpoint_moves_over_an_empty_page(bench: Bench) -> None:
    await products(bench, 2)
    await bench.sync("products")

    run = await bench.sync("products")

    assert (run["state"], run["fetched"], run["pages"]) == ("SUCCEEDED", 0, 1)
    assert run["checkpoint"] == {"after": 2}


async def test_an_answer_that_is_not_cut_into_pages_is_stored_in_parts(bench: Bench) -> None:
    bench.system.page_size = 1000
    await products(bench, 450)

    run = await bench.sync("products")

    assert (run["state"], run["created"], run["pages"], run["fetched"]) == ("SUCCEEDED", 450, 1, 450)
    parts = await bench.world.value("SELECT count(*) FROM events WHERE kind = 'page_done'")
    assert parts == 3


async def test_overlapping_pages_meet_known_records_and_change_nothing(bench: Bench) -> None:
    await products(bench, 5)
    await bench.sync("products")
    await bench.world.run("UPDATE sync_streams SET checkpoint = '{\"after\": 1}'")

    run = await bench.sync("products")

    assert (run["fetched"], run["unchanged"], run["created"]) == (4, 4, 0)
    assert len(await codes(bench)) == 5


async def test_a_record_the_database_itself_refuses_does_not_stop_the_others(bench: Bench, database_url: str) -> None:
    owner = create_async_engine(database_url)
    async with owner.begin() as connection:
        await connection.execute(text("ALTER TABLE products ADD CONSTRAINT no_poison CHECK (name <> 'poison')"))
    await owner.dispose()
    bench.system.page_size = 10
    for key in "1234":
        bench.system.product(key, name="poison" if key == "3" else "harmless")

    run = await bench.sync("products")

    assert (run["state"], run["fetched"], run["created"], run["parked"]) == ("SUCCEEDED", 4, 3, 1)
    assert await bench.world.rows("SELECT external_key, state FROM sync_exceptions") == [
        {"external_key": "3", "state": "OPEN"}
    ]
