import asyncio
from typing import Any

import pytest

from tests.schema.rest.shops import Shop

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


async def add(shop: Shop, code: str, **fields: Any) -> int:
    return int((await shop.add("product", name=f"Product {code}", code=code, **fields))["productId"])


async def codes(shop: Shop, **filters: Any) -> list[str]:
    return [product["productCode"] for product in (await shop.post("/api/product/read", filters)).data]


async def test_the_example_of_the_contract(shop: Shop) -> None:
    category = await shop.add("category", categoryName="Lighting", externalReference="lighting")
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

    (product,) = (await shop.put("/api/product/add", request)).data

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
    again = await shop.put("/api/product/add", request)
    assert again.refused(409) == "code: LED-9W already exists"
    assert len(await codes(shop)) == 1


async def test_an_info_has_its_keys_in_the_order_of_the_contract(shop: Shop) -> None:
    product = await shop.add("product", name="a", code="a")

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
async def test_a_bad_field_is_refused_by_name(shop: Shop, field: str, value: Any) -> None:
    answer = await shop.put("/api/product/add", {"name": "a", "code": "a", field: value})

    answer.refused(400, field)
    assert await codes(shop) == []


async def test_numbers_stand_for_texts_and_nulls_for_absent(shop: Shop) -> None:
    product = await shop.add("product", name=12.50, code=7, sku=None, minimumStock=None, active=None, unknown=[1])

    assert (product["productName"], product["productCode"]) == ("12.5", "7")
    assert (product["minimumStock"], product["active"]) == (0, True)


async def test_serial_number_and_batch_exclude_each_other(shop: Shop) -> None:
    flags = {"requiresSerialNumber": True, "requiresBatchCode": True}

    (await shop.put("/api/product/add", {"name": "a", "code": "a", **flags})).refused(400, "requiresBatchCode")


async def test_the_category_is_named_by_id_or_reference(shop: Shop, other_shop: Shop) -> None:
    tools = (await shop.add("category", categoryName="Tools", externalReference="tools"))["categoryId"]
    lamps = (await shop.add("category", categoryName="Lamps", externalReference="lamps"))["categoryId"]
    await other_shop.add("category", categoryName="Foreign", externalReference="foreign")

    async def refused(status: int, **fields: Any) -> None:
        (await shop.put("/api/product/add", {"name": "a", "code": "a", **fields})).refused(status)

    await refused(400, categoryId=tools, categoryExternalReference="lamps")
    await refused(404, categoryId=999)
    await refused(404, categoryExternalReference="foreign")
    await refused(404, measurementUnitId=999)
    both = await shop.add("product", name="a", code="a", categoryId=lamps, categoryExternalReference="lamps")
    assert both["categoryName"] == "Lamps"


async def test_equal_adds_at_once_make_one_product(shop: Shop) -> None:
    answers = await asyncio.gather(
        *(shop.put("/api/product/add", {"name": "a", "code": "a", "sku": "1"}) for _ in range(6))
    )

    assert sorted(answer.status for answer in answers) == [200, 409, 409, 409, 409, 409]
    assert await codes(shop) == ["a"]


async def test_filters_combine(shop: Shop) -> None:
    category = (await shop.add("category", categoryName="c"))["categoryId"]
    first = await add(shop, "A", sku="1", thirdPartyReference="t1", categoryId=category)
    await add(shop, "B", sku="2", thirdPartyReference="t2", active=False)
    await add(shop, "C", categoryId=category)

    assert await codes(shop) == ["A", "B", "C"]
    assert await codes(shop, productIds=[first]) == ["A"]
    assert await codes(shop, models=["C", "A", "none"]) == ["A", "C"]
    assert await codes(shop, skus=["2"]) == ["B"]
    assert await codes(shop, thirdPartyReferenceIds=["t1", "t2"]) == ["A", "B"]
    assert await codes(shop, categoryIds=[category]) == ["A", "C"]
    assert await codes(shop, active=True) == ["A", "C"]
    assert await codes(shop, active=False) == ["B"]
    assert await codes(shop, active=True, models=["A", "B"], categoryIds=[category]) == ["A"]
    assert await codes(shop, models=[], skus=None) == ["A", "B", "C"]
    assert await codes(shop, models=["x" * 200], productIds=[1 << 62]) == []


async def test_pages_follow_the_ids(shop: Shop) -> None:
    for number in range(5):
        await add(shop, f"P{number}")

    assert await codes(shop, limit=2) == ["P0", "P1"]
    assert await codes(shop, limit=2, page=3) == ["P4"]
    assert await codes(shop, limit=2, page=9) == []
    assert len(await codes(shop, limit=5000)) == 5
    for bad in ({"page": 0}, {"limit": 0}, {"page": "1"}, {"limit": 1.5}):
        (await shop.post("/api/product/read", bad)).refused(400, next(iter(bad)))


async def test_a_read_needs_no_body(shop: Shop) -> None:
    await add(shop, "A")

    assert len((await shop.post("/api/product/read")).data) == 1
    assert len((await shop.post("/api/product/read", user="viewer")).data) == 1


async def test_an_update_sets_clears_and_leaves(shop: Shop) -> None:
    first, second = await add(shop, "A", color="red", sku="1", minimumStock=4), await add(shop, "B", color="red")

    changed = await shop.post(
        "/api/product/update",
        {"productIds": [second, first, first], "updateFields": {"color": None, "material": "tin"}},
    )

    assert [(p["productCode"], p["color"], p["material"], p["sku"]) for p in changed.data] == [
        ("A", None, "tin", "1"),
        ("B", None, "tin", None),
    ]
    assert changed.data[0]["minimumStock"] == 4
    unchanged = await shop.post("/api/product/update", {"productIds": [first], "updateFields": {}})
    assert unchanged.data[0]["material"] == "tin"


async def test_an_update_that_cannot_be_is_refused_and_changes_nothing(shop: Shop) -> None:
    first, second = await add(shop, "A", sku="1"), await add(shop, "B", sku="2")

    async def refused(status: int, words: str, ids: Any, fields: Any) -> None:
        (await shop.post("/api/product/update", {"productIds": ids, "updateFields": fields})).refused(status, words)

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
    own = await shop.post("/api/product/update", {"productIds": [first], "updateFields": {"sku": "1", "code": "A"}})
    assert own.data[0]["color"] is None


async def test_a_delete_answers_the_ids_and_frees_the_keys(shop: Shop) -> None:
    first, second, third = await add(shop, "A"), await add(shop, "B"), await add(shop, "C")

    gone = await shop.delete("/api/product/delete", {"productIds": [third], "productModels": ["A", "A"]})

    assert gone.data == [first, third]
    assert await codes(shop) == ["B"]
    (await shop.delete("/api/product/delete", {"productIds": [second, first]})).refused(404)
    (await shop.delete("/api/product/delete", {"productModels": ["A"]})).refused(404)
    (await shop.delete("/api/product/delete", {})).refused(400)
    (await shop.delete("/api/product/delete", {"productModels": [" "]})).refused(400)
    assert await codes(shop) == ["B"]
    assert await add(shop, "A") > third


async def test_stock_is_shown_by_place_and_in_total(shop: Shop) -> None:
    product = await add(shop, "LED", requiresBatchCode=True)
    line = {"code": "LED", "quantity": 2.5, "batchCode": "B7", "expirationDate": "2028-12-31", "locationCode": "A-01"}
    await shop.add(
        "nir",
        externalReference="IN",
        validationRequired=False,
        nirProducts=[line, line | {"batchCode": "A1", "quantity": 4}, line | {"locationCode": "RECEPTION"}],
    )
    await shop.run("UPDATE batches SET locked = true WHERE code = 'A1'")

    (shown,) = (await shop.post("/api/product/read", {"productIds": [product]})).data

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
    (await shop.delete("/api/product/delete", {"productIds": [product]})).refused(409)
    flags = {"productIds": [product], "updateFields": {"requiresBatchCode": False}}
    (await shop.post("/api/product/update", flags)).refused(409, "traceability")


async def test_a_reference_is_checked_exactly(shop: Shop, other_shop: Shop) -> None:
    await add(shop, "A", thirdPartyReference="erp/7 ș%")
    await add(other_shop, "A", thirdPartyReference="foreign")

    async def check(path: str) -> Any:
        answer = await shop.get(f"/api/product/third-party-reference/{path}/check", user="viewer")
        return answer.status, answer.body

    assert await check("erp%2F7%20%C8%99%25") == (200, True)
    assert await check("erp%2f7%20%C8%99%25") == (200, True)
    assert await check("ERP%2F7%20%C8%99%25") == (200, False)
    assert await check("foreign") == (200, False)
    assert (await check("erp/7"))[0] == 404
    assert (await check("%FF"))[0] == 400


async def test_a_viewer_reads_only(shop: Shop) -> None:
    product = await add(shop, "A")

    for method, path, body in (
        ("PUT", "/api/product/add", {"name": "b", "code": "b"}),
        ("POST", "/api/product/update", {"productIds": [product], "updateFields": {}}),
        ("DELETE", "/api/product/delete", {"productIds": [product]}),
        ("PUT", "/api/product/add", None),
    ):
        assert (await shop.call(method, path, body, user="viewer")).refused(403) == "Insufficient permissions"
    assert (await shop.put("/api/product/add", {"name": "b", "code": "b"}, user="plain")).status == 200


async def test_tenants_do_not_see_one_another(shop: Shop, other_shop: Shop) -> None:
    foreign = await add(other_shop, "A")
    await add(shop, "OWN")

    assert await codes(shop, models=["A"]) == []
    (await shop.post("/api/product/update", {"productIds": [foreign + 1000], "updateFields": {}})).refused(404)
    assert await add(shop, "A")
    assert await codes(other_shop) == ["A"]
