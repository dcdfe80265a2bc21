"""Inventories beyond the REST routes: validated on their own, cancelled, and right however many count at once."""

import asyncio
from decimal import Decimal

import pytest

from hub.context import Grant, Level, Scope
from hub.db import Database
from hub.errors import Conflict, NotAllowed, NotFound
from hub.services import inventories, production
from hub.services.inventory_counts import InventoryCountDraft
from hub.services.production import ProductionOrderDraft
from tests.hub.services.stockrooms import A02, Stockroom, new_stockroom


@pytest.fixture
async def room(database: Database) -> Stockroom:
    return await new_stockroom(database)


def counted(code: str, quantity: int, **more: object) -> InventoryCountDraft:
    draft = {"location_code": "A-01", "product_code": code, "quantity": Decimal(quantity)} | more
    return InventoryCountDraft(**draft)  # type: ignore[arg-type]


async def test_an_inventory_is_validated_on_its_own(room: Stockroom) -> None:
    product = await room.world.add_product("LED")
    await room.receive(product, 10)
    recorded = await room.do(inventories.count, draft=counted("LED", 7))

    await room.do(inventories.validate, inventory_id=recorded.inventory_id)

    assert await room.stock(product) == [("A-01", None, Decimal(7), Decimal(0))]
    with pytest.raises(Conflict):
        await room.do(inventories.validate, inventory_id=recorded.inventory_id)
    await room.balance()


async def test_a_cancelled_inventory_changes_nothing_and_is_over(room: Stockroom) -> None:
    product = await room.world.add_product("LED")
    await room.receive(product, 10)
    id_ = (await room.do(inventories.count, draft=counted("LED", 7))).inventory_id

    await room.do(inventories.cancel, inventory_id=id_)

    assert await room.stock(product) == [("A-01", None, Decimal(10), Decimal(0))]
    await room.do(inventories.cancel, inventory_id=id_)
    with pytest.raises(Conflict):
        await room.do(inventories.validate, inventory_id=id_)
    with pytest.raises(Conflict):
        await room.do(inventories.count, draft=counted("LED", 7, inventory_id=id_))
    with pytest.raises(NotFound):
        await room.do(inventories.cancel, inventory_id=99)


async def test_counts_of_many_products_in_any_order_never_stop_each_other(room: Stockroom) -> None:
    codes = [f"P{n}" for n in range(6)]
    for code in codes:
        product = await room.world.add_product(code)
        await room.receive(product, 10)
        await room.receive(product, 10, A02)

    async def take_stock(order: list[str], quantity: int) -> None:
        first = await room.do(inventories.count, draft=counted(order[0], quantity))
        for code in order[1:]:
            await room.do(inventories.count, draft=counted(code, quantity, inventory_id=first.inventory_id))
        await room.do(inventories.validate, inventory_id=first.inventory_id)

    await asyncio.gather(*(take_stock(codes[::step], 10 + step) for step in (1, -1) for _ in range(3)))

    await room.balance()
    assert await room.world.value("SELECT count(*) FROM inventories WHERE status = 4") == 6


async def test_the_right_to_count_is_asked_for(room: Stockroom) -> None:
    await room.world.add_product("LED")
    plain = Scope({room.tenant_id: Grant(Level.USER)})

    with pytest.raises(NotAllowed):
        await room.database.write(plain, lambda work: inventories.count(work, draft=counted("LED", 7)))


async def test_a_cancelled_production_order_cannot_be_closed(room: Stockroom) -> None:
    product = await room.world.add_product("LAMP")
    draft = ProductionOrderDraft(product_id=product, quantity=Decimal(2), third_party_reference="p-1")
    (id_,) = await room.do(production.add, production_orders=[draft])

    await room.do(production.cancel, production_order_ids=[id_])

    with pytest.raises(Conflict):
        await room.do(production.close, production_order_id=id_, output=production.Output())
    assert await room.stock(product) == []
