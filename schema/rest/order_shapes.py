"""What `/api/order` answers: orders with their lines, and the short forms that pickers ask for."""

from datetime import datetime
from decimal import Decimal
from typing import Any, TypedDict

from sqlalchemy import ColumnElement, FromClause, Select, and_, func, select

from hub.models import metadata
from hub.models.orders import Order, OrderLine, OrderRequirement
from hub.statuses import PICKED, READY
from schema.planner.fields import column, lateral, many, reads, sql, via
from schema.planner.stored import Stored


def is_ready(order: FromClause) -> ColumnElement[bool]:
    found: ColumnElement[bool] = order.c.status.in_(sorted(READY))
    return found


def is_picked(order: FromClause) -> ColumnElement[bool]:
    found: ColumnElement[bool] = order.c.status.in_(sorted(PICKED))
    return found


def weights_of(order: FromClause) -> Select[Any]:
    """What the order weighs, and what of it was picked; a product without weight weighs nothing."""
    line, product = metadata.tables["order_lines"].alias(), metadata.tables["products"].alias()
    weights = {"total": line.c.quantity, "fulfilled": line.c.picked_quantity}
    return (
        select(*(func.coalesce(func.sum(part * product.c.weight), 0).label(name) for name, part in weights.items()))
        .join(product, and_(product.c.tenant_id == line.c.tenant_id, product.c.id == line.c.product_id))
        .where(line.c.tenant_id == order.c.tenant_id, line.c.order_id == order.c.id)
    )


@reads(OrderLine)
class OrderProductInfo:
    """A line: what is ordered, what is promised, what was picked."""

    orderProductId: int = column(name="id")
    productId: int = column(name="product_id")
    productName: str = via("product_id", "name")
    productCode: str = via("product_id", "code")
    productModel: str = via("product_id", "code")
    externalLineId: str | None = column(name="external_line_id")
    quantity: Decimal
    reservedQuantity: Decimal = column(name="reserved_quantity")
    pickedQuantity: Decimal = column(name="picked_quantity")
    locationCode: str | None = via("location_id", "code")


@reads(OrderRequirement)
class OrderRequirementInfo:
    """A named wish of the client."""

    name: str
    value: str


@reads(Order)
class OrderInfo:
    """An order with its lines."""

    orderId: int = column(name="id")
    externalOrderId: str = column(name="external_order_id")
    thirdPartyReference: str | None = column(name="third_party_reference")
    warehouseId: int = column(name="warehouse_id")
    warehouseName: str = via("warehouse_id", "name")
    warehouseCode: str = via("warehouse_id", "code")
    status: int
    orderType: int = column(name="order_type")
    requiresValidation: bool = column(name="requires_validation")
    dateAdded: datetime = column(name="created_at")
    isReady: bool = sql(is_ready)
    picked: bool = sql(is_picked)
    comment: str | None
    awbExternalLink: str | None = column(name="awb_external_link")
    invoiceExternalLink: str | None = column(name="invoice_external_link")
    numberOfEnvelopes: int | None = column(name="number_of_envelopes")
    numberOfPackages: int | None = column(name="number_of_packages")
    totalWeight: Decimal = lateral(weights_of, "total")
    fulfilledWeight: Decimal = lateral(weights_of, "fulfilled")
    orderProducts: list[OrderProductInfo] = many("order_id", order=("position",))
    orderRequirements: list[OrderRequirementInfo] = many("order_id", order=("position",))
    companyThirdPartyReference: str | None = via("company_id", "third_party_reference")
    companyExternalReference: str | None = via("company_id", "external_reference")
    companyId: int | None = column(name="company_id")
    companyName: str | None = via("company_id", "name")


@reads(Order)
class OrderReadyInfo:
    """Whether an order may leave the waiting room."""

    orderId: int = column(name="id")
    externalOrderId: str = column(name="external_order_id")
    isReady: bool = sql(is_ready)
    status: int


@reads(Order)
class PickingInfo:
    """Who picks an order, and what came of it."""

    picked: bool = sql(is_picked)
    numberOfPackages: int | None = column(name="number_of_packages")
    numberOfEnvelopes: int | None = column(name="number_of_envelopes")
    totalWeight: Decimal = lateral(weights_of, "total")
    pickerId: int | None = column(name="picker_id")
    pickerUsername: str | None = column(name="picker_username")


class PrintJobInfo(TypedDict):
    """A document that waits for the printer."""

    printJobId: int
    orderId: int
    documentType: str
    copies: int


ORDERS = Stored(OrderInfo)
READINESS = Stored(OrderReadyInfo)
PICKING = Stored(PickingInfo)
