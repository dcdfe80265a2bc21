"""`/api/product`: the catalogue with its stock."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from sqlalchemy import ColumnElement, FromClause, Select, and_, case, exists, func, or_, select

from hub.context import Level
from hub.models import metadata
from hub.models.products import Product
from hub.models.stock import StockItem
from hub.services import products
from hub.services.nomenclature import Targets
from hub.services.products import ProductDraft
from schema.planner.fields import column, lateral, many, reads, sql, via
from schema.planner.stored import Stored
from schema.rest.answers import bare, listing
from schema.rest.filters import equal, one_of
from schema.rest.requests import Changes, PagedRequest, Patch, Request, snake
from schema.rest.routes import RestCall, Route
from schema.rest.values import Amount, Attribute, Code, Flag, Listed, Long, Name, Percentage, Reference, Text


def free_of(item: FromClause) -> ColumnElement[Decimal]:
    """What of a stock item nobody has reserved; nothing while its batch is locked."""
    batch = metadata.tables["batches"].alias()
    locked = exists().where(
        batch.c.tenant_id == item.c.tenant_id,
        batch.c.id == item.c.batch_id,
        batch.c.locked,
        or_(batch.c.locked_until.is_(None), batch.c.locked_until > func.now()),
    )
    return case((and_(item.c.batch_id.is_not(None), locked), 0), else_=item.c.quantity - item.c.reserved)


def stock_of(product: FromClause) -> Select[Any]:
    """The totals of a product over all its stock items."""
    item = metadata.tables["stock_items"].alias()
    totals = {"quantity": item.c.quantity, "reserved": item.c.reserved, "free": free_of(item)}
    return select(*(func.coalesce(func.sum(value), 0).label(name) for name, value in totals.items())).where(
        item.c.tenant_id == product.c.tenant_id, item.c.product_id == product.c.id
    )


@reads(StockItem)
class StockInfo:
    """One stock item: so much of a product in one place."""

    warehouseId: int = column(name="warehouse_id")
    warehouseCode: str = via("warehouse_id", "code")
    locationCode: str = via("location_id", "code")
    locationName: str = via("location_id", "name")
    quantity: Decimal
    reservedQuantity: Decimal = column(name="reserved")
    freeQuantity: Decimal = sql(free_of)
    stockBatchId: int | None = column(name="batch_id")
    stockBatchCode: str | None = via("batch_id", "code")
    productionDate: date | None = via("batch_id", "production_date")
    expirationDate: date | None = via("batch_id", "expiration_date")
    serialNumber: str | None = column(name="serial_number")
    ssccCode: str | None = column(name="sscc")


@reads(Product)
class ProductInfo:
    """A product with its totals and its stock by place."""

    productId: int = column(name="id")
    productName: str = column(name="name")
    productCode: str = column(name="code")
    sku: str | None
    thirdPartyReference: str | None = column(name="third_party_reference")
    categoryId: int | None = column(name="category_id")
    categoryName: str | None = via("category_id", "name")
    vatId: int | None = column(name="vat_id")
    vatPercentage: Decimal | None = column(name="vat_percentage")
    purchasePrice: Decimal | None = column(name="purchase_price")
    sellingPrice: Decimal | None = column(name="selling_price")
    minimumStock: Decimal = column(name="minimum_stock")
    totalQuantityInStock: Decimal = lateral(stock_of, "quantity")
    totalReservedQuantity: Decimal = lateral(stock_of, "reserved")
    totalFreeQuantity: Decimal = lateral(stock_of, "free")
    stockInfo: list[StockInfo] = many("product_id", order=("location_id.code", "batch_id.code", "id"))
    requiresSerialNumber: bool = column(name="requires_serial_number")
    requiresBatchCode: bool = column(name="requires_batch_code")
    requiresBatchDetails: bool = column(name="requires_batch_details")
    requiresProductionDate: bool = column(name="requires_production_date")
    requiresExpirationDate: bool = column(name="requires_expiration_date")
    width: Decimal | None
    height: Decimal | None
    length: Decimal | None
    weight: Decimal | None
    volume: Decimal | None
    diameter: Decimal | None
    material: str | None
    color: str | None
    active: bool
    measurementUnitId: int | None = column(name="measurement_unit_id")


PRODUCTS = Stored(ProductInfo)


class ReadProductsFilterRequest(PagedRequest):
    productIds: Listed[Long] = []
    models: Listed[Text] = []
    skus: Listed[Text] = []
    categoryIds: Listed[Long] = []
    thirdPartyReferenceIds: Listed[Text] = []
    active: Flag | None = None


class AddProductApiRequest(Request):
    name: Name
    code: Code
    sku: Code | None = None
    thirdPartyReference: Reference | None = None
    categoryId: Long | None = None
    categoryExternalReference: Reference | None = None
    measurementUnitId: Long | None = None
    vatId: Long | None = None
    vatPercentage: Percentage | None = None
    purchasePrice: Amount | None = None
    sellingPrice: Amount | None = None
    minimumStock: Amount = Decimal(0)
    requiresSerialNumber: Flag = False
    requiresBatchCode: Flag = False
    requiresBatchDetails: Flag = False
    requiresProductionDate: Flag = False
    requiresExpirationDate: Flag = False
    width: Amount | None = None
    height: Amount | None = None
    length: Amount | None = None
    weight: Amount | None = None
    volume: Amount | None = None
    diameter: Amount | None = None
    material: Attribute | None = None
    color: Attribute | None = None
    active: Flag = True


class EditProductApiRequest(Request):
    needs_one_of: ClassVar[tuple[str, ...]] = ("productIds",)
    productIds: Listed[Long]
    updateFields: Annotated[Patch, Changes(AddProductApiRequest)]


class DeleteProductApiRequest(Request):
    needs_one_of: ClassVar[tuple[str, ...]] = ("productIds", "productModels")
    productIds: Listed[Long] = []
    productModels: Listed[Code] = []


async def read(call: RestCall[ReadProductsFilterRequest]) -> bytes:
    wanted = call.body
    where = [
        *one_of(Product.id, wanted.productIds),
        *one_of(Product.code, wanted.models),
        *one_of(Product.sku, wanted.skus),
        *one_of(Product.category_id, wanted.categoryIds),
        *one_of(Product.third_party_reference, wanted.thirdPartyReferenceIds),
        *equal(Product.active, wanted.active),
    ]
    return await PRODUCTS.page(call.database, call.scope, where=where, limit=wanted.rows, offset=wanted.offset)


async def add(call: RestCall[AddProductApiRequest]) -> bytes:
    draft = ProductDraft(**{snake(name): value for name, value in call.body})
    ids = await call.database.write(call.scope, lambda work: products.add(work, products=[draft]))
    return await PRODUCTS.by_ids(call.database, call.scope, ids)


async def update(call: RestCall[EditProductApiRequest]) -> bytes:
    targets: Targets = {"id": call.body.productIds}
    changes = call.body.updateFields.changes()
    ids = await call.database.write(call.scope, lambda work: products.update(work, targets=targets, changes=changes))
    return await PRODUCTS.by_ids(call.database, call.scope, ids)


async def delete(call: RestCall[DeleteProductApiRequest]) -> list[int]:
    targets: Targets = {"id": call.body.productIds, "code": call.body.productModels}
    return await call.database.write(call.scope, lambda work: products.delete(work, targets=targets))


async def check(call: RestCall[None]) -> bool:
    where = equal(Product.third_party_reference, call.path["thirdPartyReference"])
    return await PRODUCTS.any(call.database, call.scope, where=where)


ROUTES: tuple[Route[Any], ...] = (
    Route(
        "POST",
        "/api/product/read",
        "List products with filters",
        read,
        listing(ProductInfo),
        body=ReadProductsFilterRequest,
        body_optional=True,
        replaced_by="products",
    ),
    Route(
        "PUT",
        "/api/product/add",
        "Add a product",
        add,
        listing(ProductInfo),
        level=Level.USER,
        body=AddProductApiRequest,
        replaced_by="productAdd",
    ),
    Route(
        "POST",
        "/api/product/update",
        "Update products",
        update,
        listing(ProductInfo),
        level=Level.USER,
        body=EditProductApiRequest,
        description="Traceability flags cannot change while the product has stock (409).",
        replaced_by="productsUpdate",
    ),
    Route(
        "DELETE",
        "/api/product/delete",
        "Delete products",
        delete,
        listing(int),
        level=Level.USER,
        body=DeleteProductApiRequest,
        description="A product with stock, a reservation or any document line cannot be deleted (409).",
        replaced_by="productsDelete",
    ),
    Route(
        "GET",
        "/api/product/third-party-reference/{thirdPartyReference:text}/check",
        "Check whether a product with this reference exists",
        check,
        bare(bool),
        description="An encoded slash (`%2F`) is part of the reference.",
        replaced_by="product",
    ),
)
