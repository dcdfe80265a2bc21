"""The three operations that are compared, in the words of each contestant."""

from dataclasses import dataclass

TENANT = 3


@dataclass(frozen=True, slots=True)
class Operation:
    """What is asked; `path` is the floor's route, `goal` and `floor_goal` how many times as fast as PostGraphile and
    as the floor the hub shall be with 16 connections.

    The aliases of `postgraphile` make its answer the same as the hub's.
    """

    name: str
    path: str
    goal: float
    floor_goal: float
    hub: str
    postgraphile: str


PRODUCTS = Operation(
    name="100 products × 15 fields",
    path="/products",
    goal=4.0,
    floor_goal=1.1,
    hub="""{ products(first: 100) { nodes {
        id internalId code name sku vatPercentage purchasePrice sellingPrice minimumStock weight active
        requiresBatchCode material createdAt updatedAt
    } } }""",
    postgraphile="""{ products: allProducts(first: 100, condition: {tenantId: "3"}, orderBy: [PRIMARY_KEY_ASC]) {
        nodes { id internalId: rowId code name sku vatPercentage purchasePrice sellingPrice minimumStock weight
        active requiresBatchCode material createdAt updatedAt }
    } }""",
)
ORDERS = Operation(
    name="50 orders, nested, with stock totals",
    path="/orders",
    goal=3.3,
    floor_goal=0.95,
    hub="""{ orders(first: 50, orderBy: CREATED_AT_DESC) { nodes {
        id externalOrderId status createdAt company { name cui } warehouse { code name }
        lines(first: 50) { nodes { quantity product {
            code name totalQuantityInStock totalReservedQuantity totalFreeQuantity
        } } }
    } } }""",
    postgraphile="""{ orders: allOrders(first: 50, condition: {tenantId: "3"}, orderBy: [CREATED_AT_DESC]) { nodes {
        id externalOrderId status createdAt
        company: companyByTenantIdAndCompanyId { name cui }
        warehouse: warehouseByTenantIdAndWarehouseId { code name }
        lines: orderLinesByTenantIdAndOrderId(first: 50, orderBy: [POSITION_ASC]) { nodes {
            quantity product: productByTenantIdAndProductId { code name stock {
                totalQuantityInStock: quantity totalReservedQuantity: reserved totalFreeQuantity: free
            } }
        } }
    } } }""",
)
MIXED = Operation(
    name="20 NIRs + 20 products + stock summary",
    path="/mixed",
    goal=1.6,
    floor_goal=1.0,
    hub="""{
        nirs(first: 20, orderBy: CREATED_AT_DESC) { nodes {
            id externalReference status createdAt supplier { name }
            lines(first: 50) { nodes { quantity purchasePrice product { code name } } }
        } }
        products(first: 20) { nodes { id code name sellingPrice totalQuantityInStock } }
        stockSummary(groupBy: [WAREHOUSE]) { warehouse { code } quantity reservedQuantity }
    }""",
    postgraphile="""{
        nirs: allNirs(first: 20, condition: {tenantId: "3"}, orderBy: [CREATED_AT_DESC]) { nodes {
            id externalReference status createdAt supplier: companyByTenantIdAndSupplierId { name }
            lines: nirLinesByTenantIdAndNirId(first: 50, orderBy: [POSITION_ASC]) { nodes {
                quantity purchasePrice product: productByTenantIdAndProductId { code name }
            } }
        } }
        products: allProducts(first: 20, condition: {tenantId: "3"}, orderBy: [PRIMARY_KEY_ASC]) { nodes {
            id code name sellingPrice stock { totalQuantityInStock: quantity }
        } }
        stockSummary: allStockPerWarehouses(condition: {tenantId: "3"}, orderBy: [PRIMARY_KEY_ASC]) { nodes {
            warehouse: warehouseByTenantIdAndWarehouseId { code } quantity reservedQuantity: reserved
        } }
    }""",
)
OPERATIONS = (PRODUCTS, ORDERS, MIXED)
