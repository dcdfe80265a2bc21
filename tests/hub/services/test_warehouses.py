import asyncio
from typing import Any

import pytest

from hub.context import Actor, Grant, Level, Scope
from hub.db import Database
from hub.errors import CallerError, Conflict, Invalid, NotAllowed, NotFound
from hub.services import locations, nirs, warehouses
from hub.services.locations import LocationDraft
from hub.services.nirs import NirDraft
from hub.services.warehouses import WarehouseDraft
from tests.hub.services.stockrooms import A01, MAIN, RECEPTION, SOUTH, Stockroom, new_stockroom


@pytest.fixture
async def room(database: Database) -> Stockroom:
    return await new_stockroom(database)


async def do(room: Stockroom, service: Any, **named: Any) -> Any:
    return await room.database.write(room.world.scope, lambda work: service(work, **named))


async def defaults(room: Stockroom) -> list[str]:
    return [row["code"] for row in await room.world.rows("SELECT code FROM warehouses WHERE is_default")]


async def inbound(room: Stockroom, warehouse_id: int) -> list[str]:
    rows = await room.world.rows(
        "SELECT code FROM locations WHERE is_inbound AND warehouse_id = :warehouse", warehouse=warehouse_id
    )
    return [row["code"] for row in rows]


async def test_a_new_warehouse_can_receive_goods_at_once(room: Stockroom) -> None:
    await room.world.add_product("LED")
    (id_,) = await do(room, warehouses.add, warehouses=[WarehouseDraft(code="NORTH", name="North")])

    assert await inbound(room, id_) == ["NORTH-RECEPTION"]
    assert await defaults(room) == ["MAIN"]
    draft = NirDraft(external_reference="1", warehouse_id=id_)
    assert await do(room, nirs.add, nirs=[draft])


async def test_there_is_always_one_default_warehouse(room: Stockroom) -> None:
    await do(room, warehouses.add, warehouses=[WarehouseDraft(code="NORTH", name="North", is_default=True)])
    assert await defaults(room) == ["NORTH"]

    await do(room, warehouses.update, targets={"id": [SOUTH]}, changes={"is_default": True})
    await do(room, warehouses.update, targets={"id": [SOUTH]}, changes={"is_default": True, "name": "Sud"})
    assert await defaults(room) == ["SOUTH"]
    for changes in ({"is_default": False}, {"active": False}):
        with pytest.raises(Conflict, match="default"):
            await do(room, warehouses.update, targets={"id": [SOUTH]}, changes=changes)
    with pytest.raises(Conflict, match="default"):
        await do(room, warehouses.delete, targets={"id": [SOUTH]})
    with pytest.raises(Invalid, match="one warehouse"):
        await do(room, warehouses.update, targets={"id": [MAIN, SOUTH]}, changes={"is_default": True})
    assert await defaults(room) == ["SOUTH"]


async def test_two_that_become_default_at_once_leave_one(room: Stockroom) -> None:
    await asyncio.gather(
        *(
            do(room, warehouses.update, targets={"id": [id_]}, changes={"is_default": True})
            for id_ in (MAIN, SOUTH, MAIN, SOUTH)
        )
    )

    assert len(await defaults(room)) == 1


async def test_a_warehouse_in_use_stays_and_an_unused_one_goes_with_its_locations(room: Stockroom) -> None:
    await do(room, nirs.add, nirs=[NirDraft(external_reference="1", warehouse_id=SOUTH)])
    (north,) = await do(room, warehouses.add, warehouses=[WarehouseDraft(code="NORTH", name="North")])

    with pytest.raises(Conflict, match="used by a NIR"):
        await do(room, warehouses.delete, targets={"id": [SOUTH, north]})
    assert await do(room, warehouses.delete, targets={"code": ["NORTH"]}) == [north]

    assert await inbound(room, north) == []
    with pytest.raises(NotFound):
        await do(room, warehouses.delete, targets={"id": [north]})


async def test_goods_of_a_warehouse_arrive_at_one_location(room: Stockroom) -> None:
    assert await inbound(room, SOUTH) == []
    (first,) = await do(room, locations.add, locations=[LocationDraft(code="S-1", warehouse_id=SOUTH)])
    assert await inbound(room, SOUTH) == ["S-1"]

    await do(room, locations.add, locations=[LocationDraft(code="S-2", warehouse_id=SOUTH, is_inbound=True)])
    assert await inbound(room, SOUTH) == ["S-2"]
    await do(room, locations.update, targets={"id": [first]}, changes={"is_inbound": True})
    assert await inbound(room, SOUTH) == ["S-1"]
    for refused in (
        do(room, locations.update, targets={"id": [first]}, changes={"is_inbound": False}),
        do(room, locations.update, targets={"id": [first]}, changes={"active": False}),
        do(room, locations.delete, targets={"id": [first]}),
    ):
        with pytest.raises(Conflict, match="goods arrive"):
            await refused


async def test_a_location_keeps_its_warehouse_and_its_history(room: Stockroom) -> None:
    led = await room.world.add_product("LED")
    await room.receive(led, 1, A01)
    await room.take(led, 1, A01)

    with pytest.raises(Conflict, match="used by stock"):
        await do(room, locations.delete, targets={"id": [A01]})
    with pytest.raises(Invalid, match="stays in its warehouse"):
        await do(room, locations.update, targets={"id": [A01]}, changes={"warehouse_id": SOUTH})
    assert await do(room, locations.delete, targets={"code": ["A-02"]})


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"code": "A-01"}, Conflict),
        ({"code": " "}, Invalid),
        ({"code": "x" * 129}, Invalid),
        ({"code": "N", "warehouse_id": 99}, NotFound),
    ],
)
async def test_bad_locations_are_refused(room: Stockroom, fields: dict[str, Any], error: type[CallerError]) -> None:
    with pytest.raises(error):
        await do(room, locations.add, locations=[LocationDraft(**({"warehouse_id": MAIN} | fields))])


async def test_only_administrators_build(room: Stockroom) -> None:
    user = Scope({room.tenant_id: Grant(Level.USER)}, Actor("user", 1, "user"))

    for action in (
        lambda work: warehouses.add(work, warehouses=[WarehouseDraft(code="N", name="N")]),
        lambda work: warehouses.update(work, targets={"id": [MAIN]}, changes={}),
        lambda work: warehouses.delete(work, targets={"id": [SOUTH]}),
        lambda work: locations.add(work, locations=[LocationDraft(code="N", warehouse_id=MAIN)]),
        lambda work: locations.update(work, targets={"id": [RECEPTION]}, changes={}),
        lambda work: locations.delete(work, targets={"id": [A01]}),
    ):
        with pytest.raises(NotAllowed):
            await room.database.write(user, action)


async def test_administration_is_audited(room: Stockroom) -> None:
    await do(room, warehouses.add, warehouses=[WarehouseDraft(code="NORTH", name="North")])
    await do(room, locations.update, targets={"id": [A01]}, changes={"priority": 5})

    entries = await room.world.rows("SELECT action, subject FROM audit_entries ORDER BY id")
    assert [tuple(entry.values()) for entry in entries] == [("warehouse.add", "NORTH"), ("location.update", str(A01))]
