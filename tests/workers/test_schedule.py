"""Runs are opened when their stream is due, when something waits to be sent, and only where that is wanted."""

from sqlalchemy import text

from hub.crypto import Vault
from hub.services import integrations, outbox
from tests.hub.sync.bench import Bench
from workers.schedule import open_due_runs

OPEN = "SELECT stream, trigger FROM sync_runs WHERE state IN ('QUEUED', 'RUNNING') ORDER BY id"


async def opened(bench: Bench) -> list[str]:
    """The streams with an open run after a look of the schedule."""
    await open_due_runs(bench.database, bench.outside.registry)
    return [row["stream"] for row in await bench.world.rows(OPEN)]


async def test_inbound_streams_are_due_at_once_and_then_by_their_rhythm(bench: Bench) -> None:
    at_once = await opened(bench)
    for run_id in await bench.start():
        await bench.slice(run_id)

    afterwards = await opened(bench)
    await bench.world.run("UPDATE sync_streams SET due_at = now() - interval '1 second' WHERE stream = 'orders'")

    assert at_once == ["products", "orders", "nirs"]
    assert afterwards == []
    assert await opened(bench) == ["orders"]


async def test_a_connection_that_is_activated_again_is_due_at_once(bench: Bench) -> None:
    for run_id in await bench.start():
        await bench.slice(run_id)
    registry = bench.outside.registry
    await bench.database.write(bench.scope, lambda work: integrations.deactivate(work, code="SHOP", registry=registry))
    inactive = await opened(bench)

    await bench.database.write(
        bench.scope,
        lambda work: integrations.activate(work, code="SHOP", registry=registry, vault=Vault("key of the tests")),
    )

    assert inactive == []
    assert await opened(bench) == ["products", "orders", "nirs"]


async def test_what_waits_to_be_sent_opens_its_stream(bench: Bench) -> None:
    async with bench.database.unit_of_work(bench.scope) as work:
        await outbox.put(work, "SHOP", "order_statuses", {"order:1": {"document": "order"}})

    assert "order_statuses" in await opened(bench)


async def test_stock_waits_for_its_confirmation(bench: Bench) -> None:
    async with bench.database.unit_of_work(bench.scope) as work:
        await outbox.stock_changed(work, [1])
    before = await opened(bench)
    await bench.world.run("UPDATE integrations SET stock_push_confirmed = true")

    assert "stock" not in before
    assert "stock" in await opened(bench)


async def test_an_outbound_stream_that_failed_rests(bench: Bench) -> None:
    async with bench.database.unit_of_work(bench.scope) as work:
        await outbox.put(work, "SHOP", "order_statuses", {"order:1": {"document": "order"}})
    await bench.world.run(
        "INSERT INTO sync_streams (tenant_id, code, stream, failures, due_at) "
        "VALUES (:t, 'SHOP', 'order_statuses', 1, now() + interval '10 minutes')",
        t=bench.world.tenant_id,
    )

    assert "order_statuses" not in await opened(bench)


async def test_streams_that_are_off_are_never_opened(bench: Bench) -> None:
    await bench.world.run("UPDATE integrations SET options = '{\"syncNirs\": true}'")

    assert await opened(bench) == ["nirs"]


async def test_a_stopped_connection_and_an_inactive_tenant_are_left_alone(bench: Bench) -> None:
    await bench.world.run("UPDATE integrations SET stopped_reason = 'refused'")
    stopped = await opened(bench)

    await bench.world.run("UPDATE integrations SET stopped_reason = NULL")
    async with bench.database.system_work() as session:
        await session.execute(text("UPDATE tenants SET active = false WHERE id = :t"), {"t": bench.world.tenant_id})

    assert (stopped, await opened(bench)) == ([], [])
