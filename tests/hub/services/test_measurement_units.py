from typing import Any

import pytest

from hub.errors import Conflict, Invalid
from hub.services import measurement_units, products
from hub.services.measurement_units import MeasurementUnitDraft
from hub.services.products import ProductDraft
from tests.hub.sync.worlds import World


async def add(world: World, code: str, **fields: Any) -> int:
    draft = MeasurementUnitDraft(name=f"Unit {code}", code=code, **fields)
    (id_,) = await world.database.write(world.scope, lambda work: measurement_units.add(work, units=[draft]))
    return id_


async def update(world: World, targets: dict[str, list[Any]], **changes: Any) -> list[int]:
    return await world.database.write(
        world.scope, lambda work: measurement_units.update(work, targets=targets, changes=changes)
    )


async def test_codes_are_unique(world: World) -> None:
    await add(world, "kg")

    with pytest.raises(Conflict, match="code: kg already exists"):
        await add(world, "kg")
    assert await add(world, "KG")


async def test_units_are_found_by_code(world: World) -> None:
    id_ = await add(world, "kg")

    assert await update(world, {"code": ["kg"]}, details="Kilogram", active=False) == [id_]
    with pytest.raises(Invalid, match="mandatory"):
        await update(world, {"code": ["kg"]}, code=None)


async def test_a_unit_of_a_product_cannot_be_deleted(world: World) -> None:
    used = await add(world, "kg")
    draft = ProductDraft(name="p", code="p", measurement_unit_id=used)
    await world.database.write(world.scope, lambda work: products.add(work, products=[draft]))

    with pytest.raises(Conflict, match="used by a product"):
        await world.database.write(world.scope, lambda work: measurement_units.delete(work, targets={"code": ["kg"]}))
