"""What is kept for a while is gone after it; what is still needed stays."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from hub import retention
from hub.cursors import encode_cursor
from hub.errors import Invalid
from hub.events import read_events
from hub.numbering import number_events
from tests.hub.sync.worlds import World

KEEP = timedelta(days=30)


async def age(world: World, statement: str) -> None:
    async with world.database.system_work() as session:
        await session.execute(text(statement), {"t": world.tenant_id})


async def test_old_events_go_and_their_cursors_expire(world: World) -> None:
    for number in range(4):
        async with world.database.unit_of_work(world.scope) as work:
            work.emit("order", "added", number=number)
    await number_events(world.database)
    await age(world, "UPDATE events SET occurred_at = now() - interval '31 days' WHERE tenant_id = :t AND position < 3")

    await retention.forget(world.database, KEEP)

    assert await world.value("SELECT array_agg(position ORDER BY position) FROM events") == [3, 4]
    async with world.database.reading(world.scope) as connection:
        page = await read_events(connection, [world.tenant_id], {world.tenant_id: 2})
        with pytest.raises(Invalid) as refused:
            await read_events(connection, [world.tenant_id], {world.tenant_id: 1})
    assert [row.position for row in page.events] == [3, 4]
    assert refused.value.code == "CURSOR_EXPIRED"
    assert page.events[-1].cursor == encode_cursor({world.tenant_id: 4})


async def test_settled_work_goes_and_waiting_work_stays(world: World) -> None:
    await world.connect("X")
    for id_, state in enumerate(("SENT", "WAITING"), start=1):
        await world.run(
            "INSERT INTO outbox (tenant_id, id, code, stream, key, state, attempts, finished_at, created_at) "
            "VALUES (:t, :i, 'X', 'stock', :k, :s, 0, now() - interval '31 days', now() - interval '31 days')",
            t=world.tenant_id,
            i=id_,
            k=str(id_),
            s=state,
        )
    for id_, state in enumerate(("DONE", "WAITING"), start=1):
        await world.run(
            "INSERT INTO inbox (tenant_id, id, code, topic, key, state, attempts, received_at) "
            "VALUES (:t, :i, 'X', 'orders', :k, :s, 0, now() - interval '31 days')",
            t=world.tenant_id,
            i=id_,
            k=str(id_),
            s=state,
        )

    await retention.forget(world.database, KEEP)

    assert await world.rows("SELECT state FROM outbox") == [{"state": "WAITING"}]
    assert await world.rows("SELECT state FROM inbox") == [{"state": "WAITING"}]
    await world.run("UPDATE integrations SET active = false")
    await retention.forget(world.database, KEEP)
    assert await world.rows("SELECT state FROM outbox") == []


async def test_an_old_exception_stays_without_its_payload(world: World) -> None:
    await world.run(
        "INSERT INTO sync_exceptions (tenant_id, id, code, stream, external_key, reason, message, payload, state, "
        "attempts, last_attempt_at) VALUES (:t, 1, 'X', 'orders', '1', 'R', 'm', '{\"name\": \"Ana\"}', 'OPEN', 1, "
        "now() - interval '31 days')",
        t=world.tenant_id,
    )

    await retention.forget(world.database, KEEP)

    assert await world.rows("SELECT state, payload FROM sync_exceptions") == [{"state": "OPEN", "payload": None}]
