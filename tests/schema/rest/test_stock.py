"""`/api/stock`: what remains, in all, by location and item by item."""

from typing import Any

import pytest

from tests.schema.rest.houses import House


async def product(house: House, code: str, **fields: Any) -> int:
    return int(
        (await house.add("product", name=fields.pop("name", f"Product {code}"), code=code, **fields))["productId"]
    )


async def receive(house: House, code: str, quantity: float, location: str = "A-01", **line: Any) -> None:
    number = await house.value("SELECT count(*) FROM nirs")
    lines = [{"code": code, "quantity": quantity, "locationCode": location} | line]
    await house.add("nir", externalReference=f"IN-{number}", validationRequired=False, nirProducts=lines)


async def order(house: House, number: str, *lines: tuple[str, float]) -> dict[str, Any]:
    wanted = [{"productModel": code, "quantity": quantity} for code, quantity in lines]
    return await house.add("order", externalOrderId=number, orderProducts=wanted)


@pytest.fixture
async def stocked(house: House) -> House:
    """LAMP: 3.5 in A-01 (2 reserved), 4 in A-02 of a locked batch; BULB: none; OLD: 1, inactive."""
    for code in ("LAMP", "BULB", "OLD"):
        await product(house, code)
    await receive(house, "LAMP", 3.5)
    await receive(house, "OLD", 1)
    await order(house, "W-1", ("LAMP", 2))
    await receive(house, "LAMP", 4, "A-02", batchCode="B7", expirationDate="2030-01-01")
    await house.run("UPDATE batches SET locked = true")
    await house.run("UPDATE products SET active = false WHERE code = 'OLD'")
    return house


def row(code: str, number: int, quantity: float, place: str | None = None) -> dict[str, Any]:
    where = {"locationCode": place, "locationName": f"Place {place}"} if place else {}
    return {
        "productId": number,
        "productName": f"Product {code}",
        "productCode": code,
        "remainingQuantity": quantity,
    } | (where)


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        (None, [row("LAMP", 1, 1.5)]),
        ({"includeReservations": True, "source": "shop"}, [row("LAMP", 1, 7.5)]),
        ({"location": True}, [row("LAMP", 1, 1.5, "A-01"), row("LAMP", 1, 0, "A-02")]),
        (
            {"location": True, "includeReservations": True},
            [row("LAMP", 1, 3.5, "A-01"), row("LAMP", 1, 4, "A-02")],
        ),
    ],
)
async def test_remaining_stock_is_free_or_physical_in_all_or_by_location(
    stocked: House, body: Any, rows: list[dict[str, Any]]
) -> None:
    assert (await stocked.post("/api/stock/remaining-stock/1", body, user="viewer")).data == rows


async def test_a_product_without_stock_remains_at_zero_and_nowhere(stocked: House, other_house: House) -> None:
    assert (await stocked.post("/api/stock/remaining-stock/2")).data == [row("BULB", 2, 0)]
    assert (await stocked.post("/api/stock/remaining-stock/2", {"location": True})).data == []
    for unknown in ("77", "-1", str((1 << 63) - 1)):
        (await stocked.post(f"/api/stock/remaining-stock/{unknown}", {"location": True})).refused(404, "productId")
    (await other_house.post("/api/stock/remaining-stock/1")).refused(404)
    for wrong in ("x", "1.5", str(1 << 63)):
        (await stocked.post(f"/api/stock/remaining-stock/{wrong}")).refused(400, "productId")
    (await stocked.post("/api/stock/remaining-stock/1", {"location": 1})).refused(400, "location")


async def page(house: House, query: str, body: Any = None) -> dict[str, Any]:
    answer = await house.post(f"/api/stock/{query}", body, user="viewer")
    assert answer.status == 200, answer.body
    assert list(answer.body) == ["content", "totalElements", "totalPages", "size", "number"]
    return dict(answer.body)


async def test_all_lists_every_active_product_by_default(stocked: House) -> None:
    assert await page(stocked, "all") == {
        "content": [row("LAMP", 1, 1.5), row("BULB", 2, 0)],
        "totalElements": 2,
        "totalPages": 1,
        "size": 10,
        "number": 0,
    }


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        ({"isActive": False}, [row("OLD", 3, 1)]),
        ({"isActive": None, "includeReservations": True}, [row("LAMP", 1, 7.5), row("BULB", 2, 0), row("OLD", 3, 1)]),
        ({"location": True}, [row("LAMP", 1, 1.5, "A-01"), row("LAMP", 1, 0, "A-02")]),
        (
            {"location": True, "isActive": None, "includeReservations": True},
            [row("LAMP", 1, 3.5, "A-01"), row("LAMP", 1, 4, "A-02"), row("OLD", 3, 1, "A-01")],
        ),
    ],
)
async def test_all_filters_by_activity_and_breaks_down_by_location(
    stocked: House, body: dict[str, Any], rows: list[dict[str, Any]]
) -> None:
    assert (await page(stocked, "all", body))["content"] == rows


@pytest.mark.parametrize("location", [False, True])
async def test_pages_of_all_are_counted(stocked: House, location: bool) -> None:
    everything = {"isActive": None, "location": location}

    pages = [await page(stocked, f"all?page={number}&size=2", everything) for number in range(3)]

    assert [len(one["content"]) for one in pages] == [2, 1, 0]
    assert {(one["totalElements"], one["totalPages"], one["size"]) for one in pages} == {(3, 2, 2)}
    assert [one["number"] for one in pages] == [0, 1, 2]


async def test_an_empty_shop_has_no_page(house: House) -> None:
    for path in ("all", "detailed-report?size=10"):
        assert await page(house, path) == {
            "content": [],
            "totalElements": 0,
            "totalPages": 0,
            "size": 10,
            "number": 0,
        }


async def test_sizes_over_1000_count_as_1000_and_bad_ones_are_refused(stocked: House) -> None:
    assert (await page(stocked, "all?size=5000"))["size"] == 1000
    assert (await page(stocked, "detailed-report?size=5000&page=2147483647"))["content"] == []
    for query, field in (
        ("all?page=-1", "page"),
        ("all?size=0", "size"),
        ("all?size=x", "size"),
        ("detailed-report?sortBy=name", "sortBy"),
        ("detailed-report?sortBy=PRODUCTNAME", "sortBy"),
        ("detailed-report?sortDirection=up", "sortDirection"),
    ):
        (await stocked.post(f"/api/stock/{query}")).refused(400, field)


async def test_the_report_shows_every_item_with_all_that_is_known_of_it(stocked: House) -> None:
    await stocked.run("UPDATE products SET purchase_price = 8.1, sku = 'L1' WHERE code = 'LAMP'")
    lamp = {
        "productId": 1,
        "productName": "Product LAMP",
        "productCode": "LAMP",
        "sku": "L1",
        "warehouseId": 1,
        "warehouseCode": "MAIN",
        "serialNumber": None,
        "ssccCode": None,
        "purchasePrice": 8.1,
    }
    plain = {"stockBatchId": None, "stockBatchCode": None, "productionDate": None, "expirationDate": None}
    batch = {"stockBatchId": 1, "stockBatchCode": "B7", "productionDate": None, "expirationDate": "2030-01-01"}

    report = await page(stocked, "detailed-report", {"models": ["LAMP"]})

    assert report == {
        "content": [
            lamp
            | plain
            | {"locationCode": "A-01", "locationName": "Place A-01"}
            | {"quantity": 3.5, "reservedQuantity": 2, "freeQuantity": 1.5},
            lamp
            | batch
            | {"locationCode": "A-02", "locationName": "Place A-02"}
            | {"quantity": 4, "reservedQuantity": 0, "freeQuantity": 0},
        ],
        "totalElements": 2,
        "totalPages": 1,
        "size": 50,
        "number": 0,
    }


@pytest.mark.parametrize(
    ("filters", "codes"),
    [
        ({}, ["LAMP", "LAMP", "OLD"]),
        ({"productIds": [3, 77], "models": []}, ["OLD"]),
        ({"locationCodes": ["A-02"], "warehouseIds": [1]}, ["LAMP"]),
        ({"warehouseIds": [2]}, []),
        ({"models": ["LAMP"], "productIds": [3]}, []),
    ],
)
async def test_the_report_is_filtered(stocked: House, filters: dict[str, Any], codes: list[str]) -> None:
    report = await page(stocked, "detailed-report", filters)

    assert sorted(item["productCode"] for item in report["content"]) == codes


@pytest.mark.parametrize(
    ("sort", "codes"),
    [
        ("productName", ["a2", "B1", "c3", "C3b"]),
        ("productName&sortDirection=DESC", ["C3b", "c3", "B1", "a2"]),
        ("productCode&sortDirection=desc", ["C3b", "c3", "B1", "a2"]),
        ("productId&sortDirection=Desc", ["C3b", "a2", "c3", "B1"]),
        ("quantity", ["c3", "a2", "C3b", "B1"]),
        ("freeQuantity", ["c3", "a2", "C3b", "B1"]),
        ("reservedQuantity", ["B1", "c3", "a2", "C3b"]),
        ("locationCode", ["c3", "B1", "C3b", "a2"]),
        ("expirationDate", ["C3b", "c3", "B1", "a2"]),
        ("expirationDate&sortDirection=desc", ["c3", "C3b", "B1", "a2"]),
    ],
)
async def test_the_report_is_sorted_without_case_nulls_last_ties_by_product(
    house: House, sort: str, codes: list[str]
) -> None:
    for code, name in (("B1", "Birch"), ("c3", "cedar"), ("a2", "Ash"), ("C3b", "Cedar b")):
        await product(house, code, name=name)
    await receive(house, "B1", 10, "A-02")
    await receive(house, "c3", 1, "A-01", batchCode="x", expirationDate="2031-01-01")
    await receive(house, "a2", 2, "B-01", locationCode="RECEPTION")
    await receive(house, "C3b", 2.5, "A-02", batchCode="y", expirationDate="2030-01-01")

    report = await page(house, f"detailed-report?sortBy={sort}")

    assert [item["productCode"] for item in report["content"]] == codes


async def test_nobody_sees_the_stock_of_others(stocked: House, other_house: House) -> None:
    assert (await page(other_house, "all", {"location": True, "isActive": None}))["content"] == []
    assert (await page(other_house, "detailed-report"))["content"] == []
    (await stocked.send("POST", "/api/stock/all", Authorization="Bearer x:y")).refused(401, "Invalid API KEY")
