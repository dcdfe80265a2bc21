"""The objects of the REST contract and where GraphQL has each of their fields; one mapping per object."""

from typing import Any

from tests.schema.rest.twins import (
    Mapped,
    alike,
    always,
    at,
    code,
    decimal,
    decimals,
    dotted,
    each,
    listed,
    moment,
    pages,
    same,
    status,
    whole,
)


def _by_place(row: Any) -> Any:
    """The order of `stockInfo`: location, batch, those without a batch last."""
    return row["locationCode"], row["stockBatchCode"] is None, row["stockBatchCode"]


CATEGORY: Mapped = {
    "categoryId": whole("internalId"),
    "categoryName": same("name"),
    "categoryDetails": same("details"),
    **alike("externalReference", "thirdPartyReference", "active"),
}
MEASUREMENT_UNIT: Mapped = {
    "muId": whole("internalId"),
    "status": same("active"),
    **alike("name", "code", "details", "thirdPartyReference"),
}
COMPANY: Mapped = {
    "companyId": whole("internalId"),
    **alike("externalReference", "name", "cui", "regNo", "bank", "iban", "address", "phone", "email", "website"),
    **alike("type", "active", "thirdPartyReference"),
}

STOCK: Mapped = {
    "warehouseId": whole("warehouse.internalId"),
    "warehouseCode": same("warehouse.code"),
    "locationCode": same("location.code"),
    "locationName": same("location.name"),
    **decimals("quantity", "reservedQuantity", "freeQuantity"),
    "stockBatchId": whole("batch.internalId"),
    "stockBatchCode": same("batch.code"),
    "productionDate": same("batch.productionDate"),
    "expirationDate": same("batch.expirationDate"),
    "serialNumber": same("serialNumber"),
    "ssccCode": same("sscc"),
}
PRODUCT: Mapped = {
    "productId": whole("internalId"),
    "productName": same("name"),
    "productCode": same("code"),
    **alike("sku", "thirdPartyReference", "material", "color", "active"),
    "categoryId": whole("category.internalId"),
    "categoryName": same("category.name"),
    "measurementUnitId": whole("measurementUnit.internalId"),
    "vatId": whole("vatId"),
    **decimals("vatPercentage", "purchasePrice", "sellingPrice", "minimumStock"),
    **decimals("totalQuantityInStock", "totalReservedQuantity", "totalFreeQuantity"),
    "stockInfo": pages("stock(first: 100)", STOCK, order=_by_place),
    **alike("requiresSerialNumber", "requiresBatchCode", "requiresBatchDetails"),
    **alike("requiresProductionDate", "requiresExpirationDate"),
    **decimals("width", "height", "length", "weight", "volume", "diameter"),
}
ITS_PRODUCT: Mapped = {
    "productId": whole("product.internalId"),
    "productName": same("product.name"),
    "productCode": same("product.code"),
}
STOCK_ITEM: Mapped = {
    **ITS_PRODUCT,
    **STOCK,
    "sku": same("product.sku"),
    "purchasePrice": decimal("product.purchasePrice"),
}
PRODUCT_NAMED: Mapped = {"productId": whole("internalId"), "productName": same("name"), "productCode": same("code")}
FREE: Mapped = {**PRODUCT_NAMED, "remainingQuantity": decimal("totalFreeQuantity")}
PHYSICAL: Mapped = {**PRODUCT_NAMED, "remainingQuantity": decimal("totalQuantityInStock")}
PLACES: Mapped = {**PRODUCT_NAMED, "places": pages("stock(first: 100)", STOCK)}

READINESS: Mapped = {
    "orderId": whole("internalId"),
    **alike("externalOrderId", "isReady"),
    "status": status("status"),
}
PACKED: Mapped = {
    "picked": same("picked"),
    "numberOfPackages": whole("numberOfPackages"),
    "numberOfEnvelopes": whole("numberOfEnvelopes"),
    "totalWeight": decimal("totalWeight"),
}
PICKING: Mapped = {**PACKED, "pickerId": whole("pickerId"), "pickerUsername": same("pickerUsername")}
ORDER_LINE: Mapped = {
    "orderProductId": whole("internalId"),
    **ITS_PRODUCT,
    "productModel": same("product.code"),
    "externalLineId": same("externalLineId"),
    **decimals("quantity", "reservedQuantity", "pickedQuantity"),
    "locationCode": same("location.code"),
}
ORDER: Mapped = {
    **READINESS,
    **PACKED,
    **alike("thirdPartyReference", "requiresValidation", "comment", "awbExternalLink", "invoiceExternalLink"),
    "warehouseId": whole("warehouse.internalId"),
    "warehouseName": same("warehouse.name"),
    "warehouseCode": same("warehouse.code"),
    "orderType": code("orderType", {"CLIENT_ORDER": 1, "EXPENDITURE_RECEIPT": 2}),
    "dateAdded": moment("createdAt"),
    "fulfilledWeight": decimal("fulfilledWeight"),
    "orderProducts": pages("lines(first: 100)", ORDER_LINE),
    "orderRequirements": listed("requirements", alike("name", "value")),
    "companyId": whole("company.internalId"),
    "companyName": same("company.name"),
    "companyExternalReference": same("company.externalReference"),
    "companyThirdPartyReference": same("company.thirdPartyReference"),
}

RECEIPT_LINE: Mapped = {
    "productId": whole("product.internalId"),
    "code": same("product.code"),
    "name": same("product.name"),
    **decimals("quantity", "validatedQuantity"),
    "locationCode": same("location.code"),
    **alike("externalLineId", "batchCode", "productionDate", "expirationDate"),
    "snList": same("serialNumbers"),
}
RECEIPT: Mapped = {
    "warehouseId": whole("warehouse.internalId"),
    "status": status("status"),
    "dateAdded": moment("createdAt"),
    "dateValidated": moment("validatedAt"),
    **alike("externalReference", "thirdPartyReference", "validated", "comment"),
}
NIR: Mapped = {
    **RECEIPT,
    "nirId": whole("internalId"),
    "nirProducts": pages(
        "lines(first: 100)",
        {**RECEIPT_LINE, "nirProductId": whole("internalId"), "purchasePrice": decimal("purchasePrice")},
    ),
    "purchaseOrders": listed(
        "purchaseOrders",
        {
            "purchaseOrderId": whole("purchaseOrder.internalId"),
            "documentNumber": same("purchaseOrder.documentNumber"),
        },
    ),
    "supplierId": whole("supplier.internalId"),
    "supplierName": same("supplier.name"),
    "packagingType": same("packagingType"),
}
RETURN: Mapped = {
    **RECEIPT,
    "returnId": whole("internalId"),
    "returnedProducts": pages("lines(first: 100)", {**RECEIPT_LINE, "returnProductId": whole("internalId")}),
    "externalClientId": same("company.externalReference"),
    "companyId": whole("company.internalId"),
    "companyName": same("company.name"),
    "initialExternalOrderId": same("initialOrder.externalOrderId"),
}
SCAN: Mapped = {
    "scanId": whole("internalId"),
    **ITS_PRODUCT,
    "quantity": decimal("quantity"),
    "locationCode": same("location.code"),
    "batchCode": same("batch.code"),
    "productionDate": same("batch.productionDate"),
    "expirationDate": same("batch.expirationDate"),
    "sn": same("serialNumber"),
    "ssccCode": same("sscc"),
    "scanDate": moment("scannedAt"),
    "username": same("username"),
}
VALIDATION: Mapped = {
    **alike("externalReference", "validated"),
    "validationDate": moment("validatedAt"),
    "userId": whole("validatedById"),
    "userUsername": same("validatedBy"),
    "scanInfoList": pages("scans(first: 100)", SCAN),
}
NIR_VALIDATION: Mapped = {**VALIDATION, "nirId": whole("internalId")}
RETURN_VALIDATION: Mapped = {**VALIDATION, "returnId": whole("internalId")}

COUNT: Mapped = {
    **ITS_PRODUCT,
    "locationCode": same("location.code"),
    "stockBatchCode": same("batchCode"),
    **decimals("quantity", "recordedQuantity"),
}
INVENTORY: Mapped = {
    "inventoryId": whole("internalId"),
    "warehouseId": whole("warehouse.internalId"),
    "warehouseCode": same("warehouse.code"),
    "status": status("status"),
    "validated": same("validated"),
    "dateAdded": moment("createdAt"),
    "dateValidated": moment("validatedAt"),
    "userUsername": same("validatedBy"),
    "inventoryProducts": pages(
        "counts(first: 100)",
        {
            **COUNT,
            "inventoryProductId": whole("internalId"),
            "difference": decimal("difference"),
            "stockBatchId": whole("batch.internalId"),
            **alike("productionDate", "expirationDate"),
            "snList": same("serialNumbers"),
        },
    ),
}
DELTA: Mapped = {**COUNT, "locationName": same("location.name"), "delta": decimal("difference")}

PURCHASE_ORDER: Mapped = {
    "purchaseOrderId": whole("internalId"),
    "date": dotted("orderedOn"),
    "arrivalDate": dotted("arrivalDate"),
    "supplier": whole("supplier.internalId"),
    "supplierName": same("supplier.name"),
    "warehouseId": whole("warehouse.internalId"),
    "status": status("status"),
    "nirs": each("nirs", whole("nir.internalId")),
    **alike("comment", "documentNumber"),
    "dateAdded": moment("createdAt"),
    "products": pages(
        "lines(first: 100)",
        {
            "id": whole("internalId"),
            "purchaseOrderId": whole("purchaseOrder.internalId"),
            **ITS_PRODUCT,
            **decimals("quantity", "receivedQuantity", "price"),
        },
    ),
}
PRODUCTION_ORDER: Mapped = {
    "productionOrderId": whole("internalId"),
    **ITS_PRODUCT,
    **decimals("quantity", "producedQuantity"),
    "warehouseId": whole("warehouse.internalId"),
    "status": status("status"),
    "dateAdded": moment("createdAt"),
    "dateClosed": moment("closedAt"),
    **alike("thirdPartyReference", "comment", "batchCode"),
    "components": pages("components(first: 100)", {**ITS_PRODUCT, "quantity": decimal("quantity")}),
}

METADATA: Mapped = {"id": whole("internalId"), "thirdPartyReference": same("thirdPartyReference")}
CATEGORY_METADATA: Mapped = {**METADATA, **alike("externalReference", "active"), "model": always(None)}
PRODUCT_METADATA: Mapped = {
    **METADATA,
    "externalReference": always(None),
    "model": same("code"),
    "active": same("active"),
}
ORDER_METADATA: Mapped = {
    **METADATA,
    "externalReference": same("externalOrderId"),
    "model": always(None),
    "active": at("status", lambda status: status != "CANCELED"),
}
