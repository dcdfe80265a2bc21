from typing import Any

import pytest

from tests.schema.rest.houses import House


@pytest.fixture
async def led(house: House) -> int:
    await house.add("company", name="Client", externalReference="c-1")
    return int((await house.add("product", name="Bec LED", code="LED"))["productId"])


async def picked_order(house: House, product_id: int, quantity: int) -> None:
    await house.run(
        "INSERT INTO orders (tenant_id, id, external_order_id, warehouse_id, status, order_type, search) "
        "VALUES (:tenant, 1, 'WEB-1', 1, 3, 1, '')",
        tenant=house.tenant_id,
    )
    await house.run(
        "INSERT INTO order_lines (tenant_id, id, order_id, position, product_id, quantity, reserved_quantity, "
        "picked_quantity) VALUES (:tenant, 1, 1, 0, :product, :quantity, 0, :quantity)",
        tenant=house.tenant_id,
        product=product_id,
        quantity=quantity,
    )


async def add(house: House, reference: str, quantity: Any = 1, **fields: Any) -> Any:
    request = {
        "externalReference": reference,
        "externalClientId": "c-1",
        "returnedProducts": [{"code": "LED", "quantity": quantity}],
    }
    return await house.put("/api/return/add", request | fields)


async def references(house: House, **filters: Any) -> list[str]:
    return [found["externalReference"] for found in (await house.post("/api/return/read", filters)).data]


async def test_a_return_is_shown_with_all_its_keys(house: House, led: int) -> None:
    await picked_order(house, led, 5)

    (shown,) = (await add(house, "R-1", 2, initialExternalOrderId="WEB-1", comment="broken")).data

    assert shown == {
        "returnId": shown["returnId"],
        "externalReference": "R-1",
        "thirdPartyReference": None,
        "externalClientId": "c-1",
        "companyId": await house.value("SELECT id FROM companies"),
        "companyName": "Client",
        "warehouseId": await house.value("SELECT id FROM warehouses WHERE is_default"),
        "initialExternalOrderId": "WEB-1",
        "status": 2,
        "validated": False,
        "comment": "broken",
        "dateAdded": shown["dateAdded"],
        "dateValidated": None,
        "returnedProducts": [
            {
                "returnProductId": shown["returnedProducts"][0]["returnProductId"],
                "productId": led,
                "code": "LED",
                "name": "Bec LED",
                "quantity": 2,
                "validatedQuantity": 0,
                "externalLineId": None,
                "locationCode": None,
                "batchCode": None,
                "productionDate": None,
                "expirationDate": None,
                "snList": [],
            }
        ],
    }
    assert (await add(house, "R-1")).refused(409) == "externalReference: R-1 already exists"


async def test_bad_and_unknown_input(house: House, led: int) -> None:
    line = {"code": "LED", "quantity": 1}
    for fields, status, words in (
        ({"externalReference": None}, 400, "externalReference"),
        ({"externalClientId": None}, 400, "externalClientId"),
        ({"externalClientId": "none"}, 404, "externalClientId"),
        ({"initialExternalOrderId": "none"}, 404, "initialExternalOrderId"),
        ({"warehouseId": 99}, 404, "warehouseId"),
        ({"returnedProducts": [{"code": "LED"}]}, 400, "returnedProducts[0].quantity"),
        ({"returnedProducts": [line | {"quantity": 0}]}, 400, "returnedProducts[0].quantity"),
        ({"returnedProducts": [line, line | {"code": "NONE"}]}, 404, "returnedProducts[1].code"),
        ({"returnedProducts": [line | {"locationCode": "B-01"}]}, 404, "returnedProducts[0].locationCode"),
        ({"validationRequired": "no"}, 400, "validationRequired"),
    ):
        (await add(house, "R", **fields)).refused(status, words)
    assert await references(house) == []


async def test_everything_back_makes_the_order_returned(house: House, led: int) -> None:
    await picked_order(house, led, 5)

    (first,) = (await add(house, "1", 3, initialExternalOrderId="WEB-1", validationRequired=False)).data
    assert (first["status"], first["validated"], first["returnedProducts"][0]["validatedQuantity"]) == (3, True, 3)
    assert await house.value("SELECT status FROM orders") == 3
    (await add(house, "2", 3, initialExternalOrderId="WEB-1")).refused(409)
    (await add(house, "2", 2, initialExternalOrderId="WEB-1", validationRequired=False)).data  # noqa: B018

    assert await house.value("SELECT status FROM orders") == 8
    assert await house.value("SELECT sum(quantity) FROM stock_items") == 5


async def test_missing_traceability_is_told_before_any_conflict(house: House, led: int) -> None:
    await picked_order(house, led, 1)
    await house.run("UPDATE products SET requires_batch_code = true")

    too_much = {"quantity": 2, "initialExternalOrderId": "WEB-1"}
    (await add(house, "1", **too_much, validationRequired=False)).refused(400, "returnedProducts[0].batchCode")
    (await add(house, "1", **too_much)).refused(409)


async def test_an_order_that_is_not_picked_cannot_come_back(house: House, led: int) -> None:
    await picked_order(house, led, 5)
    await house.run("UPDATE orders SET status = 7")

    (await add(house, "1", 1, initialExternalOrderId="WEB-1")).refused(409, "not picked")


async def test_filters(house: House, led: int) -> None:
    await house.add("company", name="Other", externalReference="c-2")
    await picked_order(house, led, 5)
    south = await house.value("SELECT id FROM warehouses WHERE code = 'SOUTH'")
    (first,) = (await add(house, "1", initialExternalOrderId="WEB-1", thirdPartyReference="t")).data
    await add(house, "2", externalClientId="c-2", warehouseId=south)
    await add(house, "3", validationRequired=False)

    assert await references(house) == ["1", "2", "3"]
    assert await references(house, returnIds=[first["returnId"]]) == ["1"]
    assert await references(house, externalReferences=["2", "x"]) == ["2"]
    assert await references(house, externalClientIds=["c-1"]) == ["1", "3"]
    assert await references(house, initialExternalOrderIds=["WEB-1", "x"]) == ["1"]
    assert await references(house, warehouseIds=[south]) == ["2"]
    assert await references(house, thirdPartyReferenceIds=["t"]) == ["1"]
    assert await references(house, statuses=[3]) == ["3"]
    assert await references(house, externalClientIds=["c-1"], statuses=[2]) == ["1"]


async def test_validation_info(house: House, led: int) -> None:
    (shown,) = (await add(house, "1", 2, validationRequired=False)).data

    info = (await house.post("/api/return/validation-info", {"externalReference": "1"}, user="viewer")).data

    assert (info["returnId"], info["validated"], info["userUsername"]) == (shown["returnId"], True, "integrator")
    assert list(info) == [
        "returnId",
        "externalReference",
        "validated",
        "validationDate",
        "userId",
        "userUsername",
        "scanInfoList",
    ]
    assert [(scan["productId"], scan["quantity"]) for scan in info["scanInfoList"]] == [(led, 2)]
    (await house.post("/api/return/validation-info", {})).refused(400)
    (await house.post("/api/return/validation-info", {"returnId": 99})).refused(404)


async def test_a_viewer_reads_only(house: House, led: int) -> None:
    (await house.put("/api/return/add", {}, user="viewer")).refused(403)
    assert (await house.post("/api/return/read", user="viewer")).data == []
