"""What the services must tell the outside is written once per key, and only when somebody listens."""

import asyncio

from sqlalchemy import text

from hub.services import outbox
from tests.hub.sync.worlds import World

SHOP = "GOMAG"


async def test_stock_changes_wait_once_per_product(world: World) -> None:
    await world.connect(SHOP, options={"sendStocks": True})

    for ids in ([7, 5], [5]):
        async with world.database.unit_of_work(world.scope) as work:
            await outbox.stock_changed(work, ids)

    found = await world.rows("SELECT key, stream, payload, state FROM outbox ORDER BY key")
    assert found == [
        {"key": key, "stream": "stock", "payload": {"product_id": int(key)}, "state": "WAITING"} for key in ("5", "7")
    ]


async def test_nothing_waits_without_an_active_connection_that_sends_stocks(world: World) -> None:
    await world.connect("NEXUS", options={"sendStocks": False})
    await world.connect(SHOP, options={"sendStocks": True}, active=False)

    async with world.database.unit_of_work(world.scope) as work:
        await outbox.stock_changed(work, [1, 2])

    assert await world.value("SELECT count(*) FROM outbox") == 0


async def test_a_change_after_the_sender_took_the_entry_is_told_again(world: World) -> None:
    await world.connect(SHOP, options={"sendStocks": True})
    async with world.database.unit_of_work(world.scope) as work:
        await outbox.stock_changed(work, [1])

    await world.run("UPDATE outbox SET state = 'SENDING'")
    async with world.database.unit_of_work(world.scope) as work:
        await outbox.stock_changed(work, [1])

    states = await world.rows("SELECT state FROM outbox ORDER BY id")
    assert [row["state"] for row in states] == ["SENDING", "WAITING"]


async def test_a_change_that_meets_the_sender_halfway_is_told_again(world: World) -> None:
    await world.connect(SHOP, options={"sendStocks": True})
    async with world.database.unit_of_work(world.scope) as work:
        await outbox.stock_changed(work, [1])

    async def change() -> None:
        async with world.database.unit_of_work(world.scope) as work:
            await outbox.stock_changed(work, [1])

    async with world.database.unit_of_work(world.scope) as sender:
        await sender.session.execute(text("UPDATE outbox SET state = 'SENDING' WHERE state = 'WAITING'"))
        changing = asyncio.create_task(change())
        await asyncio.wait([changing], timeout=0.2)
    await changing

    states = await world.rows("SELECT state FROM outbox ORDER BY id")
    assert [row["state"] for row in states] == ["SENDING", "WAITING"]


async def test_an_open_change_hides_its_entry_from_the_sender(world: World) -> None:
    await world.connect(SHOP, options={"sendStocks": True})
    async with world.database.unit_of_work(world.scope) as work:
        await outbox.stock_changed(work, [1])

    async with world.database.unit_of_work(world.scope) as work:
        await outbox.stock_changed(work, [1])

        seen = await world.rows("SELECT id FROM outbox WHERE state = 'WAITING' FOR UPDATE SKIP LOCKED")
    assert seen == []


async def test_only_documents_of_the_connection_are_told_of(world: World) -> None:
    await world.connect(SHOP)
    await world.run(
        "INSERT INTO external_references (tenant_id, code, stream, external_key, record_id, payload_hash) "
        "VALUES (:t, :c, 'orders', '811', 4, '')",
        t=world.tenant_id,
        c=SHOP,
    )

    async with world.database.unit_of_work(world.scope) as work:
        for order_id, status in ((3, 3), (4, 2), (4, 3), (4, 4)):
            await outbox.document_moved(work, document="order", document_id=order_id, status=status)

    found = await world.rows("SELECT stream, key, payload FROM outbox")
    assert found == [
        {"stream": "order_statuses", "key": "order:4", "payload": {"document": "order", "document_id": 4, "status": 4}}
    ]
