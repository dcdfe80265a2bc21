"""A tenant in which every field of every answer of REST has a value somewhere."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx

from hub.settings import Settings
from tests.hub.importing.test_round_trip import seed
from tests.schema.rest.houses import House, open_house
from tests.schema.served import serving


@asynccontextmanager
async def furnished_house(settings: Settings) -> AsyncIterator[House]:
    """The tenant in a served hub."""
    async with serving(settings) as (services, port):
        house = await open_house(services.database)
        await house.client.aclose()
        host = house.client.base_url.host.replace("hub.test", "localhost")
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers={"Host": host}) as client:
            house = replace(house, client=client)
            await furnish(house)
            yield house


async def furnish(house: House) -> None:
    """The year of work, and on top of it records that have a value in every field, a locked batch and two counts."""
    await seed(house)
    await furnish_nomenclatures(house)
    await furnish_documents(house)
    await house.run("UPDATE batches SET locked = true WHERE code = 'B8'")
    await house.run("UPDATE stock_items SET sscc = '00340' WHERE serial_number = 'SAW-1'")
    await house.run("UPDATE scans SET sscc = '00340' WHERE serial_number LIKE 'SAW-%'")
    adjust, milk = "/api/inventory/stock-adjustment", {"model": "MILK", "stockBatchCode": "B8", "locationCode": "A-02"}
    assert (await house.post(adjust, milk | {"quantity": 4.25})).data["inventoryId"] == 1
    dates = {"expirationDate": "2027-02-28", "productionDate": "2026-02-28"}
    bread = {"model": "BREAD", "locationCode": "A-01", "quantity": 2, "stockBatchCode": "NEW"} | dates
    counted = await house.post(adjust, bread | {"inventoryId": 1, "validate": True})
    assert counted.data["inventoryStatus"] == 4
    drill = {"model": "DRILL", "locationCode": "RECEPTION", "quantity": 1, "snList": ["SN-2"]}
    assert (await house.post(adjust, drill)).data["inventoryId"] == 2


async def furnish_nomenclatures(house: House) -> None:
    names = {"externalReference": "full", "thirdPartyReference": "t/c"}
    await house.add("category", categoryName="Full", categoryDetails="Everything", **names)
    await house.add("measurement-unit", name="Full", code="FULL", details="Everything", thirdPartyReference="t/u")
    texts = ("cui", "regNo", "bank", "iban", "address", "phone", "email", "website")
    await house.add("company", name="Full SRL", type="BOTH", **names, **{name: f"{name} ă" for name in texts})
    sizes = dict.fromkeys(("width", "height", "length", "weight", "volume", "diameter"), 0.0625)
    prices = {"purchasePrice": 9999999999.9999, "sellingPrice": 0.0001, "vatPercentage": 19.5, "minimumStock": 7}
    words = {"sku": "F", "thirdPartyReference": "t/p", "material": "lemn", "color": "roșu"}
    await house.add("product", name="Full", code="FULL", requiresProductionDate=True, **sizes, **prices, **words)
    await house.add("product", name="Saw", code="SAW", requiresSerialNumber=True)


async def furnish_documents(house: House) -> None:
    dates = {"productionDate": "2026-02-28", "expirationDate": "2028-02-29", "batchCode": "F1"}
    line = {"code": "FULL", "externalLineId": "1", "locationCode": "A-01", **dates}
    saw = {"code": "SAW", "quantity": 1, "locationCode": "A-02", "externalLineId": "2"}
    words = {"thirdPartyReference": "t/d", "comment": "„Full”"}
    lines = [line | {"quantity": 9.5}, saw | {"snList": ["SAW-1"]}]
    await house.add("nir", externalReference="FULL", validationRequired=False, nirProducts=lines, **words)
    links = {"awbExternalLink": "https://a.test/1", "invoiceExternalLink": "https://i.test/1"}
    await house.add(
        "order",
        externalOrderId="FULL",
        company={"externalReference": "full"},
        orderProducts=[{"productModel": "FULL", "quantity": 1.5, "locationCode": "A-01"}],
        **(words | links | {"numberOfPackages": 2, "numberOfEnvelopes": 1}),
    )
    await house.patch("/api/order/update-status", {"orderId": 9, "status": 3})
    lines = [line | {"quantity": 0.5}, saw | {"snList": ["SAW-2"]}]
    await house.add(
        "return",
        externalReference="FULL",
        externalClientId="full",
        validationRequired=False,
        returnedProducts=lines,
        **words,
    )
    order = {"purchaseOrderId": 1, "arrivalDate": "31.03.2026", "documentNumber": "PO-9", "comment": "„Full”"}
    assert (await house.patch("/api/purchase-order/update", order)).status == 200
    made = await house.add("production", productId=2, quantity=0.25, thirdPartyReference="FULL", comment="„Full”")
    close = f"/api/production/close-simplified-production/order/{made['productionOrderId']}"
    assert (await house.post(close, dates)).status == 200
