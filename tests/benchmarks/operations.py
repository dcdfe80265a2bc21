"""The three operations that are compared, in the words of each contestant."""

from dataclasses import dataclass

TENANT = 3


@dataclass(frozen=True, slots=True)
class Operation:
    """What is asked; `path` is the floor's route."""

    name: str
    path: str
    hub: str
    postgraphile: str


PRODUCTS = Operation(
    name="100 products × 15 fields",
    path="/products",
    hub="""{ products(first: 100) { nodes {
        id internalId code name sku vatPercentage purchasePrice sellingPrice minimumStock weight active
        requiresBatchCode material createdAt updatedAt
    } } }""",
    postgraphile="""{ allProducts(first: 100, condition: {tenantId: "3"}, orderBy: [PRIMARY_KEY_ASC]) { nodes {
        id rowId code name sku vatPercentage purchasePrice sellingPrice minimumStock weight active requiresBatchCode
        material createdAt updatedAt
    } } }""",
)
ORDERS = Operation(
    name="50 orders, nested, with stock totals",
    path="/orders",
    hub="""{ orders(first: 50, orderBy: CREATED_AT_DESC) { nodes {
        id externalOrderId status createdAt company { name cui } warehouse { code name }
        lines(first: 50) { nodes { quantity product {
            code name totalQuantityInStock totalReservedQuantity totalFreeQuantity
        } } }
    } } }""",
    postgraphile="""{ allOrders(first: 50, condition: {tenantId: "3"}, orderBy: [CREATED_AT_DESC]) { nodes {
        id externalOrderId status createdAt
        companyByTenantIdAndCompanyId { name cui } warehouseByTenantIdAndWarehouseId { code name }
        orderLinesByTenantIdAndOrderId(first: 50, orderBy: [POSITION_ASC]) { nodes {
            quantity productByTenantIdAndProductId { code name stock { quantity reserved free } }
        } }
    } } }""",
)
MIXED = Operation(
    name="20 NIRs + 20 products + stock summary",
    path="/mixed",
    hub="""{
        nirs(first: 20, orderBy: CREATED_AT_DESC) { nodes {
            id externalReference status createdAt supplier { name }
            lines(first: 50) { nodes { quantity purchasePrice product { code name } } }
        } }
        products(first: 20) { nodes { id code name sellingPrice totalQuantityInStock } }
        stockSummary(groupBy: [WAREHOUSE]) { warehouse { code } quantity reservedQuantity }
    }""",
    postgraphile="""{
        allNirs(first: 20, condition: {tenantId: "3"}, orderBy: [CREATED_AT_DESC]) { nodes {
            id externalReference status createdAt companyByTenantIdAndSupplierId { name }
            nirLinesByTenantIdAndNirId(first: 50, orderBy: [POSITION_ASC]) { nodes {
                quantity purchasePrice productByTenantIdAndProductId { code name }
            } }
        } }
        allProducts(first: 20, condition: {tenantId: "3"}, orderBy: [PRIMARY_KEY_ASC]) { nodes {
            id code name sellingPrice stock { quantity }
        } }
        allStockByWarehouses(condition: {tenantId: "3"}) { nodes { warehouseId quantity reserved } }
    }""",
)
OPERATIONS = (PRODUCTS, ORDERS, MIXED)
