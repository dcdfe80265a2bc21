"""One sample of each mutation of a document."""

from tests.schema.mutations import stages
from tests.schema.mutations.desks import Desk
from tests.schema.mutations.samples import GONE, Input, rows, sample

LINES = [{"productCode": "LAMP", "quantity": "2.5", "externalLineId": "1"}]


@sample("order { id status lines { nodes { quantity reservedQuantity } } requirements { name } company { name } }")
async def order_add(desk: Desk) -> Input:
    await stages.stock(desk)
    company = {"name": "Atelier Verde", "externalReference": "c-88"}
    wishes = [{"name": "gift", "value": "yes"}]
    return {"externalOrderId": "WEB-1", "lines": LINES, "company": company, "requirements": wishes}


@sample("order { comment status }")
async def order_update(desk: Desk) -> Input:
    await stages.order(desk)
    return {"order": {"externalOrderId": "WEB-1"}, "comment": "Changed", "lines": LINES, "awbExternalLink": None}


@sample(GONE)
async def order_delete(desk: Desk) -> Input:
    return {"order": {"id": await stages.order(desk)}}


@sample(rows("order { externalOrderId status }"))
async def orders_add(desk: Desk) -> Input:
    await stages.stock(desk)
    return {"orders": [{"externalOrderId": "WEB-1", "lines": LINES}, {"externalOrderId": "WEB-2"}]}


@sample(rows("order { comment }"))
async def orders_update(desk: Desk) -> Input:
    return {"orders": [{"order": {"id": await stages.order(desk)}, "comment": "Changed"}]}


@sample(rows(GONE))
async def orders_delete(desk: Desk) -> Input:
    await stages.order(desk)
    return {"orders": [{"externalOrderId": "WEB-1"}]}


@sample("order { awbExternalLink }")
async def order_awb_link_update(desk: Desk) -> Input:
    return {"order": {"id": await stages.order(desk)}, "awbExternalLink": "https://courier.example/1"}


@sample("orders { status }")
async def orders_recheck(desk: Desk) -> Input:
    await stages.product(desk)
    order = {"externalOrderId": "WEB-1", "lines": [{"productCode": "LAMP", "quantity": 2}]}
    order_id = (await desk.made("orderAdd", order, "order { id }"))["order"]["id"]
    await stages.nir(desk, lines=[{"productCode": "LAMP", "quantity": 5}], requiresValidation=False)
    return {"orderIds": [order_id]}


@sample("printJob { id documentType copies state }")
async def order_print(desk: Desk) -> Input:
    await stages.order(desk)
    return {"order": {"externalOrderId": "WEB-1"}, "documentType": "LABEL", "copies": 2}


@sample("order { status pickerUsername }")
async def order_picking_start(desk: Desk) -> Input:
    return {"order": {"id": await stages.order(desk)}}


@sample("order { status scans { nodes { quantity } } numberOfPackages }")
async def order_validate(desk: Desk) -> Input:
    order_id = await stages.order(desk)
    await desk.made("orderPickingStart", {"order": {"id": order_id}})
    pick = {"lineId": await stages.order_line(desk, order_id), "quantity": 3, "locationCode": "A-01"}
    return {"order": {"id": order_id}, "picks": [pick], "numberOfPackages": 1}


@sample("order { status awbExternalLink }")
async def order_status_update(desk: Desk) -> Input:
    order_id = await stages.order(desk)
    return {"order": {"id": order_id}, "status": "VALIDATED", "awbExternalLink": "https://courier.example/1"}


@sample("order { status }")
async def order_cancel(desk: Desk) -> Input:
    return {"order": {"id": await stages.order(desk)}}


@sample(rows("shipment { carrier parcels }"))
async def shipments_upsert(desk: Desk) -> Input:
    await stages.order(desk, lines=False)
    row = {"externalReference": "s-1", "externalOrderId": "WEB-1", "carrier": "Fan", "parcels": 2}
    return {"shipments": [row | {"weight": "1.5", "shippedAt": "2026-03-01T09:30:00Z"}]}


@sample(rows(GONE))
async def shipments_delete(desk: Desk) -> Input:
    await desk.made("shipmentsUpsert", await shipments_upsert(desk))
    return {"shipments": [{"externalReference": "s-1"}]}


@sample(rows("invoice { number hasPdf lines { nodes { netPrice } } }"))
async def invoices_upsert(desk: Desk) -> Input:
    await stages.company(desk)
    line = {"description": "Lamps", "quantity": 2, "netPrice": "9.99", "vatPercentage": 21}
    row = {"externalReference": "i-1", "number": "F-1", "companyExternalReference": "c-1", "issuedOn": "2026-03-01"}
    return {"invoices": [row | {"net": "19.98", "pdf": "JVBERi0xLjQ=", "lines": [line]}]}


@sample(rows(GONE))
async def invoices_delete(desk: Desk) -> Input:
    await desk.made("invoicesUpsert", await invoices_upsert(desk))
    return {"invoices": [{"externalReference": "i-1"}]}


@sample("nir { id status lines { nodes { quantity validatedQuantity batchCode } } }")
async def nir_add(desk: Desk) -> Input:
    await stages.product(desk, requiresBatchCode=True)
    line = {"productCode": "LAMP", "quantity": 5, "batchCode": "B7", "expirationDate": "2028-12-31"}
    supplier = await stages.company(desk)
    return {"externalReference": "IN-1", "supplierId": supplier, "lines": [line], "requiresValidation": False}


@sample(rows("nir { externalReference status }"))
async def nirs_add(desk: Desk) -> Input:
    await stages.product(desk)
    lines = [{"productCode": "LAMP", "quantity": 5}]
    return {"nirs": [{"externalReference": "IN-1", "lines": lines}, {"externalReference": "IN-2"}]}


@sample("nir { comment lines { nodes { quantity } } }")
async def nir_update(desk: Desk) -> Input:
    nir_id = await stages.announced_nir(desk)
    return {"nir": {"id": nir_id}, "comment": "Changed", "lines": [{"productCode": "LAMP", "quantity": 7}]}


@sample("nir { status validatedBy lines { nodes { validatedQuantity } } }")
async def nir_validate(desk: Desk) -> Input:
    await stages.announced_nir(desk)
    count = {"productCode": "LAMP", "quantity": 4, "locationCode": "A-02"}
    return {"nir": {"externalReference": "IN-1"}, "counts": [count]}


@sample("nir { status }")
async def nir_cancel(desk: Desk) -> Input:
    return {"nir": {"id": await stages.announced_nir(desk)}}


@sample(GONE)
async def nir_delete(desk: Desk) -> Input:
    return {"nir": {"id": await stages.announced_nir(desk)}}


@sample(rows(GONE))
async def nirs_delete(desk: Desk) -> Input:
    await stages.announced_nir(desk)
    return {"nirs": [{"externalReference": "IN-1"}]}


@sample("nir { externalReference }")
async def nir_external_reference_update(desk: Desk) -> Input:
    return {"nir": {"id": await stages.announced_nir(desk)}, "externalReference": "IN-2"}


@sample("nir { packagingType }")
async def nir_packaging_type_update(desk: Desk) -> Input:
    return {"nir": {"id": await stages.announced_nir(desk)}, "packagingType": "pallets"}


@sample("return { id status company { name } }")
async def return_add(desk: Desk) -> Input:
    await stages.product(desk)
    await stages.company(desk)
    line = {"productCode": "LAMP", "quantity": 2, "serialNumbers": []}
    return {"externalReference": "RET-1", "companyExternalReference": "c-1", "lines": [line]}


@sample(rows("return { externalReference }"))
async def returns_add(desk: Desk) -> Input:
    return {"returns": [{"externalReference": "RET-1", "companyId": await stages.company(desk)}]}


@sample("return { status }")
async def return_validate(desk: Desk) -> Input:
    return_id = await stages.announced_return(desk)
    return {"return": {"id": return_id}, "counts": [{"productCode": "LAMP", "quantity": 5}]}


@sample("return { status }")
async def return_cancel(desk: Desk) -> Input:
    await stages.announced_return(desk)
    return {"return": {"externalReference": "RET-1"}}


@sample(GONE)
async def return_delete(desk: Desk) -> Input:
    return {"return": {"id": await stages.announced_return(desk)}}


@sample("transfer { id status } line { quantity }")
async def transfer_line_add(desk: Desk) -> Input:
    line = {"sourceLocationCode": "A-01", "destinationLocationCode": "A-02", "quantity": "1.5"}
    return line | {"productId": await stages.stock(desk)}


@sample(f"transfer {{ status }} {GONE}")
async def transfer_line_delete(desk: Desk) -> Input:
    return {"id": (await stages.transfer(desk))[1]}


@sample("transfer { status validatedBy }")
async def transfer_validate(desk: Desk) -> Input:
    return {"id": (await stages.transfer(desk))[0]}


@sample("transfer { status }")
async def transfer_cancel(desk: Desk) -> Input:
    return {"id": (await stages.transfer(desk))[0]}


@sample("transfer { status }")
async def transfer_close(desk: Desk) -> Input:
    transfer_id, _ = await stages.transfer(desk)
    await desk.made("transferValidate", {"id": transfer_id})
    return {"id": transfer_id}


@sample(GONE)
async def transfer_delete(desk: Desk) -> Input:
    return {"id": (await stages.transfer(desk))[0]}


@sample("inventory { id status } count { quantity recordedQuantity }")
async def inventory_count_add(desk: Desk) -> Input:
    await stages.stock(desk)
    count = {"locationCode": "A-01", "productCode": "LAMP", "quantity": 8}
    return count | {"recordedQuantity": 10, "validate": True}


@sample(rows("count { quantity recordedQuantity }"))
async def inventory_counts_add(desk: Desk) -> Input:
    counts = [{"locationCode": code, "productCode": "LAMP", "quantity": 2} for code in ("A-01", "A-02")]
    return {"inventoryId": await stages.inventory(desk), "counts": counts}


@sample("inventory { status }")
async def inventory_validate(desk: Desk) -> Input:
    return {"id": await stages.inventory(desk)}


@sample("inventory { status }")
async def inventory_cancel(desk: Desk) -> Input:
    return {"id": await stages.inventory(desk)}


@sample("purchaseOrder { id status orderedOn }")
async def purchase_order_add(desk: Desk) -> Input:
    await stages.product(desk)
    lines = [{"productCode": "LAMP", "quantity": 5, "price": "8.1"}]
    supplier = await stages.company(desk)
    return {"orderedOn": "2026-03-01", "arrivalDate": "2026-03-10", "supplierId": supplier, "lines": lines}


@sample(rows("purchaseOrder { status }"))
async def purchase_orders_add(desk: Desk) -> Input:
    return {"purchaseOrders": [{"orderedOn": "2026-03-01", "supplierId": await stages.company(desk)}]}


@sample("purchaseOrder { comment }")
async def purchase_order_update(desk: Desk) -> Input:
    return {"id": (await stages.purchase_order(desk))[0], "comment": "Changed", "arrivalDate": None}


@sample("purchaseOrder { status }")
async def purchase_order_status_update(desk: Desk) -> Input:
    return {"id": (await stages.purchase_order(desk))[0], "status": "VALIDATED"}


@sample("purchaseOrder { status }")
async def purchase_order_close(desk: Desk) -> Input:
    return {"id": (await stages.purchase_order(desk))[0]}


@sample(GONE)
async def purchase_order_delete(desk: Desk) -> Input:
    return {"id": (await stages.purchase_order(desk))[0]}


@sample("purchaseOrder { status } line { quantity price }")
async def purchase_order_line_add(desk: Desk) -> Input:
    purchase_order_id, _ = await stages.purchase_order(desk)
    return {"purchaseOrderId": purchase_order_id, "productCode": "LAMP", "quantity": 3, "price": "8.1"}


@sample(f"purchaseOrder {{ status }} {GONE}")
async def purchase_order_line_delete(desk: Desk) -> Input:
    return {"id": (await stages.purchase_order(desk))[1]}


@sample("productionOrder { id status }")
async def production_order_add(desk: Desk) -> Input:
    made_of = [{"productCode": "LAMP", "quantity": 4}]
    await stages.product(desk)
    product_id = await stages.product(desk, "SET")
    return {"productId": product_id, "quantity": 2, "thirdPartyReference": "make-1", "components": made_of}


@sample(rows("productionOrder { status }"))
async def production_orders_add(desk: Desk) -> Input:
    row = {"productId": await stages.product(desk), "quantity": 2, "thirdPartyReference": "make-1"}
    return {"productionOrders": [row]}


@sample("productionOrder { status producedQuantity }")
async def production_order_close(desk: Desk) -> Input:
    return {"id": await stages.production_order(desk), "locationCode": "A-02"}


@sample("productionOrder { status }")
async def production_order_cancel(desk: Desk) -> Input:
    return {"id": await stages.production_order(desk)}


@sample("notification { title message }")
async def notification_add(desk: Desk) -> Input:
    return {"title": "Hello", "message": "World", "recipientId": await stages.user(desk)}


@sample("printJob { state }")
async def print_job_done(desk: Desk) -> Input:
    return {"id": await stages.print_job(desk)}


@sample("printJob { state message }")
async def print_job_failed(desk: Desk) -> Input:
    return {"id": await stages.print_job(desk), "message": "no paper"}
