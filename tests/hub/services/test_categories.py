from typing import Any

import pytest

from hub.errors import Conflict, Invalid, NotFound
from hub.services import categories, products
from hub.services.categories import CategoryDraft
from hub.services.outcomes import Effect
from hub.services.products import ProductDraft
from tests.hub.sync.worlds import World


async def add(world: World, name: str, **fields: Any) -> int:
    draft = CategoryDraft(name=name, **fields)
    (id_,) = await world.database.write(world.scope, lambda work: categories.add(work, categories=[draft]))
    return id_


async def test_references_are_unique_and_names_are_not(world: World) -> None:
    await add(world, "Lighting", external_reference="l", third_party_reference="7")

    assert await add(world, "Lighting")
    with pytest.raises(Conflict, match="externalReference: l already exists"):
        await add(world, "Other", external_reference="l")
    with pytest.raises(Conflict, match="thirdPartyReference: 7 already exists"):
        await add(world, "Other", third_party_reference="7")


async def test_every_target_list_is_understood(world: World) -> None:
    by_id, by_reference, by_key = (
        await add(world, "a"),
        await add(world, "b", external_reference="b"),
        await add(world, "c", third_party_reference="c"),
    )

    ids = await world.database.write(
        world.scope,
        lambda work: categories.update(
            work,
            targets={"id": [by_id], "external_reference": ["b"], "third_party_reference": ["c"]},
            changes={"active": False},
        ),
    )

    assert ids == [by_id, by_reference, by_key]
    assert await world.value("SELECT count(*) FROM categories WHERE active") == 0


async def test_a_category_of_a_product_cannot_be_deleted(world: World) -> None:
    used, unused = await add(world, "used"), await add(world, "unused")
    draft = ProductDraft(name="p", code="p", category_id=used)
    await world.database.write(world.scope, lambda work: products.add(work, products=[draft]))

    with pytest.raises(Conflict, match="used by a product"):
        await world.database.write(world.scope, lambda work: categories.delete(work, targets={"id": [unused, used]}))
    deleted = await world.database.write(world.scope, lambda work: categories.delete(work, targets={"id": [unused]}))

    assert deleted == [unused]
    with pytest.raises(NotFound):
        await world.database.write(world.scope, lambda work: categories.delete(work, targets={"id": [unused]}))


async def test_a_page_of_categories_is_taken_in(world: World) -> None:
    id_ = await add(world, "Old")

    outcomes = await world.database.write(
        world.scope,
        lambda work: categories.upsert(
            work, categories=[(id_, {"name": "New"}), (None, {"name": ""}), (None, {"name": "B"})]
        ),
    )

    assert [outcome.effect for outcome in outcomes] == [Effect.UPDATED, Effect.REFUSED, Effect.ADDED]
    assert isinstance(outcomes[1].error, Invalid)
