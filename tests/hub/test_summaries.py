"""Summaries and their deltas always add up to the truth, while they are folded too."""

import asyncio
from decimal import Decimal

from hub import summaries
from hub.db import Database
from hub.services.stock import Movement, apply
from tests.hub.sync.worlds import World, new_world

TOTAL = """
    SELECT coalesce(sum(quantity), 0) FROM (
        SELECT quantity FROM stock_summaries UNION ALL SELECT quantity FROM stock_deltas
    ) AS s
"""


async def book(world: World, product_id: int, quantity: int) -> None:
    movement = Movement(
        product_id=product_id, location_id=2, quantity=Decimal(quantity), document_kind="nir", document_id=1
    )
    await world.database.write(world.scope, lambda work: apply(work, [movement]))


async def test_folding_moves_deltas_into_the_summary_and_loses_nothing(world: World) -> None:
    product_id = await world.add_product("A")
    for quantity in (5, -2, 4):
        await book(world, product_id, quantity)

    await summaries.fold(world.database)

    assert await world.value("SELECT count(*) FROM stock_deltas") == 0
    assert await world.rows("SELECT product_id, warehouse_id, quantity, reserved FROM stock_summaries") == [
        {"product_id": product_id, "warehouse_id": 1, "quantity": Decimal(7), "reserved": Decimal(0)}
    ]


async def test_readers_never_see_a_delta_twice_or_not_at_all(world: World) -> None:
    product_id = await world.add_product("A")
    await book(world, product_id, 100)
    seen = []

    async def read() -> None:
        for _ in range(40):
            seen.append(await world.value(TOTAL))

    async def move() -> None:
        for _ in range(10):
            await book(world, product_id, -1)
            await book(world, product_id, 1)
            await summaries.fold(world.database)

    await asyncio.gather(read(), move())

    assert set(seen) <= {Decimal(99), Decimal(100)}
    assert await world.value(TOTAL) == 100


async def test_every_tenant_is_folded(database: Database) -> None:
    worlds = [await new_world(database) for _ in range(3)]
    for world in worlds:
        await book(world, await world.add_product("A"), 1)

    await summaries.fold(database)

    assert [await world.value("SELECT count(*) FROM stock_deltas") for world in worlds] == [0, 0, 0]


async def test_orders_that_left_a_state_leave_no_empty_row(world: World) -> None:
    for orders in (1, -1):
        await world.run(
            "INSERT INTO order_deltas (tenant_id, warehouse_id, status, day, orders) "
            "VALUES (:t, 1, 2, '2026-01-05', :n)",
            t=world.tenant_id,
            n=orders,
        )

    await summaries.fold(world.database)

    assert await world.value("SELECT count(*) FROM order_summaries") == 0
