import asyncio
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from hub.context import Actor, Grant, Level, Scope
from hub.errors import CallerError, Conflict, Invalid, NotAllowed, NotFound
from hub.services import categories, products
from hub.services.categories import CategoryDraft
from hub.services.outcomes import Effect, Outcome
from hub.services.products import ProductDraft
from tests.hub.sync.worlds import World


async def add(world: World, code: str, **fields: Any) -> int:
    draft = ProductDraft(name=fields.pop("name", f"Product {code}"), code=code, **fields)
    (id_,) = await world.database.write(world.scope, lambda work: products.add(work, products=[draft]))
    return id_


async def update(world: World, targets: Mapping[str, list[Any]], **changes: Any) -> list[int]:
    return await world.database.write(world.scope, lambda work: products.update(work, targets=targets, changes=changes))


async def delete(world: World, **targets: list[Any]) -> list[int]:
    return await world.database.write(world.scope, lambda work: products.delete(work, targets=targets))


async def upsert(world: World, *rows: tuple[int | None, Mapping[str, Any]]) -> list[Outcome]:
    return await world.database.write(world.scope, lambda work: products.upsert(work, products=rows))


async def add_category(world: World, reference: str) -> int:
    draft = CategoryDraft(name=reference.title(), external_reference=reference)
    (id_,) = await world.database.write(world.scope, lambda work: categories.add(work, categories=[draft]))
    return id_


async def put_in_stock(world: World, product_id: int) -> None:
    await world.run(
        "INSERT INTO stock_items (tenant_id, id, product_id, warehouse_id, location_id, quantity, reserved) "
        "VALUES (:tenant, :product, :product, 1, 2, 1, 0)",
        tenant=world.tenant_id,
        product=product_id,
    )


async def test_a_product_is_stored_as_given_and_can_be_searched(world: World) -> None:
    id_ = await add(world, "LED-9W", name="Bec ȘI fasung", sku="590", weight=Decimal("0.08"), vat_id=3)

    (row,) = await world.rows("SELECT * FROM products WHERE id = :id", id=id_)
    assert (row["name"], row["code"], row["sku"], row["vat_id"]) == ("Bec ȘI fasung", "LED-9W", "590", 3)
    assert (row["weight"], row["minimum_stock"], row["active"]) == (Decimal("0.08"), Decimal(0), True)
    assert row["search"] == "bec si fasung\nled-9w\n590"


@pytest.mark.parametrize("key", ["code", "sku", "third_party_reference"])
async def test_a_taken_key_is_a_conflict_that_names_it(world: World, key: str) -> None:
    await add(world, **{"code": "A", key: "same"})

    with pytest.raises(Conflict, match="same already exists") as refusal:
        await add(world, **{"code": "B", key: "same"})

    assert refusal.value.field == {"third_party_reference": "thirdPartyReference"}.get(key, key)
    assert await world.value("SELECT count(*) FROM products") == 1


async def test_keys_are_compared_exactly(world: World) -> None:
    await add(world, "led")

    assert await add(world, "LED")
    assert await add(world, "léd")
    assert await add(world, "led ")


async def test_two_equal_adds_at_once_make_one_product_and_one_conflict(world: World) -> None:
    outcomes = await asyncio.gather(*(add(world, "RACE") for _ in range(8)), return_exceptions=True)

    assert sum(isinstance(outcome, int) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, Conflict) and outcome.field == "code" for outcome in outcomes) == 7
    assert await world.value("SELECT count(*) FROM products") == 1


async def test_a_list_with_one_bad_product_adds_none(world: World) -> None:
    drafts = [ProductDraft(name="a", code="a"), ProductDraft(name="b", code="a")]

    with pytest.raises(Conflict, match="a already exists"):
        await world.database.write(world.scope, lambda work: products.add(work, products=drafts))

    assert await world.value("SELECT count(*) FROM products") == 0


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("name", "", "name"),
        ("name", " \t", "name"),
        ("name", "x" * 256, "name"),
        ("name", "a\x00b", "name"),
        ("name", "\ud800", "name"),
        ("code", " ", "code"),
        ("code", "x" * 129, "code"),
        ("sku", "", "sku"),
        ("third_party_reference", "  ", "thirdPartyReference"),
        ("purchase_price", Decimal("-0.01"), "purchasePrice"),
        ("selling_price", Decimal("1.00001"), "sellingPrice"),
        ("weight", Decimal(10) ** 14, "weight"),
        ("height", Decimal("NaN"), "height"),
        ("vat_percentage", Decimal("100.01"), "vatPercentage"),
        ("vat_id", 1 << 63, "vatId"),
        ("active", None, "active"),
        ("material", "x" * 129, "material"),
    ],
)
async def test_bad_values_are_refused_by_name(world: World, field: str, value: Any, named: str) -> None:
    with pytest.raises(Invalid) as refusal:
        await add(world, **{"code": "A", field: value})

    assert refusal.value.field == named


async def test_serial_number_and_batch_exclude_each_other(world: World) -> None:
    with pytest.raises(Invalid, match="both a serial number and a batch"):
        await add(world, "A", requires_serial_number=True, requires_batch_code=True)

    id_ = await add(world, "B", requires_serial_number=True)
    with pytest.raises(Invalid, match="both a serial number and a batch"):
        await update(world, {"id": [id_]}, requires_batch_code=True)
    assert await update(world, {"id": [id_]}, requires_batch_code=True, requires_serial_number=False) == [id_]


async def test_both_category_fields_must_agree(world: World) -> None:
    lighting, tools = await add_category(world, "lighting"), await add_category(world, "tools")

    by_reference = await add(world, "A", category_external_reference="lighting")
    both = await add(world, "B", category_external_reference="tools", category_id=tools)
    with pytest.raises(Invalid) as refusal:
        await add(world, "C", category_external_reference="tools", category_id=lighting)

    assert refusal.value.field == "categoryExternalReference"
    assert await world.value("SELECT category_id FROM products WHERE id = :id", id=by_reference) == lighting
    assert await world.value("SELECT category_id FROM products WHERE id = :id", id=both) == tools


async def test_an_unknown_category_or_unit_is_not_found(world: World) -> None:
    for field in ({"category_external_reference": "none"}, {"category_id": 999}, {"measurement_unit_id": 999}):
        with pytest.raises(NotFound):
            await add(world, "A", **field)
    with pytest.raises(Invalid, match="vatPercentage"):
        await add(world, "A", category_id=999, vat_percentage=Decimal(101))


async def test_the_category_of_another_tenant_is_unknown(world: World, other_world: World) -> None:
    foreign = await add_category(other_world, "lighting")

    with pytest.raises(NotFound):
        await add(world, "A", category_id=foreign)
    with pytest.raises(NotFound):
        await add(world, "A", category_external_reference="lighting")


async def test_an_update_sets_given_keys_clears_nulls_and_leaves_the_rest(world: World) -> None:
    category = await add_category(world, "lighting")
    id_ = await add(world, "A", sku="1", color="red", material="tin", category_id=category)

    await update(world, {"id": [id_]}, color="blue", sku=None, category_external_reference=None)

    (row,) = await world.rows("SELECT * FROM products WHERE id = :id", id=id_)
    assert (row["color"], row["sku"], row["material"], row["category_id"]) == ("blue", None, "tin", None)
    assert row["search"] == "product a\na"


async def test_an_update_reaches_every_target_once(world: World) -> None:
    first, second = await add(world, "A"), await add(world, "B", third_party_reference="erp-2")

    ids = await update(world, {"id": [second, first, first], "third_party_reference": ["erp-2"]}, color="red")

    assert ids == [first, second]
    assert await world.value("SELECT count(*) FROM products WHERE color = 'red'") == 2


async def test_an_unknown_target_changes_nothing(world: World) -> None:
    id_ = await add(world, "A")

    for targets in ({"id": [id_, 999]}, {"id": [id_], "code": ["none"]}, {"id": [1 << 63]}):
        with pytest.raises(NotFound):
            await update(world, targets, color="red")
    with pytest.raises(Invalid):
        await update(world, {"id": []}, color="red")

    assert await world.value("SELECT color FROM products WHERE id = :id", id=id_) is None


async def test_a_unique_key_fits_one_product_only(world: World) -> None:
    first, second = await add(world, "A"), await add(world, "B")

    with pytest.raises(Invalid) as refusal:
        await update(world, {"id": [first, second]}, sku="1")
    assert refusal.value.field == "sku"
    with pytest.raises(Invalid):
        await update(world, {"id": [first], "code": ["B"]}, sku="1")
    assert await update(world, {"id": [first], "code": ["A"]}, sku="1") == [first]


async def test_a_key_that_is_too_long_means_nobody(world: World) -> None:
    await add(world, "x" * 128)

    with pytest.raises(NotFound):
        await update(world, {"code": ["x" * 129]}, color="red")


async def test_its_own_key_is_no_conflict_and_another_one_is(world: World) -> None:
    first, _ = await add(world, "A", sku="1"), await add(world, "B", sku="2")

    assert await update(world, {"id": [first]}, code="A", sku="1") == [first]
    with pytest.raises(Conflict, match="2 already exists"):
        await update(world, {"id": [first]}, sku="2")


async def test_an_update_without_effect_writes_nothing(world: World) -> None:
    id_ = await add(world, "A", color="red")
    before = await world.value("SELECT updated_at FROM products WHERE id = :id", id=id_)

    await update(world, {"id": [id_]}, color="red")
    await update(world, {"id": [id_]})

    assert await world.value("SELECT updated_at FROM products WHERE id = :id", id=id_) == before
    assert await world.value("SELECT count(*) FROM events WHERE topic = 'product' AND kind = 'updated'") == 0


async def test_mandatory_values_cannot_be_cleared(world: World) -> None:
    id_ = await add(world, "A")

    for field in ("name", "code", "minimum_stock", "requires_batch_code"):
        with pytest.raises(Invalid, match="mandatory"):
            await update(world, {"id": [id_]}, **{field: None})


async def test_traceability_cannot_change_while_there_is_stock(world: World) -> None:
    id_ = await add(world, "A", requires_batch_details=True)
    await put_in_stock(world, id_)

    with pytest.raises(Conflict, match="traceability"):
        await update(world, {"id": [id_]}, requires_batch_details=False)
    assert await update(world, {"id": [id_]}, requires_batch_details=True, color="red") == [id_]

    await world.run("DELETE FROM stock_items")
    assert await update(world, {"id": [id_]}, requires_batch_details=False) == [id_]


async def test_a_deleted_product_frees_its_keys(world: World) -> None:
    id_ = await add(world, "A", sku="1")

    assert await delete(world, code=["A"]) == [id_]

    assert await add(world, "A", sku="1") > id_


@pytest.mark.parametrize(
    "insert",
    [
        "INSERT INTO stock_items (tenant_id, id, product_id, warehouse_id, location_id, quantity, reserved) "
        "VALUES (:tenant, 1, :product, 1, 2, 1, 0)",
        "INSERT INTO nirs (tenant_id, id, external_reference, warehouse_id, status, search) "
        "VALUES (:tenant, 1, 'n', 1, 2, ''); "
        "INSERT INTO nir_lines (tenant_id, id, nir_id, position, product_id, quantity, validated_quantity) "
        "VALUES (:tenant, 1, 1, 0, :product, 1, 0)",
        "INSERT INTO orders (tenant_id, id, external_order_id, warehouse_id, status, order_type, search) "
        "VALUES (:tenant, 1, 'o', 1, 6, 1, ''); "
        "INSERT INTO order_lines (tenant_id, id, order_id, position, product_id, quantity, reserved_quantity, "
        "picked_quantity) VALUES (:tenant, 1, 1, 0, :product, 1, 0, 0)",
    ],
)
async def test_a_used_product_cannot_be_deleted(world: World, insert: str) -> None:
    used, unused = await add(world, "USED"), await add(world, "UNUSED")
    for statement in insert.split("; "):
        await world.run(statement, tenant=world.tenant_id, product=used)

    with pytest.raises(Conflict, match=f"product {used} is used by"):
        await delete(world, id=[unused, used])

    assert await world.value("SELECT count(*) FROM products") == 2


async def test_a_viewer_changes_nothing(world: World) -> None:
    id_ = await add(world, "A")
    viewer = Scope({world.tenant_id: Grant(Level.VIEWER)}, Actor("user", 1, "viewer"))

    for action in (
        lambda work: products.add(work, products=[ProductDraft(name="b", code="B")]),
        lambda work: products.update(work, targets={"id": [id_]}, changes={"color": "red"}),
        lambda work: products.delete(work, targets={"id": [id_]}),
        lambda work: products.upsert(work, products=[(id_, {"color": "red"})]),
    ):
        with pytest.raises(NotAllowed):
            await world.database.write(viewer, action)


async def test_an_upsert_adds_changes_and_leaves_alone(world: World) -> None:
    kept, changed = await add(world, "KEPT", color="red"), await add(world, "CHANGED")

    outcomes = await upsert(
        world,
        (kept, {"code": "KEPT", "color": "red"}),
        (changed, {"name": "New name"}),
        (None, {"code": "NEW", "name": "New"}),
    )

    assert [outcome.effect for outcome in outcomes] == [Effect.UNCHANGED, Effect.UPDATED, Effect.ADDED]
    assert await world.value("SELECT name FROM products WHERE id = :id", id=changed) == "New name"
    assert await world.value("SELECT code FROM products WHERE id = :id", id=outcomes[2].id) == "NEW"


async def test_one_bad_row_never_stops_a_page(world: World) -> None:
    await add(world, "TAKEN")
    rows: list[tuple[int | None, dict[str, Any]]] = [(None, {"code": f"P{n}", "name": f"{n}"}) for n in range(500)]
    rows[100] = (None, {"code": "P100"})
    rows[200] = (None, {"code": "TAKEN", "name": "again"})
    rows[300] = (999_999, {"name": "gone"})
    rows[400] = (None, {"code": "P399", "name": "twice in one page"})

    outcomes = await upsert(world, *rows)

    refused: dict[int, CallerError | Any] = {
        place: outcome.error for place, outcome in enumerate(outcomes) if outcome.effect is Effect.REFUSED
    }
    assert {place: type(error) for place, error in refused.items()} == {
        100: Invalid,
        200: Conflict,
        300: NotFound,
        400: Conflict,
    }
    assert await world.value("SELECT count(*) FROM products") == 497


async def test_a_row_that_only_the_database_can_refuse_is_found(world: World) -> None:
    """Another writer takes a key between the check and the write."""
    rows: list[tuple[int | None, dict[str, Any]]] = [(None, {"code": f"P{n}", "name": f"{n}"}) for n in range(40)]

    async def slow_rival() -> None:
        async with world.database.unit_of_work(world.scope) as work:
            await products.add(work, products=[ProductDraft(name="rival", code="P17")])
            started.set()
            await asyncio.sleep(0.3)

    started = asyncio.Event()
    rival = asyncio.create_task(slow_rival())
    await started.wait()
    outcomes = await upsert(world, *rows)
    await rival

    assert [place for place, outcome in enumerate(outcomes) if outcome.error] == [17]
    assert await world.value("SELECT count(*) FROM products") == 40
    assert await world.value("SELECT count(*) FROM events WHERE topic = 'product' AND kind = 'added'") == 40


async def test_every_change_is_told(world: World) -> None:
    id_ = await add(world, "A")
    await update(world, {"id": [id_]}, color="red")
    await delete(world, id=[id_])

    told = await world.rows("SELECT kind, subject_id FROM events WHERE topic = 'product' ORDER BY id")
    assert told == [{"kind": kind, "subject_id": id_} for kind in ("added", "updated", "deleted")]
