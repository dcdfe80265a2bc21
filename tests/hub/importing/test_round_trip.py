"""What the REST reads of one tenant show, imported into another one, is what its REST reads show."""

from pathlib import Path
from typing import Any

from hub.db import Database
from tests.hub.importing.folders import bring, effects, everything, export, reads
from tests.schema.rest.houses import House


async def seed(house: House) -> None:
    """A year of work: every noun, every kind of goods, documents in every state."""
    category = await house.add("category", categoryName="Țevi și fitinguri", externalReference="pipes")
    unit = await house.add("measurement-unit", name="Bucată", code="BUC")
    await house.add("company", name="Gone SRL")
    supplier = await house.add("company", name="Lumen SA", type="BOTH", externalReference="sup", cui="RO1")
    client = await house.add("company", name="Ателие „Зелено“", externalReference="c-1", address='1, "Main"\nSofia')
    plain = {"categoryId": category["categoryId"], "measurementUnitId": unit["muId"], "weight": 0.25, "vatId": 7}
    await house.add("product", name="Pipe", code="PIPE", sku="S-1", vatPercentage=21, sellingPrice=12.3456, **plain)
    await house.add("product", name="Milk", code="MILK", requiresBatchCode=True, requiresExpirationDate=True)
    await house.add("product", name="Drill", code="DRILL", requiresSerialNumber=True, active=True)
    await house.add("product", name="Bread", code="BREAD", requiresBatchDetails=True, color='red, "dark"')
    await house.add("product", name="Off", code="OFF", active=False)
    lines = [
        {"code": "PIPE", "quantity": 40.5, "locationCode": "A-01", "purchasePrice": 8.1, "externalLineId": "1"},
        {"code": "MILK", "quantity": 12, "batchCode": "B7", "expirationDate": "2028-12-31", "locationCode": "A-01"},
        {"code": "MILK", "quantity": 5, "batchCode": "B8", "expirationDate": "2027-12-31", "locationCode": "A-02"},
        {"code": "DRILL", "quantity": 2, "snList": ["SN-1", "SN-2"]},
        {"code": "BREAD", "quantity": 3, "expirationDate": "2027-01-31"},
    ]
    nir = {"supplierId": supplier["companyId"], "packagingType": "pallet", "comment": "first"}
    purchase = (
        await house.post("/api/purchase-order/add", {"date": "01.03.2026", "supplier": supplier["companyId"]})
    ).data
    po = purchase["purchaseOrderId"]
    await house.post(
        "/api/purchase-order/add-product", {"purchaseOrderId": po, "productCode": "PIPE", "quantity": 50, "price": 8}
    )
    received = await house.add("nir", externalReference="IN-1", validationRequired=False, nirProducts=lines, **nir)
    announced = await house.add("nir", externalReference="IN-2", nirProducts=lines[:1], thirdPartyReference="erp-2")
    await house.add("nir", externalReference="IN-3")
    await house.patch(
        "/api/purchase-order/update", {"purchaseOrderId": po, "nirs": [received["nirId"], announced["nirId"]]}
    )
    await seed_orders(house, client)
    await house.add(
        "return",
        externalReference="R-1",
        externalClientId="c-1",
        initialExternalOrderId="W-3",
        validationRequired=False,
        returnedProducts=[{"code": "PIPE", "quantity": 1, "locationCode": "A-02"}],
    )
    await house.add(
        "return", externalReference="R-2", externalClientId="c-1", returnedProducts=[{"code": "PIPE", "quantity": 2}]
    )
    made = await house.add(
        "production", productId=1, quantity=2, thirdPartyReference="PR-1", components=[{"code": "PIPE", "quantity": 1}]
    )
    await house.post(
        f"/api/production/close-simplified-production/order/{made['productionOrderId']}", {"locationCode": "A-01"}
    )
    await house.add(
        "production", productId=1, quantity=3, thirdPartyReference="PR-2", components=[{"code": "MILK", "quantity": 1}]
    )


async def seed_orders(house: House, client: dict[str, Any]) -> None:
    def order(number: int, *lines: tuple[str, float], **fields: Any) -> Any:
        products = [
            {"productModel": code, "quantity": quantity, "externalLineId": str(position)}
            for position, (code, quantity) in enumerate(lines)
        ]
        return house.add("order", externalOrderId=f"W-{number}", orderProducts=products, **fields)

    async def move(found: dict[str, Any], *statuses: int) -> None:
        for status in statuses:
            moved = await house.patch("/api/order/update-status", {"orderId": found["orderId"], "status": status})
            assert moved.status == 200, moved

    company = {"companyId": client["companyId"]}
    await order(1, comment="nothing yet")
    await move(await order(2, ("PIPE", 1)), 0)
    await move(await order(3, ("PIPE", 2.5), ("MILK", 1), company=company, numberOfPackages=2), 3)
    await move(await order(4, ("PIPE", 1), ("DRILL", 1)), 3, 5)
    await order(
        5,
        ("MILK", 4),
        ("PIPE", 3),
        company=company,
        thirdPartyReference="t-5",
        orderRequirements=[{"name": "wrap", "value": "gift, blue"}, {"name": "call", "value": "yes"}],
    )
    await order(6, ("DRILL", 1000), orderType=2)
    await move(await order(7, ("BREAD", 1), awbExternalLink="https://a.test/?x=1&y=2"), 7)
    await move(await order(8, ("PIPE", 1)), 3, 8)


async def test_reads_of_an_old_system_are_equal_after_the_import(
    database: Database, old: House, house: House, tmp_path: Path
) -> None:
    await seed(old)
    before = await export(old, tmp_path, csv_for=("companies", "products", "stock", "orders"))

    report = await bring(database, house.tenant_id, tmp_path)

    assert report.refusals == []
    assert await reads(house) == before
    await house.room.balance(orders=False)


async def test_second_import_changes_nothing(database: Database, old: House, house: House, tmp_path: Path) -> None:
    await seed(old)
    await export(old, tmp_path)
    first = effects(await bring(database, house.tenant_id, tmp_path))
    before = await everything(house)

    second = effects(await bring(database, house.tenant_id, tmp_path))

    assert {noun: {"unchanged": sum(counts.values())} for noun, counts in first.items()} == second
    assert await everything(house) == before
