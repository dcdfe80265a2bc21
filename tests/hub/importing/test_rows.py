"""Rows that cannot be taken are named with their field; files come in every form that spreadsheets write."""

from pathlib import Path
from typing import Any

import pytest

from hub.db import Database
from hub.importing.report import Report
from tests.hub.importing.folders import as_csv, bring, effects, ndjson, product, reads, refused
from tests.schema.rest.houses import House, open_house

LINE = {"productCode": "P-1", "quantity": 1}
COMPANY = {"companyId": 3, "name": "Client", "externalReference": "c-3"}
PLACED = {"productCode": "P-1", "locationCode": "A-01"}
RETURN = {"returnId": 5, "externalReference": "R"}
PURCHASE = {"purchaseOrderId": 5, "date": "01.03.2026"}
BAD = [
    ("products", {"productId": 0}, "productId"),
    ("products", {"productId": 1 << 53}, "productId"),
    ("products", {"productId": "8"}, "productId"),
    ("products", {"productId": 8.5}, "productId"),
    ("products", {"productId": True}, "productId"),
    ("products", {"productCode": "x" * 129}, "productCode"),
    ("products", {"productCode": "a\x00b"}, "productCode"),
    ("products", {"productCode": "P-1"}, "productCode"),
    ("products", {"productCode": None}, "productCode"),
    ("products", {"code": "another"}, "code"),
    ("products", {"productName": " "}, "productName"),
    ("products", {"productName": ["x"]}, "productName"),
    ("products", {"sku": "S-1"}, "sku"),
    ("products", {"thirdPartyReference": "erp-1"}, "thirdPartyReference"),
    ("products", {"categoryId": 77}, "categoryId"),
    ("products", {"categoryExternalReference": "none"}, "categoryExternalReference"),
    ("products", {"sellingPrice": -1}, "sellingPrice"),
    ("products", {"sellingPrice": 1.23456}, "sellingPrice"),
    ("products", {"sellingPrice": 10**15}, "sellingPrice"),
    ("products", {"sellingPrice": "12,5"}, "sellingPrice"),
    ("products", {"vatPercentage": 101}, "vatPercentage"),
    ("products", {"active": "yes"}, "active"),
    ("products", {"requiresSerialNumber": True, "requiresBatchCode": True}, "requiresBatchCode"),
    ("products", {"productId": 1, "productCode": "other"}, "productId"),
    ("companies", {"companyId": 9, "name": "X", "type": "FRIEND"}, "type"),
    ("companies", {"companyId": 3, "name": "X", "externalReference": "another"}, "companyId"),
    ("companies", {"name": "X"}, "companyId"),
    ("measurement-units", {"muId": 1, "name": "X", "code": "X", "status": 2}, "status"),
    ("locations", {"locationId": 2, "locationCode": "A-01", "warehouseCode": "SOUTH"}, "warehouseCode"),
    ("locations", {"locationId": 50, "locationCode": "Z"}, "warehouseId"),
    ("stock", {"productCode": "P-1", "locationCode": "A-01", "quantity": -1}, "quantity"),
    ("stock", {"productCode": "P-1", "locationCode": "A-01"}, "quantity"),
    ("stock", {"locationCode": "A-01", "quantity": 1}, "productId"),
    ("stock", {"productCode": "P-1", "quantity": 1}, "locationCode"),
    ("stock", {**PLACED, "quantity": 1, "expirationDate": "2026-02-30"}, "expirationDate"),
    ("stock", {"productCode": "BATCHED", "locationCode": "A-01", "quantity": 1}, "stockBatchCode"),
    ("stock", {"productCode": "SERIAL", "locationCode": "A-01", "quantity": 2, "snList": ["a"]}, "quantity"),
    ("stock", {"productCode": "SERIAL", "locationCode": "A-01", "quantity": 1}, "snList"),
    ("orders", {"status": 9}, "status"),
    ("orders", {"externalOrderId": "W-1"}, "externalOrderId"),
    ("orders", {"orderId": 1}, "orderId"),
    ("orders", {"orderType": 3}, "orderType"),
    ("orders", {"dateAdded": "yesterday"}, "dateAdded"),
    ("orders", {"companyId": 99}, "companyId"),
    ("orders", {"companyId": 3, "companyExternalReference": "c-4"}, "companyExternalReference"),
    ("orders", {"numberOfPackages": -1}, "numberOfPackages"),
    ("orders", {"orderProducts": {}}, "orderProducts"),
    ("orders", {"orderProducts": [1]}, "orderProducts[0]"),
    ("orders", {"orderProducts": [LINE, LINE | {"quantity": 0}]}, "orderProducts[1].quantity"),
    ("orders", {"orderProducts": [LINE | {"productCode": "none"}]}, "orderProducts[0].productCode"),
    ("orders", {"orderProducts": [LINE | {"productModel": "SERIAL"}]}, "orderProducts[0].productModel"),
    ("orders", {"orderProducts": [LINE | {"pickedQuantity": 1}]}, "orderProducts[0].pickedQuantity"),
    ("orders", {"status": 3, "orderProducts": [LINE | {"pickedQuantity": 2}]}, "orderProducts[0].pickedQuantity"),
    ("orders", {"orderProducts": [LINE | {"locationCode": "none"}]}, "orderProducts[0].locationCode"),
    ("orders", {"orderProducts": [LINE | {"orderProductId": 10}]}, "orderProducts[0].orderProductId"),
    ("orders", {"orderProducts": [LINE | {"externalLineId": "1"}] * 2}, "orderProducts[1].externalLineId"),
    ("orders", {"orderRequirements": [{"name": "n"}]}, "orderRequirements[0].value"),
    ("nirs", {"nirId": 5, "externalReference": "IN", "status": 5}, "status"),
    ("nirs", {"nirId": 5, "externalReference": "IN", "supplierId": 99}, "supplierId"),
    ("nirs", {"nirId": 5, "externalReference": "IN", "nirProducts": [{"code": "P-1"}]}, "nirProducts[0].quantity"),
    ("returns", RETURN, "companyId"),
    ("returns", {**RETURN, "companyId": 3, "initialExternalOrderId": "?"}, "initialExternalOrderId"),
    ("purchase-orders", PURCHASE, "supplier"),
    ("purchase-orders", {"date": "01.03.2026", "supplier": 3}, "purchaseOrderId"),
    ("purchase-orders", {**PURCHASE, "arrivalDate": "28.02.2026", "supplier": 3}, "arrivalDate"),
    ("purchase-orders", {**PURCHASE, "supplier": 3, "nirs": [4]}, "nirs[0]"),
    ("production-orders", {"productionOrderId": 5, "thirdPartyReference": "x", "quantity": 0}, "productId"),
]  # fmt: skip


@pytest.fixture(scope="module")
async def furnished(database: Database, tmp_path_factory: pytest.TempPathFactory) -> House:
    """A tenant that has the records which bad rows collide with."""
    house = await open_house(database)
    folder = tmp_path_factory.mktemp("furnished")
    flags = [product(2, "SERIAL", requiresSerialNumber=True), product(3, "BATCHED", requiresBatchCode=True)]
    ndjson(folder, "products", [product(1, sku="S-1", thirdPartyReference="erp-1"), *flags])
    ndjson(folder, "companies", [COMPANY, {"companyId": 4, "name": "Other", "externalReference": "c-4"}])
    order = {"orderId": 2, "externalOrderId": "W-1", "orderProducts": [LINE | {"orderProductId": 10}]}
    ndjson(folder, "orders", [order, order | {"orderId": 1, "externalOrderId": "W-0", "orderProducts": []}])
    assert (await bring(database, house.tenant_id, folder)).refusals == []
    return house


@pytest.mark.parametrize(("noun", "fields", "field"), BAD)
async def test_bad_row_is_named_and_the_others_are_taken(
    database: Database, furnished: House, tmp_path: Path, noun: str, fields: dict[str, Any], field: str
) -> None:
    filled: dict[str, Any] = {}
    if noun == "products":
        filled = product(8, "P-8")
    elif noun == "orders":
        filled = {"orderId": 8, "externalOrderId": "W-8"}
    path = ndjson(tmp_path, noun, [filled | fields])

    report = await bring(database, furnished.tenant_id, path, dry=True)

    assert refused(report) == [(path.name, 1, field)], report.refusals


async def imported(house: House, path: Path, **options: Any) -> tuple[Report, list[dict[str, Any]]]:
    report = await bring(house.database, house.tenant_id, path, **options)
    return report, (await reads(house))["products"]


async def test_lines_that_are_no_objects_are_refused_with_their_number(house: House, tmp_path: Path) -> None:
    path = tmp_path / "products.jsonl"
    good = b'{"productId": %d, "productCode": "C%d", "productName": "N"}\n'
    bad = [b"[1]\n", b"{\n", b'{"productId": NaN}\n', b'{"a": 1, "a": 2}\n', b"[" * 100_000 + b"\n", b'{"x": "\xe3"}\n']
    path.write_bytes(b"\xef\xbb\xbf" + good % (1, 1) + b"\n" + b"".join(bad) + good % (2, 2) + good % (1, 1))

    report, products = await imported(house, path)

    assert [row["productId"] for row in products] == [1, 2]
    assert [line for _, line, _ in refused(report)] == [3, 4, 5, 6, 7, 8, 10]
    messages = [one.message for one in report.refusals]
    assert "encoding" in messages[5]
    assert "first in line 1" in messages[6]


async def test_csv_keeps_quotes_line_breaks_and_delimiters(house: House, tmp_path: Path) -> None:
    names = ['Țeavă, "lată"', "two\nlines", " blanks ", "semi;colon", "0012"]
    rows = [product(number, productName=name, color="") for number, name in enumerate(names, start=1)]
    path = as_csv(tmp_path, "products", [*rows, product(9, "P-1")])

    report, products = await imported(house, path)

    assert [row["productName"] for row in products] == names
    assert refused(report) == [("products.csv", 8, "productCode")]  # one of the rows takes two lines


@pytest.mark.parametrize("delimiter", [";", "\t"])
async def test_csv_with_another_delimiter(house: House, tmp_path: Path, delimiter: str) -> None:
    path = tmp_path / "products.csv"
    path.write_text(
        delimiter.join(("productId", "productCode", "productName")) + "\r\n" + delimiter.join("1AB") + "\r\n"
    )

    assert [row["productCode"] for row in (await imported(house, path))[1]] == ["A"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1250", "iso8859-5"])
async def test_csv_in_another_encoding(house: House, tmp_path: Path, encoding: str) -> None:
    name = "Зелено" if encoding == "iso8859-5" else "Țeavă" if encoding.startswith("utf") else "Ţeavă"
    path = as_csv(tmp_path, "products", [product(1, productName=name)], encoding=encoding)

    told = encoding if encoding in ("cp1250", "iso8859-5") else "utf-8"
    assert [row["productName"] for row in (await imported(house, path, encoding=told))[1]] == [name]
    if told != "utf-8":
        report = await bring(house.database, house.tenant_id, path)
        assert "--encoding" in report.refusals[0].message


async def test_empty_cells_clear_what_may_be_empty_and_leave_defaults(house: House, tmp_path: Path) -> None:
    rows = [product(1, sku="S", minimumStock=4, active=False, weight="0.5"), product(2, sku="T")]
    await imported(house, as_csv(tmp_path, "products", rows))
    rows = [product(1, sku=None, minimumStock=None, active=None, weight=None), product(2, sku="T")]

    report, products = await imported(house, as_csv(tmp_path, "products", rows))

    assert effects(report) == {"products": {"updated": 1, "unchanged": 1}}
    found = {name: products[0][name] for name in ("sku", "minimumStock", "active", "weight")}
    assert found == {"sku": None, "minimumStock": 4, "active": False, "weight": None}


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("productId,productCode,productName\n1,A,B,C\n2,D,E\n", [2]),
        ("productId,productCode,productName\n1,A\n2,D,E\n", [2]),
        ("productId,productCode,productName\nx,A,B\n2,D,E\n", [2]),
        ('productId,productCode,productName,weight\n1,A,B,"1,5"\n2,D,E,1.5\n', [2]),
    ],
)
async def test_bad_csv_rows_are_refused(house: House, tmp_path: Path, text: str, lines: list[int]) -> None:
    path = tmp_path / "products.csv"
    path.write_text(text)

    report, products = await imported(house, path)

    assert [line for _, line, _ in refused(report)] == lines
    assert [row["productId"] for row in products] == [2]
