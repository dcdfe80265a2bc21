"""`/api/purchase-order`: orders to suppliers. Dates are written dd.MM.yyyy."""

from collections.abc import Mapping
from datetime import date as day
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from pydantic import model_validator
from sqlalchemy import FromClause, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from hub.context import Level, Permission, Scope
from hub.db import Database
from hub.errors import NotAllowed, NotFound
from hub.models.movements import PurchaseOrder, PurchaseOrderLine, PurchaseOrderNir
from hub.services import purchase_orders
from hub.services.purchase_orders import PurchaseLineDraft, PurchaseOrderDraft
from schema.planner.fields import column, many, reads, sql, via
from schema.planner.stored import Stored
from schema.rest.answers import listing, one
from schema.rest.kinds import DayKind
from schema.rest.requests import Patch, Request, refusal
from schema.rest.routes import RestCall, Route
from schema.rest.values import Amount, Code, DottedDay, Listed, Long, LongText, Quantity, ShortText

WRITTEN = "DD.MM.YYYY"


def _nirs(order: FromClause) -> Any:
    link = PurchaseOrderNir.__table__.alias()  # type: ignore[attr-defined]  # SQLModel does not declare it
    ids = func.array_agg(aggregate_order_by(link.c.nir_id, link.c.nir_id))
    mine = (link.c.tenant_id == order.c.tenant_id, link.c.purchase_order_id == order.c.id)
    return select(ids).where(*mine).scalar_subquery()


@reads(PurchaseOrderLine)
class PurchaseOrderProductDTO:
    id: int
    purchaseOrderId: int = column(name="purchase_order_id")
    productId: int = column(name="product_id")
    productCode: str = via("product_id", "code")
    productName: str = via("product_id", "name")
    quantity: Decimal
    receivedQuantity: Decimal = column(name="received_quantity")
    price: Decimal | None


@reads(PurchaseOrder)
class PurchaseOrderDTO:
    """A purchase order with its products and the NIRs that deliver it."""

    purchaseOrderId: int = column(name="id")
    date: Annotated[day, DayKind(dotted=True)] = column(name="ordered_on", day_format=WRITTEN)
    arrivalDate: Annotated[day, DayKind(dotted=True)] | None = column(name="arrival_date", day_format=WRITTEN)
    supplier: int = column(name="supplier_id")
    supplierName: str = via("supplier_id", "name")
    warehouseId: int = column(name="warehouse_id")
    status: int
    nirs: list[int] = sql(_nirs)
    comment: str | None
    documentNumber: str | None = column(name="document_number")
    dateAdded: datetime = column(name="created_at")
    products: list[PurchaseOrderProductDTO] = many("purchase_order_id", order=("id",))


PURCHASE_ORDERS = Stored(PurchaseOrderDTO)


def _check_days(date: day | None, arrival: day | None) -> None:
    if date and arrival and arrival < date:
        raise refusal("is before date", field="arrivalDate")


class CreatePurchaseOrderDTO(Request):
    date: DottedDay
    arrivalDate: DottedDay | None = None
    supplier: Long
    warehouseId: Long | None = None
    nirs: Listed[Long] = []
    comment: LongText | None = None
    documentNumber: ShortText | None = None

    @model_validator(mode="after")
    def _arrives_later(self) -> "CreatePurchaseOrderDTO":
        _check_days(self.date, self.arrivalDate)
        return self


class UpdatePurchaseOrderDTO(Patch):
    """The fields of the create request stand beside the id: absent = unchanged, null clears what is optional."""

    mandatory: ClassVar[frozenset[str]] = frozenset({"purchaseOrderId", "date", "supplier"})
    defaults: ClassVar[Mapping[str, Any]] = {"nirs": []}
    purchaseOrderId: Long
    date: DottedDay | None = None
    arrivalDate: DottedDay | None = None
    supplier: Long | None = None
    warehouseId: Long | None = None
    nirs: Listed[Long] | None = None
    comment: LongText | None = None
    documentNumber: ShortText | None = None

    @model_validator(mode="after")
    def _arrives_later(self) -> "UpdatePurchaseOrderDTO":
        _check_days(self.date, self.arrivalDate)
        return self


class AddPurchaseOrderProductDTO(Request):
    needs_one_of: ClassVar[tuple[str, ...]] = ("productId", "productCode")
    purchaseOrderId: Long
    productId: Long | None = None
    productCode: Code | None = None
    quantity: Quantity
    price: Amount | None = None

    @model_validator(mode="after")
    def _names_a_product(self) -> "AddPurchaseOrderProductDTO":
        if self.productId is None and self.productCode is None:
            raise refusal("is required, or productCode", field="productId")
        return self


COLUMNS = {"date": "ordered_on", "supplier": "supplier_id", "nirs": "nir_ids"}


async def add(call: RestCall[CreatePurchaseOrderDTO]) -> bytes:
    body = call.body
    draft = PurchaseOrderDraft(
        ordered_on=body.date,
        supplier_id=body.supplier,
        arrival_date=body.arrivalDate,
        warehouse_id=body.warehouseId,
        nir_ids=tuple(body.nirs),
        comment=body.comment,
        document_number=body.documentNumber,
    )
    (id_,) = await call.database.write(call.scope, lambda work: purchase_orders.add(work, purchase_orders=[draft]))
    return await _answer(call, id_)


async def get(call: RestCall[None]) -> bytes:
    return await _answer(call, call.path["purchaseOrderId"])


async def update(call: RestCall[UpdatePurchaseOrderDTO]) -> bytes:
    id_ = call.body.purchaseOrderId
    changes = call.body.changes(COLUMNS)
    del changes["purchase_order_id"]
    await call.database.write(
        call.scope, lambda work: purchase_orders.update(work, purchase_order_id=id_, changes=changes)
    )
    return await _answer(call, id_)


async def change_status(call: RestCall[None]) -> bytes:
    id_, status = call.path["purchaseOrderId"], call.path["status"]
    await call.database.write(
        call.scope, lambda work: purchase_orders.change_status(work, purchase_order_id=id_, status=status)
    )
    return await _answer(call, id_)


async def close(call: RestCall[None]) -> bytes:
    id_ = call.path["purchaseOrderId"]
    await call.database.write(call.scope, lambda work: purchase_orders.close(work, purchase_order_id=id_))
    return await _answer(call, id_)


async def delete(call: RestCall[None]) -> list[int]:
    id_ = call.path["purchaseOrderId"]
    return await call.database.write(call.scope, lambda work: purchase_orders.delete(work, purchase_order_ids=[id_]))


async def add_product(call: RestCall[AddPurchaseOrderProductDTO]) -> bytes:
    body = call.body
    line = PurchaseLineDraft(
        quantity=body.quantity, product_id=body.productId, product_code=body.productCode, price=body.price
    )
    id_ = body.purchaseOrderId
    await call.database.write(call.scope, lambda work: purchase_orders.add_line(work, purchase_order_id=id_, line=line))
    return await _answer(call, id_)


async def remove_product(call: RestCall[None]) -> bytes:
    line_id = call.path["id"]
    id_ = await call.database.write(call.scope, lambda work: purchase_orders.remove_line(work, line_id=line_id))
    return await _answer(call, id_)


async def _answer(call: RestCall[Any], id_: int) -> bytes:
    found = await PURCHASE_ORDERS.one(call.database, call.scope, id_)
    if found is None:
        raise NotFound(f"purchase order {id_} does not exist", field="purchaseOrderId")
    return found


async def _switched_on(scope: Scope, database: Database) -> None:
    async with database.reading(scope) as connection:
        if not await connection.fetchval("SELECT purchase_orders_enabled FROM tenants WHERE id = $1", scope.tenant_id):
            raise NotAllowed("Insufficient permissions", hint="purchase orders are switched off for this tenant")


READS: dict[str, Any] = {"permission": Permission.PURCHASE_ORDER, "gate": _switched_on}
WRITES: dict[str, Any] = READS | {"level": Level.USER}
ANSWER = one(PurchaseOrderDTO)
BASE = "/api/purchase-order"
ROUTES: tuple[Route[Any], ...] = (
    Route(
        "POST",
        f"{BASE}/add",
        "Add a purchase order",
        add,
        ANSWER,
        body=CreatePurchaseOrderDTO,
        replaced_by="purchaseOrderAdd",
        **WRITES,
    ),
    Route(
        "GET",
        f"{BASE}/{{purchaseOrderId:long}}",
        "Read a purchase order",
        get,
        ANSWER,
        replaced_by="purchaseOrder",
        **READS,
    ),
    Route(
        "PATCH",
        f"{BASE}/update",
        "Update a purchase order",
        update,
        ANSWER,
        body=UpdatePurchaseOrderDTO,
        replaced_by="purchaseOrderUpdate",
        **WRITES,
    ),
    Route(
        "PATCH",
        f"{BASE}/{{purchaseOrderId:long}}/status/{{status:status}}",
        "Change the status of a purchase order",
        change_status,
        ANSWER,
        replaced_by="purchaseOrderStatusUpdate",
        **WRITES,
    ),
    Route(
        "PATCH",
        f"{BASE}/{{purchaseOrderId:long}}/close",
        "Close a purchase order",
        close,
        ANSWER,
        replaced_by="purchaseOrderClose",
        **WRITES,
    ),
    Route(
        "DELETE",
        f"{BASE}/{{purchaseOrderId:long}}",
        "Delete a purchase order",
        delete,
        listing(int),
        replaced_by="purchaseOrderDelete",
        **WRITES,
    ),
    Route(
        "POST",
        f"{BASE}/add-product",
        "Add a product to a purchase order",
        add_product,
        ANSWER,
        body=AddPurchaseOrderProductDTO,
        replaced_by="purchaseOrderLineAdd",
        **WRITES,
    ),
    Route(
        "DELETE",
        f"{BASE}/remove-product/{{id:long}}",
        "Remove a line of a purchase order",
        remove_product,
        ANSWER,
        replaced_by="purchaseOrderLineDelete",
        **WRITES,
    ),
)
