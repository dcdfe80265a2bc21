"""Opening stock is booked by inventories, once."""

from pathlib import Path
from typing import Any

from hub.db import Database
from tests.hub.importing.folders import as_csv, bring, effects, ndjson, product, reads, refused
from tests.schema.rest.houses import House

PLAIN = {"productCode": "P-1", "locationCode": "A-01", "quantity": 10}


async def stocked(house: House, folder: Path, *rows: dict[str, Any]) -> Any:
    flags = {
        "SN": {"requiresSerialNumber": True},
        "EXP": {"requiresExpirationDate": True},
        "B": {"requiresBatchCode": True},
    }
    products = [product(1)] + [product(id_, code, **more) for id_, (code, more) in enumerate(flags.items(), start=2)]
    ndjson(folder, "products", products)
    ndjson(folder, "stock", rows)
    return await bring(house.database, house.tenant_id, folder)


async def test_every_kind_of_goods_is_booked(house: House, tmp_path: Path) -> None:
    rows = [
        PLAIN | {"quantity": 1.5},
        PLAIN | {"quantity": 2, "ssccCode": "BOX"},
        {"productCode": "SN", "locationCode": "A-01", "quantity": 1, "serialNumber": "n1", "ssccCode": "BOX"},
        {"productCode": "SN", "locationCode": "A-01", "quantity": 2, "snList": ["n2", "n3"]},
        {"productCode": "EXP", "locationCode": "B-01", "quantity": 4, "expirationDate": "2030-01-31"},
        {"productCode": "EXP", "locationCode": "B-01", "quantity": 5, "expirationDate": "31.01.2031"},
        {"productCode": "B", "locationCode": "A-01", "quantity": 6, "stockBatchId": 70, "stockBatchCode": "L1"},
        {"productCode": "B", "locationCode": "A-02", "quantity": 7, "stockBatchId": 70, "batchCode": "L1"},
        {"productCode": "B", "locationCode": "A-02", "quantity": 0, "batchCode": "L9"},
    ]
    report = await stocked(house, tmp_path, *rows)

    assert effects(report)["stock"] == {"added": 8, "unchanged": 1}
    found = [
        (
            row["productCode"],
            row["quantity"],
            row["stockBatchId"],
            row["serialNumber"],
            row["ssccCode"],
            row["expirationDate"],
        )
        for row in (await reads(house))["stock"]
    ]
    batches = {row[2] for row in found if row[0] == "EXP"}
    assert len(batches) == 2
    assert {(code, quantity, serial, sscc, day) for code, quantity, _, serial, sscc, day in found} == {
        ("P-1", 1.5, None, None, None),
        ("P-1", 2, None, "BOX", None),
        ("SN", 1, "n1", "BOX", None),
        ("SN", 1, "n2", None, None),
        ("SN", 1, "n3", None, None),
        ("EXP", 4, None, None, "2030-01-31"),
        ("EXP", 5, None, None, "2031-01-31"),
        ("B", 6, None, None, None),
        ("B", 7, None, None, None),
    }
    assert {row[2] for row in found if row[0] == "B"} == {70}
    inventories = await house.room.world.rows("SELECT warehouse_id, status FROM inventories ORDER BY 1")
    assert inventories == [{"warehouse_id": 1, "status": 4}, {"warehouse_id": 2, "status": 4}]
    shown = (await house.get("/api/inventory/1")).data
    first = shown["inventoryProducts"][0]
    assert (first["productCode"], first["quantity"]) == ("P-1", 3.5)
    await house.room.balance()


async def test_repeating_books_nothing_even_when_the_goods_have_left(house: House, tmp_path: Path) -> None:
    await stocked(house, tmp_path, PLAIN)
    await house.room.take(1, 4)

    report = await stocked(house, tmp_path, PLAIN, PLAIN | {"locationCode": "A-02"})

    assert effects(report)["stock"] == {"added": 1, "unchanged": 1}
    assert [row["quantity"] for row in (await reads(house))["stock"]] == [6, 10]


async def test_another_quantity_than_was_booked_is_refused(house: House, tmp_path: Path) -> None:
    await stocked(house, tmp_path, PLAIN)

    report = await stocked(house, tmp_path, PLAIN | {"quantity": 11})

    assert refused(report) == [("stock.ndjson", 1, "quantity")]
    assert [row["quantity"] for row in (await reads(house))["stock"]] == [10]


async def test_stock_that_no_import_booked_is_not_touched(house: House, tmp_path: Path) -> None:
    await house.add("product", name="Pipe", code="P-1")
    await house.room.receive(1, 3)

    report = await stocked(house, tmp_path, PLAIN | {"productCode": "P-1"})

    assert ("stock.ndjson", 1, "quantity") in refused(report)
    assert [row["quantity"] for row in (await reads(house))["stock"]] == [3]


async def test_refused_row_takes_the_rows_of_the_same_goods_along(house: House, tmp_path: Path) -> None:
    serial = {"productCode": "SN", "locationCode": "A-01", "quantity": 1}
    rows = [serial | {"serialNumber": "n1"}, serial, serial | {"serialNumber": "n2"}, PLAIN]

    report = await stocked(house, tmp_path, *rows)

    assert [line for _, line, _ in refused(report)] == [1, 2, 3]
    assert [row["productCode"] for row in (await reads(house))["stock"]] == ["P-1"]


async def test_serial_number_in_two_places_is_refused_once(house: House, tmp_path: Path) -> None:
    serial = {"productCode": "SN", "quantity": 1, "serialNumber": "n1"}

    report = await stocked(house, tmp_path, serial | {"locationCode": "A-01"}, serial | {"locationCode": "A-02"}, PLAIN)

    assert [line for _, line, _ in refused(report)] == [2]
    await house.room.balance()


async def test_batch_id_of_another_batch_is_refused(database: Database, house: House, tmp_path: Path) -> None:
    batch = {"productCode": "B", "locationCode": "A-01", "quantity": 1, "stockBatchId": 7}
    rows = [
        batch | {"batchCode": "L1"},
        batch | {"batchCode": "L2"},
        batch | {"batchCode": "L1", "stockBatchId": 8, "locationCode": "A-02"},
    ]
    path = as_csv(tmp_path, "stock", rows)
    ndjson(tmp_path, "products", [product(1, "B", requiresBatchCode=True)])

    report = await bring(database, house.tenant_id, tmp_path)

    assert refused(report) == [(path.name, 3, "stockBatchId"), (path.name, 4, "stockBatchId")]
