"""What a mutation needs to find before it can be tried, made by other mutations; each returns the global id."""

from typing import Any

from tests.schema.mutations.desks import Desk


async def product(desk: Desk, code: str = "LAMP", **fields: Any) -> str:
    made = await desk.made("productAdd", {"name": f"Product {code}", "code": code} | fields, "product { id }")
    return str(made["product"]["id"])


async def stock(desk: Desk, code: str = "LAMP", quantity: int = 10, **line: Any) -> str:
    """A product with stock at A-01; the id of the product."""
    product_id = await product(desk, code)
    lines = [{"productCode": code, "quantity": quantity, "locationCode": "A-01"} | line]
    await nir(desk, f"stock {code}", lines=lines, requiresValidation=False)
    return product_id


async def company(desk: Desk, reference: str = "c-1", **fields: Any) -> str:
    input = {"name": "Atelier Verde", "externalReference": reference, "type": "BOTH"} | fields
    return str((await desk.made("companyAdd", input, "company { id }"))["company"]["id"])


async def category(desk: Desk, reference: str = "g-1") -> str:
    input = {"name": "Lighting", "externalReference": reference}
    return str((await desk.made("categoryAdd", input, "category { id }"))["category"]["id"])


async def unit(desk: Desk, code: str = "PCS") -> str:
    made = await desk.made("measurementUnitAdd", {"name": "Pieces", "code": code}, "measurementUnit { id }")
    return str(made["measurementUnit"]["id"])


async def order(desk: Desk, number: str = "WEB-1", *, lines: bool = True, **fields: Any) -> str:
    """An order for 4 of 10 lamps, all of them reserved."""
    wanted = {"externalOrderId": number} | fields
    if lines:
        await stock(desk)
        wanted["lines"] = [{"productCode": "LAMP", "quantity": "4"}]
    return str((await desk.made("orderAdd", wanted, "order { id }"))["order"]["id"])


async def picked_order(desk: Desk, number: str = "WEB-1") -> str:
    order_id = await order(desk, number)
    await desk.made("orderStatusUpdate", {"order": {"id": order_id}, "status": "VALIDATED"})
    return order_id


async def order_line(desk: Desk, order_id: str) -> str:
    [row] = await desk.world.rows(
        "SELECT id FROM order_lines WHERE order_id = :order", order=int(order_id.rpartition(":")[2])
    )
    return desk.id("OrderLine", row["id"])


async def nir(desk: Desk, reference: str = "IN-1", **fields: Any) -> str:
    made = await desk.made("nirAdd", {"externalReference": reference} | fields, "nir { id }")
    return str(made["nir"]["id"])


async def announced_nir(desk: Desk, reference: str = "IN-1") -> str:
    await product(desk)
    return await nir(desk, reference, lines=[{"productCode": "LAMP", "quantity": 5}])


async def announced_return(desk: Desk, reference: str = "RET-1") -> str:
    await product(desk)
    input = {"externalReference": reference, "companyId": await company(desk)}
    lines = {"lines": [{"productCode": "LAMP", "quantity": 5}]}
    return str((await desk.made("returnAdd", input | lines, "return { id }"))["return"]["id"])


async def transfer(desk: Desk) -> tuple[str, str]:
    """A transfer of 4 lamps from A-01 to A-02, and its line."""
    line = {"sourceLocationCode": "A-01", "destinationLocationCode": "A-02", "productId": await stock(desk)}
    made = await desk.made("transferLineAdd", line | {"quantity": 4}, "transfer { id } line { id }")
    return made["transfer"]["id"], made["line"]["id"]


async def inventory(desk: Desk) -> str:
    await product(desk)
    count = {"locationCode": "A-01", "productCode": "LAMP", "quantity": 3}
    return str((await desk.made("inventoryCountAdd", count, "inventory { id }"))["inventory"]["id"])


async def purchase_order(desk: Desk) -> tuple[str, str]:
    """A purchase order for 5 lamps, and its line."""
    await product(desk)
    input = {"orderedOn": "2026-03-01", "supplierId": await company(desk)}
    made = await desk.made("purchaseOrderAdd", input, "purchaseOrder { id }")
    purchase_order_id = made["purchaseOrder"]["id"]
    line = {"purchaseOrderId": purchase_order_id, "productCode": "LAMP", "quantity": 5}
    return purchase_order_id, (await desk.made("purchaseOrderLineAdd", line, "line { id }"))["line"]["id"]


async def production_order(desk: Desk) -> str:
    """An order to make 2 sets from 4 lamps."""
    await stock(desk)
    input = {
        "productId": await product(desk, "SET"),
        "quantity": 2,
        "thirdPartyReference": "make-1",
        "components": [{"productCode": "LAMP", "quantity": 4}],
    }
    made = await desk.made("productionOrderAdd", input, "productionOrder { id }")
    return str(made["productionOrder"]["id"])


async def print_job(desk: Desk) -> str:
    made = await desk.made("orderPrint", {"order": {"id": await order(desk, lines=False)}}, "printJob { id }")
    return str(made["printJob"]["id"])


async def batch(desk: Desk) -> str:
    await product(desk, "FOOD", requiresBatchCode=True)
    line = {"productCode": "FOOD", "quantity": 5, "batchCode": "B7"}
    await nir(desk, "food", lines=[line], requiresValidation=False)
    return desk.id("Batch", await desk.world.value("SELECT id FROM batches"))


async def price_list(desk: Desk, reference: str = "wholesale") -> str:
    rows = {"priceLists": [{"externalReference": reference, "name": "Wholesale"}]}
    made = await desk.made("priceListsUpsert", rows, "results { priceList { id } }")
    return str(made["results"][0]["priceList"]["id"])


async def price(desk: Desk) -> str:
    row = {
        "priceListId": await price_list(desk),
        "productId": await product(desk),
        "netPrice": "9.99",
        "validFrom": "2026-01-01",
    }
    made = await desk.made("pricesUpsert", {"prices": [row]}, "results { price { id } }")
    return str(made["results"][0]["price"]["id"])


async def user(desk: Desk, username: str = "nora") -> str:
    input = {"username": username, "password": "correct horse", "level": "USER"}
    return str((await desk.made("userAdd", input, "user { id }"))["user"]["id"])


async def gomag(desk: Desk) -> None:
    """GoMag, ready to be activated."""
    fields = {"applicationId": "key-12345678", "applicationUrl": "https://shop.test"}
    options = {"syncOrders": True, "sendStocks": True}
    mappings = {"outboundTakeoverStatusId": "3"}
    input = {"code": "GOMAG", "fields": fields, "options": options, "mappings": mappings}
    await desk.made("integrationSave", input)


async def active_gomag(desk: Desk) -> None:
    await gomag(desk)
    await desk.made("integrationActivate", {"code": "GOMAG"})


async def run(desk: Desk) -> str:
    await active_gomag(desk)
    made = await desk.made("syncStart", {"streams": ["orders"]}, "runs { id }")
    return str(made["runs"][0]["id"])


async def exception(desk: Desk) -> str:
    """A parked order of GoMag."""
    await active_gomag(desk)
    await desk.world.run(
        "INSERT INTO sync_exceptions (tenant_id, id, code, stream, external_key, reason, message, payload, state, "
        "attempts) VALUES (:tenant, 1, 'GOMAG', 'orders', '77', 'INVALID', 'no lines', '{}', 'OPEN', 1)",
        tenant=desk.tenant_id,
    )
    return desk.id("SyncException", 1)


async def shop(desk: Desk) -> None:
    """A platform that told about one shop."""
    await desk.made("integrationSave", {"code": "SHOP", "fields": {"applicationUrl": "https://shop.test"}})
    await desk.world.run(
        "INSERT INTO websites (tenant_id, code, website_id, name) VALUES (:tenant, 'SHOP', 'w1', 'Shop one')",
        tenant=desk.tenant_id,
    )
