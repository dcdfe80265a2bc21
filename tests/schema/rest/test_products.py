import asyncio
from typing import Any

import pytest

from tests.schema.rest.houses import House

EMPTY = {
    "sku": None,
    "thirdPartyReference": None,
    "categoryId": None,
    "categoryName": None,
    "vatId": None,
    "vatPercentage": None,
    "purchasePrice": None,
    "sellingPrice": None,
    "minimumStock": 0,
    "totalQuantityInStock": 0,
    "totalReservedQuantity": 0,
    "totalFreeQuantity": 0,
    "stockInfo": [],
    "requiresSerialNumber": False,
    "requiresBatchCode": False,
    "requiresBatchDetails": False,
    "requiresProductionDate": False,
    "requiresExpirationDate": False,
    "width": None,
    "height": None,
    "length": None,
    "weight": None,
    "volume": None,
    "diameter": None,
    "material": None,
    "color": None,
    "active": True,
    "measurementUnitId": None,
}


async def add(house: House, code: str, **fields: Any) -> int:
    return int((await house.add("product", name=f"Product {code}", code=code, **fields))["productId"])


async def codes(house: House, **filters: Any) -> list[str]:
    return [product["productCode"] for product in (await house.post("/api/product/read", filters)).data]


async def test_the_example_of_the_contract(house: House) -> None:
    category = await house.add("category", categoryName="Lighting", externalReference="lighting")
    request = {
        "name": "Bec LED 9W",
        "code": "LED-9W",
        "thirdPartyReference": "erp-771",
        "categoryExternalReference": "lighting",
        "vatPercentage": 21,
        "sellingPrice": 12.5,
        "weight": 0.08,
        "requiresBatchCode": True,
    }

    (product,) = (await house.put("/api/product/add", request)).data

    assert product == EMPTY | {
        "productId": product["productId"],
        "productName": "Bec LED 9W",
        "productCode": "LED-9W",
        "thirdPartyReference": "erp-771",
        "categoryId": category["categoryId"],
        "categoryName": "Lighting",
        "vatPercentage": 21,
        "sellingPrice": 12.5,
        "weight": 0.08,
        "requiresBatchCode": True,
    }
    again = await house.put("/api/product/add", request)
    assert again.refused(409) == "code: LED-9W already exists"
    assert len(await codes(house)) == 1


async def test_an_info_has_its_keys_in_the_order_of_the_contract(house: House) -> None:
    product = await house.add("product", name="a", code="a")

    assert list(product) == ["productId", "productName", "productCode", *EMPTY]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", None),
        ("name", ""),
        ("name", " "),
        ("name", True),
        ("name", ["a"]),
        ("name", "x" * 256),
        ("name", "a\x00"),
        ("code", None),
        ("code", "  "),
        ("code", "x" * 129),
        ("sku", ""),
        ("thirdPartyReference", " "),
        ("categoryId", "1"),
        ("categoryId", 1.5),
        ("categoryId", 1 << 63),
        ("vatPercentage", 100.01),
        ("vatPercentage", -1),
        ("purchasePrice", "1"),
        ("purchasePrice", -0.01),
        ("sellingPrice", 1.00001),
        ("sellingPrice", 10**14),
        ("minimumStock", -1),
        ("requiresBatchCode", 1),
        ("requiresSerialNumber", "true"),
        ("width", -1),
        ("color", "x" * 129),
        ("active", "yes"),
    ],
)
async def test_a_bad_field_is_refused_by_name(house: House, field: str, value: Any) -> None:
    answer = await house.put("/api/product/add", {"name": "a", "code": "a", field: value})

    answer.refused(400, field)
    assert await codes(house) == []


async def test_numbers_stand_for_texts_and_nulls_for_absent(house: House) -> None:
    product = await house.add("product", name=12.50, code=7, sku=None, minimumStock=None, active=None, unknown=[1])

    assert (product["productName"], product["productCode"]) == ("12.5", "7")
    assert (product["minimumStock"], product["active"]) == (0, True)


async def test_serial_number_and_batch_exclude_each_other(house: House) -> None:
    flags = {"requiresSerialNumber": True, "requiresBatchCode": True}

    (await house.put("/api/product/add", {"name": "a", "code": "a", **flags})).refused(400, "requiresBatchCode")


async def test_the_category_is_named_by_id_or_reference(house: House, other_house: House) -> None:
    tools = (await house.add("category", categoryName="Tools", externalReference="tools"))["categoryId"]
    lamps = (await house.add("category", categoryName="Lamps", externalReference="lamps"))["categoryId"]
    await other_house.add("category", categoryName="Foreign", externalReference="foreign")

    async def refused(status: int, **fields: Any) -> None:
        (await house.put("/api/product/add", {"name": "a", "code": "a", **fields})).refused(status)

    await refused(400, categoryId=tools, categoryExternalReference="lamps")
    await refused(404, categoryId=999)
    await refused(404, categoryExternalReference="foreign")
    await refused(404, measurementUnitId=999)
    both = await house.add("product", name="a", code="a", categoryId=lamps, categoryExternalReference="lamps")
    assert both["categoryName"] == "Lamps"


async def test_equal_adds_at_once_make_one_product(house: House) -> None:
    answers = await asyncio.gather(
        *(house.put("/api/product/add", {"name": "a", "code": "a", "sku": "1"}) for _ in range(6))
    )

    assert sorted(answer.status for answer in answers) == [200, 409, 409, 409, 409, 409]
    assert await codes(house) == ["a"]


async def test_filters_combine(house: House) -> None:
    category = (await house.add("category", categoryName="c"))["categoryId"]
    first = await add(house, "A", sku="1", thirdPartyReference="t1", categoryId=category)
    await add(house, "B", sku="2", thirdPartyReference="t2", active=False)
    await add(house, "C", categoryId=category)

    assert await codes(house) == ["A", "B", "C"]
    assert await codes(house, productIds=[first]) == ["A"]
    assert await codes(house, models=["C", "A", "none"]) == ["A", "C"]
    assert await codes(house, skus=["2"]) == ["B"]
    assert await codes(house, thirdPartyReferenceIds=["t1", "t2"]) == ["A", "B"]
    assert await codes(house, categoryIds=[category]) == ["A", "C"]
    assert await codes(house, active=True) == ["A", "C"]
    assert await codes(house, active=False) == ["B"]
    assert await codes(house, active=True, models=["A", "B"], categoryIds=[category]) == ["A"]
    assert await codes(house, models=[], skus=None) == ["A", "B", "C"]
    assert await codes(house, models=["x" * 200], productIds=[1 << 62]) == []


async def test_pages_follow_the_ids(house: House) -> None:
    for number in range(5):
        await add(house, f"P{number}")

    assert await codes(house, limit=2) == ["P0", "P1"]
    assert await codes(house, limit=2, page=3) == ["P4"]
    assert await codes(house, limit=2, page=9) == []
    assert len(await codes(house, limit=5000)) == 5
    for bad in ({"page": 0}, {"limit": 0}, {"page": "1"}, {"limit": 1.5}):
        (await house.post("/api/product/read", bad)).refused(400, next(iter(bad)))


async def test_a_read_needs_no_body(house: House) -> None:
    await add(house, "A")

    assert len((await house.post("/api/product/read")).data) == 1
    assert len((await house.post("/api/product/read", user="viewer")).data) == 1


async def test_an_update_sets_clears_and_leaves(house: House) -> None:
    first, second = await add(house, "A", color="red", sku="1", minimumStock=4), await add(house, "B", color="red")

    changed = await house.post(
        "/api/product/update",
        {"productIds": [second, first, first], "updateFields": {"color": None, "material": "tin"}},
    )

    assert [(p["productCode"], p["color"], p["material"], p["sku"]) for p in changed.data] == [
        ("A", None, "tin", "1"),
        ("B", None, "tin", None),
    ]
    assert changed.data[0]["minimumStock"] == 4
    unchanged = await house.post("/api/product/update", {"productIds": [first], "updateFields": {}})
    assert unchanged.data[0]["material"] == "tin"


async def test_an_update_that_cannot_be_is_refused_and_changes_nothing(house: House) -> None:
    first, second = await add(house, "A", sku="1"), await add(house, "B", sku="2")

    async def refused(status: int, words: str, ids: Any, fields: Any) -> None:
        (await house.post("/api/product/update", {"productIds": ids, "updateFields": fields})).refused(status, words)

    await refused(400, "product", [], {"color": "x"})
    await refused(400, "productIds", None, {"color": "x"})
    await refused(400, "updateFields", [first], None)
    await refused(400, "updateFields.name", [first], {"name": None})
    await refused(400, "updateFields.code", [first], {"code": ""})
    await refused(400, "sku", [first, second], {"sku": "3"})
    await refused(400, "requiresBatchCode", [first], {"requiresBatchCode": True, "requiresSerialNumber": True})
    await refused(404, "productId", [first, 999], {"color": "x"})
    await refused(404, "categoryId", [first], {"categoryId": 999})
    await refused(409, "sku: 2 already exists", [first], {"sku": "2"})
    own = await house.post("/api/product/update", {"productIds": [first], "updateFields": {"sku": "1", "code": "A"}})
    assert own.data[0]["color"] is None


async def test_a_delete_answers_the_ids_and_frees_the_keys(house: House) -> None:
    first, second, third = await add(house, "A"), await add(house, "B"), await add(house, "C")

    gone = await house.delete("/api/product/delete", {"productIds": [third], "productModels": ["A", "A"]})

    assert gone.data == [first, third]
    assert await codes(house) == ["B"]
    (await house.delete("/api/product/delete", {"productIds": [second, first]})).refused(404)
    (await house.delete("/api/product/delete", {"productModels": ["A"]})).refused(404)
    (await house.delete("/api/product/delete", {})).refused(400)
    (await house.delete("/api/product/delete", {"productModels": [" "]})).refused(400)
    assert await codes(house) == ["B"]
    assert await add(house, "A") > third


async def test_stock_is_shown_by_place_and_in_total(house: House) -> None:
    product = await add(house, "LED", requiresBatchCode=True)
    line = {"code": "LED", "quantity": 2.5, "batchCode": "B7", "expirationDate": "2028-12-31", "locationCode": "A-01"}
    await house.add(
        "nir",
        externalReference="IN",
        validationRequired=False,
        nirProducts=[line, line | {"batchCode": "A1", "quantity": 4}, line | {"locationCode": "RECEPTION"}],
    )
    await house.run("UPDATE batches SET locked = true WHERE code = 'A1'")

    (shown,) = (await house.post("/api/product/read", {"productIds": [product]})).data

    assert (shown["totalQuantityInStock"], shown["totalReservedQuantity"], shown["totalFreeQuantity"]) == (9, 0, 5)
    first = shown["stockInfo"][0]
    assert first == {
        "warehouseId": first["warehouseId"],
        "warehouseCode": "MAIN",
        "locationCode": "A-01",
        "locationName": "Place A-01",
        "quantity": 4,
        "reservedQuantity": 0,
        "freeQuantity": 0,
        "stockBatchId": first["stockBatchId"],
        "stockBatchCode": "A1",
        "productionDate": None,
        "expirationDate": "2028-12-31",
        "serialNumber": None,
        "ssccCode": None,
    }
    places = [(item["locationCode"], item["stockBatchCode"], item["freeQuantity"]) for item in shown["stockInfo"]]
    assert places == [("A-01", "A1", 0), ("A-01", "B7", 2.5), ("RECEPTION", "B7", 2.5)]
    (await house.delete("/api/product/delete", {"productIds": [product]})).refused(409)
    flags = {"productIds": [product], "updateFields": {"requiresBatchCode": False}}
    (await house.post("/api/product/update", flags)).refused(409, "traceability")


async def test_a_reference_is_checked_exactly(house: House, other_house: House) -> None:
    await add(house, "A", thirdPartyReference="erp/7 ș%")
    await add(other_house, "A", thirdPartyReference="foreign")

    async def check(path: str) -> Any:
        answer = await house.get(f"/api/product/third-party-reference/{path}/check", user="viewer")
        return answer.status, answer.body

    assert await check("erp%2F7%20%C8%99%25") == (200, True)
    assert await check("erp%2f7%20%C8%99%25") == (200, True)
    assert await check("ERP%2F7%20%C8%99%25") == (200, False)
    assert await check("foreign") == (200, False)
    assert (await check("erp/7"))[0] == 404
    assert (await check("%FF"))[0] == 400


async def test_a_viewer_reads_only(house: House) -> None:
    product = await add(house, "A")

    for method, path, body in (
        ("PUT", "/api/product/add", {"name": "b", "code": "b"}),
        ("POST", "/api/product/update", {"productIds": [product], "updateFields": {}}),
        ("DELETE", "/api/product/delete", {"productIds": [product]}),
        ("PUT", "/api/product/add", None),
    ):
        assert (await house.call(method, path, body, user="viewer")).refused(403) == "Insufficient permissions"
    assert (await house.put("/api/product/add", {"name": "b", "code": "b"}, user="plain")).status == 200


async def test_tenants_do_not_see_one_another(house: House, other_house: House) -> None:
    foreign = await add(other_house, "A")
    await add(house, "OWN")

    assert await codes(house, models=["A"]) == []
    (await house.post("/api/product/update", {"productIds": [foreign + 1000], "updateFields": {}})).refused(404)
    assert await add(house, "A")
    assert await codes(other_house) == ["A"]
