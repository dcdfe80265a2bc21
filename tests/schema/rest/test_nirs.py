import asyncio
from typing import Any

import pytest

from tests.schema.rest.houses import House

LINE = {"code": "LED", "quantity": 20, "externalLineId": "1", "locationCode": "A-01", "purchasePrice": 8.1}


@pytest.fixture
async def led(house: House) -> int:
    return int((await house.add("product", name="Bec LED", code="LED"))["productId"])


async def supplier(house: House, **fields: Any) -> int:
    return int((await house.add("company", **({"name": "Lumen SA", "type": "SUPPLIER"} | fields)))["companyId"])


async def in_stock(house: House, product_id: int) -> Any:
    (product,) = (await house.post("/api/product/read", {"productIds": [product_id]})).data
    return product["totalQuantityInStock"]


async def references(house: House, **filters: Any) -> list[str]:
    return [nir["externalReference"] for nir in (await house.post("/api/nir/read", filters)).data]


async def test_a_nir_is_shown_with_all_its_keys(house: House, led: int) -> None:
    lumen = await supplier(house)

    nir = await house.add(
        "nir",
        externalReference="IN-551",
        thirdPartyReference="erp-5",
        supplierId=lumen,
        packagingType="box",
        comment="fragile",
        nirProducts=[LINE | {"batchCode": "B7", "expirationDate": "2028-12-31", "snList": []}],
    )

    warehouse = await house.value("SELECT id FROM warehouses WHERE is_default")
    assert nir == {
        "nirId": nir["nirId"],
        "externalReference": "IN-551",
        "warehouseId": warehouse,
        "validated": False,
        "status": 2,
        "nirProducts": [
            {
                "nirProductId": nir["nirProducts"][0]["nirProductId"],
                "productId": led,
                "code": "LED",
                "name": "Bec LED",
                "quantity": 20,
                "validatedQuantity": 0,
                "externalLineId": "1",
                "purchasePrice": 8.1,
                "locationCode": "A-01",
                "batchCode": "B7",
                "productionDate": None,
                "expirationDate": "2028-12-31",
                "snList": [],
            }
        ],
        "thirdPartyReference": "erp-5",
        "purchaseOrders": [],
        "supplierId": lumen,
        "supplierName": "Lumen SA",
        "packagingType": "box",
        "comment": "fragile",
        "dateAdded": nir["dateAdded"],
        "dateValidated": None,
    }
    assert nir["dateAdded"].endswith("Z")
    assert await in_stock(house, led) == 0


async def test_goods_without_validation_are_in_stock_at_once(house: House, led: int) -> None:
    nir = await house.add(
        "nir", externalReference="IN", validationRequired=False, nirProducts=[LINE, LINE | {"externalLineId": "2"}]
    )

    assert (nir["status"], nir["validated"]) == (3, True)
    assert nir["dateValidated"].endswith("Z")
    assert [line["validatedQuantity"] for line in nir["nirProducts"]] == [20, 20]
    assert await in_stock(house, led) == 40
    again = await house.put(
        "/api/nir/add", {"externalReference": "IN", "validationRequired": False, "nirProducts": [LINE]}
    )
    assert again.refused(409) == "externalReference: IN already exists"
    assert await in_stock(house, led) == 40


async def test_equal_adds_at_once_book_once(house: House, led: int) -> None:
    request = {"externalReference": "IN", "validationRequired": False, "nirProducts": [LINE]}

    answers = await asyncio.gather(*(house.put("/api/nir/add", request) for _ in range(5)))

    assert sorted(answer.status for answer in answers) == [200, 409, 409, 409, 409]
    assert await in_stock(house, led) == 20


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"externalReference": None}, "externalReference"),
        ({"externalReference": " "}, "externalReference"),
        ({"warehouseId": "1"}, "warehouseId"),
        ({"supplierId": 1.5}, "supplierId"),
        ({"validationRequired": 1}, "validationRequired"),
        ({"packagingType": "x" * 65}, "packagingType"),
        ({"comment": "x" * 4001}, "comment"),
        ({"nirProducts": {}}, "nirProducts"),
        ({"nirProducts": ["LED"]}, "nirProducts[0]"),
        ({"nirProducts": [{"code": "LED"}]}, "nirProducts[0].quantity"),
        ({"nirProducts": [{"quantity": 1}]}, "nirProducts[0].code"),
        ({"nirProducts": [LINE | {"quantity": 0}]}, "nirProducts[0].quantity"),
        ({"nirProducts": [LINE | {"quantity": "1"}]}, "nirProducts[0].quantity"),
        ({"nirProducts": [LINE | {"quantity": 1.00001}]}, "nirProducts[0].quantity"),
        ({"nirProducts": [LINE | {"purchasePrice": -1}]}, "nirProducts[0].purchasePrice"),
        ({"nirProducts": [LINE | {"expirationDate": "31.12.2028"}]}, "nirProducts[0].expirationDate"),
        ({"nirProducts": [LINE | {"expirationDate": "2027-02-29"}]}, "nirProducts[0].expirationDate"),
        ({"nirProducts": [LINE | {"batchCode": "x" * 65}]}, "nirProducts[0].batchCode"),
        ({"nirProducts": [LINE | {"snList": [""]}]}, "nirProducts[0].snList"),
        ({"nirProducts": [LINE | {"snList": "S1"}]}, "nirProducts[0].snList"),
        ({"nirProducts": [LINE, LINE]}, "nirProducts[1].externalLineId"),
        ({"nirProducts": [LINE] * 5001}, "nirProducts"),
    ],
)
async def test_bad_input_is_refused_by_path(house: House, led: int, change: dict[str, Any], words: str) -> None:
    (await house.put("/api/nir/add", {"externalReference": "IN", **change})).refused(400, words)
    assert await references(house) == []


async def test_what_does_not_exist_is_not_found(house: House, led: int) -> None:
    client = await supplier(house, type="CLIENT")

    for fields in (
        {"nirProducts": [LINE | {"code": "NONE"}]},
        {"nirProducts": [LINE | {"locationCode": "NONE"}]},
        {"nirProducts": [LINE | {"locationCode": "B-01"}]},
        {"warehouseId": 99},
        {"supplierId": 99},
    ):
        (await house.put("/api/nir/add", {"externalReference": "IN", **fields})).refused(404)
    (await house.put("/api/nir/add", {"externalReference": "IN", "supplierId": client})).refused(400, "supplierId")
    assert await references(house) == []


@pytest.mark.parametrize(
    ("flags", "line", "status"),
    [
        ({"requiresBatchCode": True}, {}, 400),
        ({"requiresBatchCode": True}, {"batchCode": "B"}, 200),
        ({"requiresProductionDate": True}, {"expirationDate": "2028-01-01"}, 400),
        ({"requiresProductionDate": True}, {"productionDate": "2026-01-01"}, 200),
        ({"requiresExpirationDate": True}, {}, 400),
        ({"requiresExpirationDate": True}, {"expirationDate": "2028-01-01"}, 200),
        ({"requiresBatchDetails": True}, {"batchCode": "B"}, 400),
        ({"requiresBatchDetails": True}, {"productionDate": "2026-01-01"}, 200),
        ({"requiresSerialNumber": True}, {}, 400),
        ({"requiresSerialNumber": True}, {"snList": ["1"]}, 400),
        ({"requiresSerialNumber": True}, {"snList": ["1", "1"]}, 400),
        ({"requiresSerialNumber": True}, {"snList": ["1", "2", "3"]}, 400),
        ({"requiresSerialNumber": True}, {"quantity": 1.5, "snList": ["1"]}, 400),
        ({"requiresSerialNumber": True}, {"snList": ["1", "2"]}, 200),
        ({}, {"productionDate": "2028-01-02", "expirationDate": "2028-01-01"}, 400),
    ],
)
async def test_traceability_is_checked_when_goods_are_booked(
    house: House, flags: dict[str, Any], line: dict[str, Any], status: int
) -> None:
    product = await house.add("product", name="p", code="P", **flags)
    request = {
        "externalReference": "IN",
        "validationRequired": False,
        "nirProducts": [{"code": "P", "quantity": 2} | line],
    }

    answer = await house.put("/api/nir/add", request)

    assert answer.status == status, answer.body
    assert await in_stock(house, product["productId"]) == (2 if status == 200 else 0)


async def test_missing_traceability_is_told_before_a_taken_reference(house: House, led: int) -> None:
    await house.add("product", name="b", code="B", requiresBatchCode=True)
    await house.add("nir", externalReference="IN", nirProducts=[LINE])
    request = {"externalReference": "IN", "validationRequired": False, "nirProducts": [{"code": "B", "quantity": 1}]}

    (await house.put("/api/nir/add", request)).refused(400, "nirProducts[0].batchCode")
    (await house.put("/api/nir/add", request | {"validationRequired": True})).refused(409, "externalReference")


async def test_other_dates_of_a_known_batch_and_known_serials_are_conflicts(house: House) -> None:
    await house.add("product", name="b", code="B", requiresBatchCode=True)
    await house.add("product", name="s", code="S", requiresSerialNumber=True)
    goods = [
        {"code": "B", "quantity": 1, "batchCode": "B1", "expirationDate": "2028-01-01"},
        {"code": "S", "quantity": 1, "snList": ["S1"]},
    ]
    await house.add("nir", externalReference="1", validationRequired=False, nirProducts=goods)

    for line in (goods[0] | {"expirationDate": "2029-01-01"}, goods[1]):
        request = {"externalReference": "2", "validationRequired": False, "nirProducts": [line]}
        (await house.put("/api/nir/add", request)).refused(409)
        waiting = await house.put("/api/nir/add", request | {"validationRequired": True, "externalReference": "3"})
        assert waiting.data[0]["status"] == 2
        assert (await house.delete("/api/nir/delete", {"externalReferences": ["3"]})).status == 200


async def test_an_open_nir_can_be_updated(house: House, led: int) -> None:
    lumen = await supplier(house)
    nir = (await house.add("nir", externalReference="IN", comment="a", nirProducts=[LINE]))["nirId"]

    changed = await house.patch(
        "/api/nir/update",
        {
            "externalReference": "IN",
            "updateFields": {"supplierId": lumen, "comment": None, "nirProducts": [LINE | {"quantity": 3}]},
        },
    )
    (shown,) = changed.data
    assert (shown["supplierId"], shown["comment"], shown["nirProducts"][0]["quantity"]) == (lumen, None, 3)
    emptied = await house.patch("/api/nir/update", {"nirId": nir, "updateFields": {"nirProducts": []}})
    assert emptied.data[0]["status"] == 1
    validated = await house.patch(
        "/api/nir/update", {"nirId": nir, "updateFields": {"nirProducts": [LINE], "validationRequired": False}}
    )
    assert (validated.data[0]["status"], await in_stock(house, led)) == (3, 20)
    late = await house.patch("/api/nir/update", {"nirId": nir, "updateFields": {"comment": "late"}})
    late.refused(409)


async def test_bad_updates_are_refused(house: House, led: int) -> None:
    nir = (await house.add("nir", externalReference="IN", nirProducts=[LINE]))["nirId"]
    await house.add("nir", externalReference="OTHER", thirdPartyReference="t")

    async def refused(status: int, words: str, **body: Any) -> None:
        (await house.patch("/api/nir/update", body)).refused(status, words)

    await refused(400, "nirId", updateFields={})
    await refused(400, "updateFields", nirId=nir)
    await refused(
        400, "updateFields.nirProducts[0].quantity", nirId=nir, updateFields={"nirProducts": [{"code": "LED"}]}
    )
    await refused(404, "", nirId=99, updateFields={})
    await refused(404, "", nirId=nir, externalReference="OTHER", updateFields={})
    await refused(404, "", nirId=nir, updateFields={"warehouseId": 99})
    await refused(409, "thirdPartyReference", nirId=nir, updateFields={"thirdPartyReference": "t"})


async def test_filters(house: House, led: int) -> None:
    lumen = await supplier(house, externalReference="lumen")
    first = (await house.add("nir", externalReference="1", supplierId=lumen, thirdPartyReference="t"))["nirId"]
    south = await house.value("SELECT id FROM warehouses WHERE code = 'SOUTH'")
    await house.add("nir", externalReference="2", warehouseId=south)
    await house.add("nir", externalReference="3", nirProducts=[LINE], validationRequired=False)

    assert await references(house) == ["1", "2", "3"]
    assert await references(house, nirIds=[first]) == ["1"]
    assert await references(house, externalOrderIds=["2", "3", "x"]) == ["2", "3"]
    assert await references(house, externalClientIds=["lumen"]) == ["1"]
    assert await references(house, externalClientIds=["none"]) == []
    assert await references(house, warehouseIds=[south]) == ["2"]
    assert await references(house, thirdPartyReferenceIds=["t"]) == ["1"]
    assert await references(house, statuses=[1, 3]) == ["1", "2", "3"]
    assert await references(house, statuses=[3]) == ["3"]
    assert await references(house, statuses=[77]) == []
    assert await references(house, limit=1, page=2) == ["2"]


async def test_validation_info(house: House, led: int) -> None:
    drill = (await house.add("product", name="Drill", code="D", requiresSerialNumber=True))["productId"]
    waiting = (await house.add("nir", externalReference="1", nirProducts=[LINE]))["nirId"]
    nir = await house.add(
        "nir",
        externalReference="2",
        validationRequired=False,
        nirProducts=[
            LINE | {"batchCode": "B", "productionDate": "2026-01-01"},
            {"code": "D", "quantity": 2, "snList": ["S1", "S2"]},
        ],
    )

    before = (await house.post("/api/nir/validation-info", {"nirId": waiting}, user="viewer")).data
    assert before == {
        "nirId": waiting,
        "externalReference": "1",
        "validated": False,
        "validationDate": None,
        "userId": None,
        "userUsername": None,
        "scanInfoList": [],
    }
    info = (await house.post("/api/nir/validation-info", {"externalReference": "2"})).data
    assert (info["validated"], info["userUsername"], info["validationDate"]) == (
        True,
        "integrator",
        nir["dateValidated"],
    )
    assert info["userId"] == await house.value("SELECT id FROM users WHERE username = 'integrator'")
    first, *pieces = info["scanInfoList"]
    assert first == {
        "scanId": first["scanId"],
        "productId": led,
        "productCode": "LED",
        "productName": "Bec LED",
        "quantity": 20,
        "locationCode": "A-01",
        "batchCode": "B",
        "productionDate": "2026-01-01",
        "expirationDate": None,
        "sn": None,
        "ssccCode": None,
        "scanDate": first["scanDate"],
        "username": "integrator",
    }
    assert [(scan["productId"], scan["quantity"], scan["sn"], scan["locationCode"]) for scan in pieces] == [
        (drill, 1, "S1", "RECEPTION"),
        (drill, 1, "S2", "RECEPTION"),
    ]
    for body, status in (({}, 400), ({"nirId": 99}, 404), ({"nirId": waiting, "externalReference": "2"}, 404)):
        (await house.post("/api/nir/validation-info", body)).refused(status)


async def test_reference_and_packaging_change_in_every_status(house: House, led: int) -> None:
    nir = (await house.add("nir", externalReference="1", validationRequired=False, nirProducts=[LINE]))["nirId"]
    await house.add("nir", externalReference="2")

    async def rename(**body: Any) -> Any:
        return await house.patch("/api/nir/update-external-reference", body)

    assert (await rename(nirId=nir, externalReference="1")).data[0]["externalReference"] == "1"
    assert (await rename(nirId=nir, externalReference="3")).data[0]["externalReference"] == "3"
    (await rename(nirId=nir, externalReference="2")).refused(409, "externalReference: 2 already exists")
    (await rename(nirId=99, externalReference="4")).refused(404)
    (await rename(nirId=nir)).refused(400, "externalReference")
    (await rename(externalReference="4")).refused(400, "nirId")
    packed = await house.patch("/api/nir/update-packaging-type", {"externalReference": "3", "packagingType": "pallet"})
    assert packed.data[0]["packagingType"] == "pallet"
    (await house.patch("/api/nir/update-packaging-type", {"nirId": nir})).refused(400, "packagingType")
    (await house.patch("/api/nir/update-packaging-type", {"packagingType": "x"})).refused(400)


async def test_a_validated_nir_cannot_be_deleted(house: House, led: int) -> None:
    first = (await house.add("nir", externalReference="1", nirProducts=[LINE]))["nirId"]
    second = (await house.add("nir", externalReference="2", nirProducts=[LINE], validationRequired=False))["nirId"]

    (await house.delete("/api/nir/delete", {"nirIds": [first, second]})).refused(409)
    (await house.delete("/api/nir/delete", {"nirIds": [first], "externalReferences": ["none"]})).refused(404)
    (await house.delete("/api/nir/delete", {})).refused(400)
    assert (await house.delete("/api/nir/delete", {"externalReferences": ["1"], "nirIds": [first]})).data == [first]
    assert await references(house) == ["2"]
    assert (await house.add("nir", externalReference="1"))["nirId"] > second


async def test_a_purchase_order_is_shown_by_its_nirs(house: House, led: int) -> None:
    lumen = await supplier(house)
    nir = await house.add("nir", externalReference="1", supplierId=lumen)
    order = await house.post(
        "/api/purchase-order/add",
        {"date": "01.03.2026", "supplier": lumen, "nirs": [nir["nirId"]], "documentNumber": "PO-9"},
    )

    (shown,) = (await house.post("/api/nir/read", {"nirIds": [nir["nirId"]]})).data

    assert shown["purchaseOrders"] == [{"purchaseOrderId": order.data["purchaseOrderId"], "documentNumber": "PO-9"}]


async def test_a_viewer_reads_only(house: House, led: int) -> None:
    for method, path in (
        ("PUT", "add"),
        ("PATCH", "update"),
        ("DELETE", "delete"),
        ("PATCH", "update-external-reference"),
        ("PATCH", "update-packaging-type"),
    ):
        (await house.call(method, f"/api/nir/{path}", {}, user="viewer")).refused(403)
    assert (await house.post("/api/nir/read", user="viewer")).data == []
