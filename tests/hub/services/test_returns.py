import asyncio
from decimal import Decimal
from typing import Any

import pytest

from hub.db import Database
from hub.errors import Conflict, Invalid, NotFound
from hub.services import companies, returns
from hub.services.companies import CompanyDraft
from hub.services.receipt_lines import CountDraft, ReceiptLineDraft
from hub.services.returns import ReturnDraft
from tests.hub.services.stockrooms import Stockroom, new_stockroom


@pytest.fixture
async def room(database: Database) -> Stockroom:
    room = await new_stockroom(database)
    await room.do(companies.add, companies=[CompanyDraft(name="Client", external_reference="c-1")])
    return room


def line(code: str, quantity: str | int = 1, **fields: Any) -> ReceiptLineDraft:
    return ReceiptLineDraft(code=code, quantity=Decimal(quantity), **fields)


async def add(room: Stockroom, *lines: ReceiptLineDraft, reference: str = "R-1", **fields: Any) -> int:
    draft = ReturnDraft(external_reference=reference, lines=lines, **({"external_client_id": "c-1"} | fields))
    (id_,) = await room.do(returns.add, returns=[draft])
    return int(id_)


async def validate(room: Stockroom, id_: int, code: str, quantity: int) -> None:
    await room.do(returns.validate, return_id=id_, counts=[CountDraft(code=code, quantity=Decimal(quantity))])


async def status(room: Stockroom, id_: int, table: str = "returns") -> int:
    return int(await room.world.value(f"SELECT status FROM {table} WHERE id = :id", id=id_))


async def picked_order(room: Stockroom, picked: dict[int, int], *, status: int = 3, id_: int = 1) -> int:
    await room.world.run(
        "INSERT INTO orders (tenant_id, id, external_order_id, warehouse_id, status, order_type, search) "
        "VALUES (:tenant, :id, :reference, 1, :status, 1, '')",
        tenant=room.tenant_id,
        id=id_,
        reference=f"WEB-{id_}",
        status=status,
    )
    for product_id, quantity in picked.items():
        await room.world.run(
            "INSERT INTO order_lines (tenant_id, id, order_id, position, product_id, quantity, reserved_quantity, "
            "picked_quantity) VALUES (:tenant, :id, :order, 0, :product, :quantity, 0, :quantity)",
            tenant=room.tenant_id,
            id=id_ * 100 + product_id,
            order=id_,
            product=product_id,
            quantity=quantity,
        )
    await room.world.run(
        "INSERT INTO order_deltas (tenant_id, warehouse_id, status, day, orders) "
        "VALUES (:tenant, 1, :status, (now() AT TIME ZONE 'UTC')::date, 1)",
        tenant=room.tenant_id,
        status=status,
    )
    return id_


async def test_a_return_is_announced_or_booked_at_once(room: Stockroom) -> None:
    led = await room.world.add_product("LED")

    empty, announced = await add(room, reference="1"), await add(room, line("LED", 2), reference="2")
    booked = await add(room, line("LED", 3, location_code="A-01"), reference="3", validation_required=False)

    assert [await status(room, id_) for id_ in (empty, announced, booked)] == [1, 2, 3]
    assert await room.stock(led) == [("A-01", None, Decimal(3), Decimal(0))]
    await validate(room, announced, "LED", 2)
    assert await status(room, announced) == 3
    assert await room.world.value("SELECT count(*) FROM scans WHERE document_kind = 'return'") == 2
    await room.balance()


async def test_unknown_client_order_and_product_are_not_found(room: Stockroom) -> None:
    for lines, fields in (
        ([], {"external_client_id": "none"}),
        ([], {"initial_external_order_id": "none"}),
        ([], {"warehouse_id": 99}),
        ([line("NONE")], {}),
    ):
        with pytest.raises(NotFound):
            await add(room, *lines, **fields)
    with pytest.raises(Invalid, match="externalClientId"):
        await add(room, external_client_id=None)


async def test_a_repeated_reference_is_a_conflict(room: Stockroom) -> None:
    await add(room)

    with pytest.raises(Conflict, match="externalReference: R-1 already exists"):
        await add(room)


@pytest.mark.parametrize("state", [1, 2, 6, 7, 0])
async def test_only_picked_orders_come_back(room: Stockroom, state: int) -> None:
    led = await room.world.add_product("LED")
    await picked_order(room, {led: 1}, status=state)

    with pytest.raises(Conflict, match="not picked"):
        await add(room, line("LED"), initial_external_order_id="WEB-1")


async def test_no_more_comes_back_than_was_picked(room: Stockroom) -> None:
    led, tube = await room.world.add_product("LED"), await room.world.add_product("TUBE")
    await picked_order(room, {led: 5, tube: 1})

    for too_much in ([line("LED", 6)], [line("LED", 3), line("LED", 3)]):
        with pytest.raises(Conflict, match="LED"):
            await add(room, *too_much, initial_external_order_id="WEB-1")
    await room.world.add_product("OTHER")
    with pytest.raises(Conflict, match="OTHER"):
        await add(room, line("OTHER"), initial_external_order_id="WEB-1")

    await add(room, line("LED", 3), reference="1", initial_external_order_id="WEB-1")
    with pytest.raises(Conflict, match="3 are in other returns"):
        await add(room, line("LED", 3), reference="2", initial_external_order_id="WEB-1")
    assert await add(room, line("LED", 2), reference="2", initial_external_order_id="WEB-1")


async def test_a_cancelled_return_makes_room_for_another(room: Stockroom) -> None:
    led = await room.world.add_product("LED")
    await picked_order(room, {led: 5})
    first = await add(room, line("LED", 5), reference="1", initial_external_order_id="WEB-1")

    await room.do(returns.cancel, ids=[first])

    assert await add(room, line("LED", 5), reference="2", initial_external_order_id="WEB-1")


async def test_parallel_returns_share_what_was_picked(room: Stockroom) -> None:
    led = await room.world.add_product("LED")
    await picked_order(room, {led: 5})

    outcomes = await asyncio.gather(
        *(
            add(room, line("LED", 2), reference=f"{n}", initial_external_order_id="WEB-1", validation_required=False)
            for n in range(5)
        ),
        return_exceptions=True,
    )

    assert sum(isinstance(outcome, int) for outcome in outcomes) == 2
    assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 3
    assert await room.stock(led) == [("RECEPTION", None, Decimal(4), Decimal(0))]


async def test_an_order_is_returned_when_everything_picked_is_back(room: Stockroom) -> None:
    led, tube = await room.world.add_product("LED"), await room.world.add_product("TUBE")
    order = await picked_order(room, {led: 5, tube: 1}, status=5)

    await add(room, line("LED", 5), reference="1", initial_external_order_id="WEB-1", validation_required=False)
    assert await status(room, order, "orders") == 5
    last = await add(room, line("TUBE", 1), reference="2", initial_external_order_id="WEB-1")
    assert await status(room, order, "orders") == 5
    await validate(room, last, "TUBE", 1)

    assert await status(room, order, "orders") == 8
    moved = await room.world.rows(
        "SELECT status_before, status_after FROM document_changes WHERE document_kind = 'order'"
    )
    assert moved == [{"status_before": 5, "status_after": 8}]
    await room.balance()


async def test_less_than_announced_leaves_room_and_more_than_picked_is_refused(room: Stockroom) -> None:
    led = await room.world.add_product("LED")
    order = await picked_order(room, {led: 5})
    first = await add(room, line("LED", 4), reference="1", initial_external_order_id="WEB-1")

    with pytest.raises(Conflict, match="LED"):
        await validate(room, first, "LED", 6)
    await validate(room, first, "LED", 3)
    assert (await status(room, first), await status(room, order, "orders")) == (4, 3)
    await add(room, line("LED", 2), reference="2", initial_external_order_id="WEB-1", validation_required=False)

    assert await status(room, order, "orders") == 8


async def test_a_serial_number_that_left_may_come_back(room: Stockroom) -> None:
    drill = await room.world.add_product("DRILL", requires_serial_number=True)
    await room.receive(drill, 1, serials=("S1",))
    await room.take(drill, 1, serial_number="S1")

    await add(room, line("DRILL", serial_numbers=("S1",)), validation_required=False)

    assert await room.stock(drill) == [("RECEPTION", "S1", Decimal(1), Decimal(0))]


async def test_validated_returns_stay(room: Stockroom) -> None:
    await room.world.add_product("LED")
    booked = await add(room, line("LED"), validation_required=False)

    for refused in (
        room.do(returns.cancel, ids=[booked]),
        room.do(returns.delete, targets={"id": [booked]}),
        validate(room, booked, "LED", 1),
    ):
        with pytest.raises(Conflict):
            await refused
