"""`/api/production`: products made from components."""

from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from pydantic import model_validator

from hub.context import Level, Permission
from hub.models.movements import ProductionComponent, ProductionOrder
from hub.services import production
from hub.services.production import ComponentDraft, Output, ProductionOrderDraft
from schema.planner.fields import column, many, reads, via
from schema.planner.stored import Stored
from schema.rest.answers import listing
from schema.rest.filters import one_of
from schema.rest.requests import PagedRequest, Request, refusal
from schema.rest.routes import RestCall, Route
from schema.rest.values import Code, Day, Int, Listed, Long, LongText, Quantity, Reference, ShortCode, Text


@reads(ProductionComponent)
class ProductionComponentInfo:
    """What the whole order uses up of one product."""

    productId: int = column(name="product_id")
    productCode: str = via("product_id", "code")
    productName: str = via("product_id", "name")
    quantity: Decimal


@reads(ProductionOrder)
class ProductionOrderInfo:
    productionOrderId: int = column(name="id")
    thirdPartyReference: str = column(name="third_party_reference")
    productId: int = column(name="product_id")
    productName: str = via("product_id", "name")
    productCode: str = via("product_id", "code")
    quantity: Decimal
    producedQuantity: Decimal = column(name="produced_quantity")
    warehouseId: int = column(name="warehouse_id")
    status: int
    comment: str | None
    dateAdded: datetime = column(name="created_at")
    dateClosed: datetime | None = column(name="closed_at")
    batchCode: str | None = column(name="batch_code")
    components: list[ProductionComponentInfo] = many("production_order_id", order=("id",))


PRODUCTION_ORDERS = Stored(ProductionOrderInfo)


class ReadProductionOrdersFilterRequest(PagedRequest):
    productionOrderIds: Listed[Long] = []
    thirdPartyReferenceIds: Listed[Text] = []
    productIds: Listed[Long] = []
    warehouseIds: Listed[Long] = []
    statuses: Listed[Int] = []


class ProductionComponentRequest(Request):
    needs_one_of: ClassVar[tuple[str, ...]] = ("productId", "code")
    productId: Long | None = None
    code: Code | None = None
    quantity: Quantity

    @model_validator(mode="after")
    def _names_a_product(self) -> "ProductionComponentRequest":
        if self.productId is None and self.code is None:
            raise refusal("is required, or code", field="productId")
        return self


class AddProductionOrderRequest(Request):
    productId: Long
    quantity: Quantity
    thirdPartyReference: Reference
    warehouseId: Long | None = None
    comment: LongText | None = None
    components: Listed[ProductionComponentRequest] = []


class CloseProductionOrderRequest(Request):
    locationCode: Code | None = None
    batchCode: ShortCode | None = None
    expirationDate: Day | None = None
    productionDate: Day | None = None


async def read(call: RestCall[ReadProductionOrdersFilterRequest]) -> bytes:
    body = call.body
    where = [
        *one_of(ProductionOrder.id, body.productionOrderIds),
        *one_of(ProductionOrder.third_party_reference, body.thirdPartyReferenceIds),
        *one_of(ProductionOrder.product_id, body.productIds),
        *one_of(ProductionOrder.warehouse_id, body.warehouseIds),
        *one_of(ProductionOrder.status, body.statuses),
    ]
    return await PRODUCTION_ORDERS.page(call.database, call.scope, where=where, limit=body.rows, offset=body.offset)


async def add(call: RestCall[AddProductionOrderRequest]) -> bytes:
    body = call.body
    draft = ProductionOrderDraft(
        product_id=body.productId,
        quantity=body.quantity,
        third_party_reference=body.thirdPartyReference,
        warehouse_id=body.warehouseId,
        comment=body.comment,
        components=tuple(
            ComponentDraft(quantity=part.quantity, product_id=part.productId, product_code=part.code)
            for part in body.components
        ),
    )
    ids = await call.database.write(call.scope, lambda work: production.add(work, production_orders=[draft]))
    return await PRODUCTION_ORDERS.by_ids(call.database, call.scope, ids)


async def close(call: RestCall[CloseProductionOrderRequest]) -> bytes:
    body, id_ = call.body, call.path["orderId"]
    output = Output(
        location_code=body.locationCode,
        batch_code=body.batchCode,
        production_date=body.productionDate,
        expiration_date=body.expirationDate,
    )
    await call.database.write(call.scope, lambda work: production.close(work, production_order_id=id_, output=output))
    return await PRODUCTION_ORDERS.by_ids(call.database, call.scope, [id_])


WRITES: dict[str, Any] = {"level": Level.USER, "permission": Permission.PRODUCTION}
ANSWER = listing(ProductionOrderInfo)
ROUTES: tuple[Route[Any], ...] = (
    Route(
        "POST",
        "/api/production/read",
        "List production orders",
        read,
        ANSWER,
        body=ReadProductionOrdersFilterRequest,
        body_optional=True,
        replaced_by="productionOrders",
    ),
    Route(
        "PUT",
        "/api/production/add",
        "Add a production order",
        add,
        ANSWER,
        body=AddProductionOrderRequest,
        replaced_by="productionOrderAdd",
        **WRITES,
    ),
    Route(
        "POST",
        "/api/production/close-simplified-production/order/{orderId:long}",
        "Close a production order",
        close,
        ANSWER,
        body=CloseProductionOrderRequest,
        replaced_by="productionOrderClose",
        body_optional=True,
        description="Books the product in and the components out of free stock.",
        **WRITES,
    ),
)
