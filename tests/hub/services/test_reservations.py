"""Reservations: who gets which goods, in which turn, and that no piece is ever promised twice."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import insert

from hub.db import Database
from hub.errors import Conflict
from hub.models.movements import Transfer, TransferLine
from hub.models.orders import Order, OrderDelta, OrderLine
from hub.queries.stock import Need
from hub.services.reservations import Holder, release, reserve
from tests.hub.services.stockrooms import A01, A02, B01, MAIN, SOUTH, Stockroom, new_stockroom

D = Decimal


@pytest.fixture
async def room(database: Database) -> AsyncIterator[Stockroom]:
    room = await new_stockroom(database)
    yield room
    await room.balance()


async def order_line(room: Stockroom, product_id: int, quantity: int | str) -> int:
    """An order with one line, as the order service would have written it."""
    async with room.database.unit_of_work(room.scope) as work:
        key = {"tenant_id": room.tenant_id}
        order_id, line_id = await work.next_id("order"), await work.next_id("order_line")
        order = {"id": order_id, "external_order_id": f"WEB-{order_id}", "warehouse_id": MAIN, "status": 2}
        await work.session.execute(insert(Order), [key | order])
        line = {"id": line_id, "order_id": order_id, "product_id": product_id, "quantity": D(quantity)}
        await work.session.execute(insert(OrderLine), [key | line])
        delta = {"warehouse_id": MAIN, "status": 2, "day": datetime.now(UTC).date(), "orders": 1}
        await work.session.execute(insert(OrderDelta), [key | delta])
    return line_id


async def want(room: Stockroom, product_id: int, quantity: int | str, **where: Any) -> tuple[int, Decimal]:
    """Reserve for a new order line: its id and what it got."""
    line_id = await order_line(room, product_id, quantity)
    return line_id, await reserve_for(room, line_id, product_id, quantity, **where)


async def reserve_for(room: Stockroom, line_id: int, product_id: int, quantity: int | str, **where: Any) -> Decimal:
    need = Need(product_id=product_id, warehouse_id=MAIN, quantity=D(quantity), line_id=line_id, **where)
    got: Mapping[int, Decimal] = await room.do(reserve, Holder.ORDER, [need], partly=True)
    return got.get(line_id, D(0))


async def test_what_expires_first_is_promised_first_then_priority_then_age(room: Stockroom) -> None:
    milk = await room.world.add_product("MILK")
    await room.receive(milk, 1)
    await room.receive(milk, 1, A02, batch="NEVER")
    await room.receive(milk, 1, A02, batch="SOON-FAR", expires="2030-01-01")
    await room.receive(milk, 1, A01, batch="SOON-OLD", expires="2030-01-01")
    await room.receive(milk, 1, A01, batch="SOON-NEW", expires="2030-01-01")
    await room.receive(milk, 1, A01, batch="LATE", expires="2031-01-01")

    turn = []
    for _ in range(6):
        before = {item[:2] for item in await room.stock(milk) if item[3]}
        await want(room, milk, 1)
        [new] = {item[:2] for item in await room.stock(milk) if item[3]} - before
        turn.append(new[1])

    assert turn == ["SOON-OLD", "SOON-NEW", "SOON-FAR", "LATE", None, "NEVER"]


async def test_a_named_location_serves_alone(room: Stockroom) -> None:
    lamp = await room.world.add_product("LAMP")
    await room.receive(lamp, 5, A01)
    await room.receive(lamp, 2, A02)

    _, got = await want(room, lamp, 3, location_id=A02)

    assert got == 2
    assert await room.stock(lamp) == [("A-01", None, D(5), D(0)), ("A-02", None, D(2), D(2))]


async def test_goods_of_another_warehouse_do_not_count(room: Stockroom) -> None:
    lamp = await room.world.add_product("LAMP")
    await room.receive(lamp, 5, B01)

    assert (await want(room, lamp, 1))[1] == 0


@pytest.mark.parametrize(
    ("lock", "got"),
    [
        ("locked = true", 1),
        ("locked = true, locked_until = now() + interval '1 day'", 1),
        ("locked = true, locked_until = now() - interval '1 minute'", 3),
        ("locked = false", 3),
    ],
)
async def test_locked_batches_are_passed_over_until_their_lock_has_passed(room: Stockroom, lock: str, got: int) -> None:
    milk = await room.world.add_product("MILK")
    await room.receive(milk, 2, batch="B7")
    await room.receive(milk, 1)
    await room.world.run(f"UPDATE batches SET {lock}")

    assert (await want(room, milk, 3))[1] == got


async def test_a_line_takes_what_there_is_and_more_when_more_comes(room: Stockroom) -> None:
    lamp = await room.world.add_product("LAMP")
    await room.receive(lamp, 2)

    line, got = await want(room, lamp, 5)
    await room.receive(lamp, 9)
    more = await reserve_for(room, line, lamp, 3)

    assert (got, more) == (2, 3)
    assert await room.stock(lamp) == [("A-01", None, D(11), D(5))]
    assert await room.world.value("SELECT count(*) FROM reservations") == 1


async def test_serial_numbers_are_promised_one_by_one(room: Stockroom) -> None:
    drill = await room.world.add_product("DRILL", requires_serial_number=True)
    await room.receive(drill, 3, serials=("S1", "S2", "S3"))

    line, got = await want(room, drill, 2)
    released = await room.do(release, Holder.ORDER, [line])

    assert got == 2
    assert [(part.serial_number, part.quantity) for part in released] == [("S1", D(1)), ("S2", D(1))]


async def test_a_piece_with_a_serial_number_is_never_split(room: Stockroom) -> None:
    drill = await room.world.add_product("DRILL", requires_serial_number=True)
    await room.receive(drill, 3, serials=("S1", "S2", "S3"))

    assert (await want(room, drill, "1.5"))[1] == 1
    assert (await want(room, drill, "0.5"))[1] == 0
    assert (await want(room, drill, 2))[1] == 2


async def test_released_goods_are_told_in_the_order_of_picking_and_free_again(room: Stockroom) -> None:
    milk = await room.world.add_product("MILK")
    await room.receive(milk, 2, batch="LATE", expires="2031-01-01")
    await room.receive(milk, 2, A02, batch="SOON", expires="2030-01-01")
    line, _ = await want(room, milk, 3)

    released = await room.do(release, Holder.ORDER, [line])

    assert [(part.location_id, part.quantity) for part in released] == [(A02, D(2)), (A01, D(1))]
    assert {item[3] for item in await room.stock(milk)} == {D(0)}
    assert await room.do(release, Holder.ORDER, [line]) == []


async def test_reserved_goods_cannot_be_taken_by_anyone_else(room: Stockroom) -> None:
    lamp = await room.world.add_product("LAMP")
    await room.receive(lamp, 5)
    await want(room, lamp, 4)

    with pytest.raises(Conflict, match="2 of product LAMP are to leave A-01, 1 of 5 there are free"):
        await room.take(lamp, 2)

    await room.take(lamp, 1)


async def test_fifty_orders_for_the_last_ten_pieces_reserve_exactly_ten(room: Stockroom) -> None:
    lamp = await room.world.add_product("LAMP")
    await room.receive(lamp, 6, A01)
    await room.receive(lamp, 4, A02)
    lines = [await order_line(room, lamp, 1) for _ in range(50)]

    got = await asyncio.gather(*(reserve_for(room, line, lamp, 1) for line in lines))

    assert sum(got) == 10
    assert await room.world.value("SELECT sum(reserved_quantity) FROM order_lines") == 10


async def test_parallel_orders_get_every_serial_number_that_is_there(room: Stockroom) -> None:
    drill = await room.world.add_product("DRILL", requires_serial_number=True)
    await room.receive(drill, 20, serials=tuple(f"S{n:02}" for n in range(20)))
    lines = [await order_line(room, drill, 3) for _ in range(8)]

    got = await asyncio.gather(*(reserve_for(room, line, drill, 3) for line in lines))

    assert sum(got) == 20


async def test_lines_of_one_set_do_not_share_goods(room: Stockroom) -> None:
    milk = await room.world.add_product("MILK")
    await room.receive(milk, 3, A02, batch="SOON", expires="2030-01-01")
    await room.receive(milk, 3, A01)
    lines = [await order_line(room, milk, 2) for _ in range(4)]
    places = (None, A02, A01, None)

    needs = [
        Need(product_id=milk, warehouse_id=MAIN, quantity=D(2), line_id=line, location_id=place)
        for line, place in zip(lines, places, strict=True)
    ]
    got = await room.do(reserve, Holder.ORDER, needs, partly=True)

    assert [got.get(line, D(0)) for line in lines] == [2, 1, 2, 1]


async def test_transfers_reserve_all_or_nothing(room: Stockroom) -> None:
    milk = await room.world.add_product("MILK")
    [arrival] = await room.receive(milk, 3, batch="B7")
    await room.receive(milk, 3)
    async with room.database.unit_of_work(room.scope) as work:
        key = {"tenant_id": room.tenant_id}
        await work.session.execute(insert(Transfer), [key | {"id": 1}])
        line = {"id": 1, "transfer_id": 1, "product_id": milk, "quantity": D(4)}
        places = {"source_location_id": A01, "destination_location_id": A02}
        await work.session.execute(insert(TransferLine), [key | line | places])
    need = {"product_id": milk, "warehouse_id": MAIN, "line_id": 1, "location_id": A01}

    with pytest.raises(Conflict, match="stock insufficient: 4 of product MILK needed from A-01, 3 free"):
        await room.do(reserve, Holder.TRANSFER, [Need(quantity=D(4), batch_id=arrival.batch_id, **need)])
    with pytest.raises(Conflict, match="3 free"):
        await room.do(reserve, Holder.TRANSFER, [Need(quantity=D(4), unbatched=True, **need)])
    got = await room.do(reserve, Holder.TRANSFER, [Need(quantity=D(4), **need)])

    assert got == {1: D(4)}
    assert sum(part.quantity for part in await room.do(release, Holder.TRANSFER, [1])) == 4


async def test_a_line_of_another_warehouse_never_takes_from_this_one(room: Stockroom) -> None:
    lamp = await room.world.add_product("LAMP")
    await room.receive(lamp, 2, A01)
    await room.receive(lamp, 2, B01)
    line = await order_line(room, lamp, 4)

    need = Need(product_id=lamp, warehouse_id=SOUTH, quantity=D(4), line_id=line)
    assert await room.do(reserve, Holder.ORDER, [need], partly=True) == {line: D(2)}
