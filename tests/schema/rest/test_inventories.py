"""`/api/inventory`: counts beside what the stock said, and corrections by the difference."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from tests.hub.services.stockrooms import A02
from tests.schema.rest.houses import House

ADJUST = "/api/inventory/stock-adjustment"


def counted(model: str, quantity: Any, **more: Any) -> dict[str, Any]:
    return {"locationCode": "A-01", "model": model, "quantity": quantity} | more


async def test_a_count_alone_changes_no_stock(house: House) -> None:
    product = await house.room.world.add_product("LED")
    await house.room.receive(product, 18)

    adjusted = (await house.post(ADJUST, counted("LED", 20.5))).data

    assert adjusted == {
        "inventoryId": 1,
        "inventoryProductId": 1,
        "productId": product,
        "productCode": "LED",
        "locationCode": "A-01",
        "quantity": 20.5,
        "recordedQuantity": 18,
        "difference": 2.5,
        "stockBatchId": None,
        "stockBatchCode": None,
        "validated": False,
        "inventoryStatus": 2,
    }
    assert await house.room.stock(product) == [("A-01", None, Decimal(18), Decimal(0))]


@pytest.mark.parametrize(("quantity", "status"), [(20, 4), (5, 4), (0, 4), (18, 3)])
async def test_validation_brings_the_stock_to_the_count(house: House, quantity: int, status: int) -> None:
    product = await house.room.world.add_product("LED")
    await house.room.receive(product, 18)

    adjusted = (await house.post(ADJUST, counted("LED", quantity, validate=True))).data

    assert (adjusted["validated"], adjusted["inventoryStatus"]) == (True, status)
    stock = await house.room.stock(product)
    assert sum(item[2] for item in stock) == quantity
    await house.room.balance()


async def test_goods_that_nobody_knew_of_come_into_being(house: House) -> None:
    product = await house.room.world.add_product("LED", requires_batch_code=True, requires_expiration_date=True)

    adjusted = (
        await house.post(ADJUST, counted("LED", 3, stockBatchCode="B1", expirationDate="2030-01-31", validate=True))
    ).data

    assert (adjusted["stockBatchId"], adjusted["stockBatchCode"], adjusted["difference"]) == (1, "B1", 3)
    assert await house.room.stock(product) == [("A-01", "B1", Decimal(3), Decimal(0))]
    await house.room.balance()


async def test_a_second_count_of_the_same_goods_replaces_the_first(house: House) -> None:
    product = await house.room.world.add_product("LED")
    await house.room.receive(product, 18)
    first = (await house.post(ADJUST, counted("LED", 10))).data
    await house.room.take(product, 3)

    second = (await house.post(ADJUST, counted("LED", 14, inventoryId=first["inventoryId"]))).data

    assert second["inventoryProductId"] == first["inventoryProductId"]
    assert (second["quantity"], second["recordedQuantity"]) == (14, 15)
    inventory = (await house.get(f"/api/inventory/{first['inventoryId']}")).data
    assert len(inventory["inventoryProducts"]) == 1


async def test_counts_are_kept_apart_by_place_and_batch(house: House) -> None:
    product = await house.room.world.add_product("LED")
    await house.room.receive(product, 5, batch="B1")
    await house.room.receive(product, 6, batch="B2")
    await house.room.receive(product, 7)
    await house.room.receive(product, 8, A02)
    inventory = (await house.post(ADJUST, counted("LED", 5, stockBatchCode="B1"))).data["inventoryId"]
    more = {"inventoryId": inventory}

    await house.post(ADJUST, counted("LED", 4, stockBatchCode="B2", **more))
    await house.post(ADJUST, counted("LED", 9, **more))
    await house.post(ADJUST, counted("LED", 8, **more, locationCode="A-02") | {"validate": True})

    assert await house.room.stock(product) == [
        ("A-01", "B1", Decimal(5), Decimal(0)),
        ("A-01", "B2", Decimal(4), Decimal(0)),
        ("A-01", None, Decimal(9), Decimal(0)),
        ("A-02", None, Decimal(8), Decimal(0)),
    ]
    delta = (await house.get(f"/api/inventory/{inventory}/delta")).data
    assert [(row["stockBatchCode"], row["recordedQuantity"], row["quantity"], row["delta"]) for row in delta] == [
        ("B2", 6, 4, -2),
        (None, 7, 9, 2),
    ]
    await house.room.balance()


async def test_the_difference_at_the_moment_of_the_count_is_what_is_corrected(house: House) -> None:
    product = await house.room.world.add_product("LED")
    other = await house.room.world.add_product("TV")
    await house.room.receive(product, 18)
    inventory = (await house.post(ADJUST, counted("LED", 20))).data["inventoryId"]
    await house.room.take(product, 3)

    await house.post(ADJUST, counted("TV", 0, inventoryId=inventory, validate=True))

    assert await house.room.stock(product) == [("A-01", None, Decimal(17), Decimal(0))]
    assert await house.room.stock(other) == []


async def test_what_the_caller_believed_must_be_true(house: House) -> None:
    product = await house.room.world.add_product("LED")
    await house.room.receive(product, 18)

    (await house.post(ADJUST, counted("LED", 20, recordedQuantity=17))).refused(409, "recordedQuantity")
    await house.post(ADJUST, counted("LED", 20, recordedQuantity=18.0))

    assert await house.value("SELECT count(*) FROM inventories") == 1


async def test_reserved_goods_are_never_counted_away(house: House) -> None:
    product = await house.room.world.add_product("LED")
    await house.room.receive(product, 10)
    await house.room.order("WEB-1", ("LED", 8))

    (await house.post(ADJUST, counted("LED", 7, validate=True))).refused(409, "stock insufficient")
    adjusted = await house.post(ADJUST, counted("LED", 8, validate=True))

    assert adjusted.data["difference"] == -2
    assert await house.value("SELECT count(*) FROM inventories") == 1
    assert await house.room.stock(product) == [("A-01", None, Decimal(8), Decimal(8))]
    await house.room.balance(orders=True)


async def test_locked_batches_are_counted_too(house: House) -> None:
    product = await house.room.world.add_product("LED")
    await house.room.receive(product, 10, batch="B1")
    await house.run("UPDATE batches SET locked = true")

    await house.post(ADJUST, counted("LED", 4, stockBatchId=1, validate=True))

    assert await house.room.stock(product) == [("A-01", "B1", Decimal(4), Decimal(0))]


async def test_the_serial_numbers_counted_replace_those_of_the_place(house: House) -> None:
    product = await house.room.world.add_product("TV", requires_serial_number=True)
    await house.room.receive(product, 3, serials=("S1", "S2", "S3"))

    adjusted = (await house.post(ADJUST, counted("TV", 3, snList=["S3", "S2", "S9"], validate=True))).data

    assert (adjusted["difference"], adjusted["inventoryStatus"]) == (0, 4)
    assert [item[1] for item in await house.room.stock(product)] == ["S2", "S3", "S9"]
    inventory = (await house.get(f"/api/inventory/{adjusted['inventoryId']}")).data
    assert inventory["inventoryProducts"][0]["snList"] == ["S2", "S3", "S9"]
    (await house.post(ADJUST, counted("TV", 2, snList=["S2", "S2"]))).refused(400, "snList")
    (await house.post(ADJUST, counted("TV", 2, snList=["S2"]))).refused(400, "snList")
    (await house.post(ADJUST, counted("TV", 2))).refused(400, "snList")
    (await house.post(ADJUST, counted("TV", 1, snList=["S2"], locationCode="A-02", validate=True))).refused(409, "S2")
    assert (await house.post(ADJUST, counted("TV", 0, validate=True))).data["difference"] == -3
    await house.room.balance()


async def test_a_batch_is_named_once_and_rightly(house: House) -> None:
    product = await house.room.world.add_product("LED", requires_batch_code=True)
    await house.room.world.add_product("TV")
    await house.room.receive(product, 5, batch="B1", expires="2030-01-31")

    (await house.post(ADJUST, counted("LED", 5))).refused(400, "stockBatchCode")
    (await house.post(ADJUST, counted("LED", 5, stockBatchId=1, stockBatchCode="B2"))).refused(400, "stockBatchCode")
    (await house.post(ADJUST, counted("LED", 5, stockBatchId=99))).refused(404, "stockBatchId")
    (await house.post(ADJUST, counted("TV", 5, stockBatchId=1))).refused(404, "stockBatchId")
    (await house.post(ADJUST, counted("LED", 5, stockBatchId=1, expirationDate="2031-01-31"))).refused(
        409, "expirationDate"
    )
    agreed = (await house.post(ADJUST, counted("LED", 5, stockBatchId=1, stockBatchCode="B1"))).data
    assert (agreed["recordedQuantity"], agreed["stockBatchId"]) == (5, 1)
    (await house.post(ADJUST, counted("LED", 1, stockBatchCode="B9", expirationDate="2031-02-30"))).refused(
        400, "expirationDate"
    )


async def test_traceability_of_added_goods_is_asked_for_at_validation(house: House) -> None:
    product = await house.room.world.add_product("LED", requires_expiration_date=True)

    assert (await house.post(ADJUST, counted("LED", 5))).status == 200
    (await house.post(ADJUST, counted("LED", 5, validate=True))).refused(400, "expirationDate")
    await house.post(ADJUST, counted("LED", 5, expirationDate="2030-01-31", validate=True))

    assert await house.room.stock(product) == [("A-01", None, Decimal(5), Decimal(0))]


async def test_goods_without_a_batch_code_are_counted_together_whatever_their_dates(house: House) -> None:
    product = await house.room.world.add_product("MILK", requires_expiration_date=True)
    await house.room.receive(product, 5, expires="2030-01-31")
    await house.room.receive(product, 6, expires="2029-01-31")
    await house.room.receive(product, 7, batch="B1", expires="2028-01-31")

    adjusted = (await house.post(ADJUST, counted("MILK", 4, recordedQuantity=11, validate=True))).data

    assert adjusted["difference"] == -7
    stock = await house.room.stock(product)
    assert sorted((name, quantity) for _, name, quantity, _ in stock if name) == [("B1", Decimal(7))]
    assert [quantity for _, name, quantity, _ in stock if name is None] == [Decimal(4)]
    left = await house.value(
        "SELECT expiration_date FROM stock_items i JOIN batches b ON b.id = i.batch_id "
        "AND b.tenant_id = i.tenant_id WHERE b.code IS NULL"
    )
    assert str(left) == "2030-01-31"
    dated = (await house.post(ADJUST, counted("MILK", 9, expirationDate="2030-01-31", validate=True))).data
    assert dated["recordedQuantity"] == 4
    await house.room.balance()


async def test_a_validated_inventory_is_over(house: House) -> None:
    await house.room.world.add_product("LED")
    inventory = (await house.post(ADJUST, counted("LED", 5, validate=True))).data["inventoryId"]

    (await house.post(ADJUST, counted("LED", 6, inventoryId=inventory))).refused(409, "inventoryId")
    (await house.post(ADJUST, counted("LED", 6, inventoryId=inventory, validate=True))).refused(409)


async def test_what_does_not_exist_is_named(house: House) -> None:
    await house.room.world.add_product("LED")
    inventory = (await house.post(ADJUST, counted("LED", 5))).data["inventoryId"]

    (await house.post(ADJUST, counted("LED", 5, locationCode="Z"))).refused(404, "locationCode")
    (await house.post(ADJUST, counted("nothing", 5))).refused(404, "model")
    (await house.post(ADJUST, counted("LED", 5, inventoryId=99))).refused(404, "inventoryId")
    (await house.post(ADJUST, counted("LED", 5, inventoryId=inventory, locationCode="B-01"))).refused(409)
    (await house.get("/api/inventory/99")).refused(404)
    (await house.get("/api/inventory/99/delta")).refused(404)
    (await house.get("/api/inventory/x")).refused(400, "id")


async def test_counts_made_at_once_do_not_add_up(house: House) -> None:
    product = await house.room.world.add_product("LED")
    await house.room.receive(product, 5)

    replies = await asyncio.gather(*(house.post(ADJUST, counted("LED", 10, validate=True)) for _ in range(6)))

    assert [reply.status for reply in replies] == [200] * 6
    assert await house.room.stock(product) == [("A-01", None, Decimal(10), Decimal(0))]
    await house.room.balance()


async def test_an_inventory_is_read_as_it_was_counted(house: House) -> None:
    product = await house.room.world.add_product("LED")
    await house.room.receive(product, 5, batch="B1", expires="2030-01-31", made="2029-01-31")
    inventory = (await house.post(ADJUST, counted("LED", 6, stockBatchCode="B1", validate=True))).data["inventoryId"]

    read = (await house.get(f"/api/inventory/{inventory}", user="viewer")).data

    assert read["dateAdded"].endswith("Z") and read["dateValidated"].endswith("Z")
    assert {name: read[name] for name in read if not name.startswith("date")} == {
        "inventoryId": inventory,
        "warehouseId": 1,
        "warehouseCode": "MAIN",
        "status": 4,
        "validated": True,
        "userUsername": "integrator",
        "inventoryProducts": [
            {
                "inventoryProductId": 1,
                "productId": product,
                "productName": "Product LED",
                "productCode": "LED",
                "locationCode": "A-01",
                "quantity": 6,
                "recordedQuantity": 5,
                "difference": 1,
                "stockBatchId": 1,
                "stockBatchCode": "B1",
                "productionDate": "2029-01-31",
                "expirationDate": "2030-01-31",
                "snList": [],
            }
        ],
    }
