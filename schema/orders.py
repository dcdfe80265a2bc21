"""Outbound documents: orders with their lines, requirements, picking and history."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING

import strawberry
from sqlalchemy import ColumnElement, FromClause, Select, and_, func, select

from hub.models import companies as company_models
from hub.models import orders as models
from hub.models import products as product_models
from hub.models import stock as stock_models
from hub.statuses import PICKED, READY, Status
from schema.companies import CompanyFilter
from schema.planner.fields import column, lateral, many, one, reads, sql
from schema.planner.inputs import (
    Ids,
    Moment,
    Number,
    Text,
    Whole,
    choices,
    filters,
    ids,
    related,
    some,
    where,
    words,
)
from schema.planner.types import NAMES, Connection, Node, Owned, orders
from schema.products import ProductFilter
from schema.scalars import Long
from schema.statuses import DocumentStatuses
from schema.warehouses import WarehouseFilter

if TYPE_CHECKING:
    from schema.companies import Company
    from schema.documents import DocumentChange, Scan
    from schema.invoices import Invoice
    from schema.print_jobs import PrintJob
    from schema.products import Product
    from schema.returns import Return
    from schema.shipments import GoodsIssuedNote, Shipment
    from schema.stock import Reservation
    from schema.warehouses import Location, Warehouse

LINES = models.OrderLine.__table__  # type: ignore[attr-defined]
PRODUCTS = product_models.Product.__table__  # type: ignore[attr-defined]


def weights(order: FromClause) -> Select[tuple[Decimal, Decimal]]:
    """One row: `ordered` and `picked` weight of an order; products without a weight weigh nothing."""
    line, product = LINES.alias(), PRODUCTS.alias()
    quantities = {"ordered": line.c.quantity, "picked": line.c.picked_quantity}
    return (
        select(
            *(func.coalesce(func.sum(value * product.c.weight), 0).label(name) for name, value in quantities.items())
        )
        .select_from(
            line.join(product, and_(product.c.tenant_id == line.c.tenant_id, product.c.id == line.c.product_id))
        )
        .where(line.c.tenant_id == order.c.tenant_id, line.c.order_id == order.c.id)
    )


def is_ready(order: FromClause) -> ColumnElement[bool]:
    return order.c.status.in_(sorted(READY))


def is_picked(order: FromClause) -> ColumnElement[bool]:
    return order.c.status.in_(sorted(PICKED))


@strawberry.enum(description="What an outbound document is for.")
class OrderType(Enum):
    CLIENT_ORDER = strawberry.enum_value(1, description="Goods for a client.")
    EXPENDITURE_RECEIPT = strawberry.enum_value(2, description="Goods for internal consumption.")


NAMES["OrderType"] = OrderType


@choices
class OrderTypes:
    """Asks about what an outbound document is for."""

    eq: OrderType | None
    in_: list[OrderType] | None


@filters
class OrderLineFilter:
    """Which order lines; all questions must be answered with yes."""

    id: Ids | None = ids("OrderLine", "By global id.")
    product: ProductFilter | None = related("product_id", product_models.Product, "By its product.")
    product_id: Ids | None = ids("Product", "By the global id of its product.", key="product_id")
    external_line_id: Text | None = where("By the integrator's key.")
    quantity: Number | None = where("By the ordered quantity.")


@filters
class OrderFilter:
    """Which orders; all questions must be answered with yes."""

    id: Ids | None = ids("Order", "By global id.")
    internal_id: Whole | None = where("By the id within the tenant.", column="id")
    external_order_id: Text | None = where("By the number the buyer sees.")
    third_party_reference: Text | None = where("By the key in the connected system.")
    status: DocumentStatuses | None = where("By its state.")
    order_type: OrderTypes | None = where("By what it is for.")
    warehouse: WarehouseFilter | None = related("warehouse_id", stock_models.Warehouse, "By its warehouse.")
    warehouse_id: Ids | None = ids("Warehouse", "By the global id of its warehouse.", key="warehouse_id")
    company: CompanyFilter | None = related("company_id", company_models.Company, "By the company that ordered.")
    company_id: Ids | None = ids("Company", "By the global id of the company that ordered.", key="company_id")
    lines: OrderLineFilter | None = some("order_id", models.OrderLine, "At least one of its lines is such.")
    released: bool | None = where("Only those that may be picked as far as the shop is concerned, or all others.")
    is_ready: bool | None = where(
        "Only those whose goods are all reserved or gone, or all others.", expression=is_ready
    )
    picked: bool | None = where("Only those whose goods have left, or all others.", expression=is_picked)
    picker_username: Text | None = where("By who picks it.")
    created_at: Moment | None = where("By when it was added.")
    updated_at: Moment | None = where("By when it was changed last.")
    validated_at: Moment | None = where("By when its goods left.")
    search: str | None = words("Each word begins a word of its number or reference.")


OrderOrder = orders("OrderOrder", "Orders of orders.", id="id", created_at="created_at")


@reads(models.Order, filter=OrderFilter, order=OrderOrder)
class Order(Node, Owned):
    """An outbound document: a client's order, or an expenditure receipt."""

    external_order_id: str = column("The number the buyer sees, unique in the tenant.")
    third_party_reference: str | None = column("Its key in the connected external system.")
    warehouse: Warehouse = one("warehouse_id", "Where the goods are taken from.")
    company: Company | None = one("company_id", "Who ordered.")
    status: Status = column("Its state.")
    order_type: OrderType = column("What it is for.")
    requires_validation: bool = column("Somebody picks it; otherwise it is validated as soon as all is reserved.")
    released: bool = column("The connected shop agrees that it is picked now.")
    is_ready: bool = sql(is_ready, "Its goods are all reserved, being picked or gone.")
    picked: bool = sql(is_picked, "Its goods have left.")
    comment: str | None = column("Remarks.")
    awb_external_link: str | None = column("Where the waybill is.")
    invoice_external_link: str | None = column("Where the invoice is.")
    number_of_envelopes: int | None = column("Envelopes counted at the end of picking.")
    number_of_packages: int | None = column("Boxes counted at the end of picking.")
    total_weight: Decimal = lateral(weights, "ordered", "What the ordered goods weigh.")
    fulfilled_weight: Decimal = lateral(weights, "picked", "What the picked goods weigh.")
    picker_id: Long | None = column("The id of the user who picks or picked it.")
    picker_username: str | None = column("The name of the user who picks or picked it.")
    placed_at: datetime | None = column("When the buyer placed it.")
    created_at: datetime = column("When it was added.")
    updated_at: datetime = column("When it was changed last.")
    validated_at: datetime | None = column("When its goods left.")
    lines: Connection[OrderLine] = many("order_id", "What was ordered.", order=("position",))
    requirements: list[OrderRequirement] = many("order_id", "The client's wishes.", order=("position",))
    history: Connection[DocumentChange] = many(
        "document_id", "Its life from state to state.", where=lambda change: change.c.document_kind == "order"
    )
    scans: Connection[Scan] = many(
        "document_id", "What the picker counted.", where=lambda scan: scan.c.document_kind == "order"
    )
    shipments: Connection[Shipment] = many("order_id", "With whom the goods left.")
    goods_issued_notes: list[GoodsIssuedNote] = many("order_id", "The note made when it was validated.")
    invoices: Connection[Invoice] = many("order_id", "The invoices for it.")
    returns: Connection[Return] = many("initial_order_id", "What came back of it.")
    print_jobs: Connection[PrintJob] = many("order_id", "What was sent to the printers.")


OrderLineOrder = orders("OrderLineOrder", "Orders of order lines.", id="id", position="position")


@reads(models.OrderLine, filter=OrderLineFilter, order=OrderLineOrder)
class OrderLine(Node, Owned):
    """How much of one product an order wants, has reserved and has picked."""

    order: Order = one("order_id", "The order it stands in.")
    position: int = column("Its place in the order.")
    product: Product = one("product_id", "What is wanted.")
    external_line_id: str | None = column("The integrator's key of it.")
    quantity: Decimal = column("How much is wanted.")
    reserved_quantity: Decimal = column("How much is promised to it and still here.")
    picked_quantity: Decimal = column("How much has left for it.")
    location: Location | None = one("location_id", "The only place it may be served from.")
    reservations: Connection[Reservation] = many("order_line_id", "What is promised to it.")


@reads(models.OrderRequirement)
class OrderRequirement(Node, Owned):
    """A named wish of the client, shown to the picker."""

    position: int = column("Its place in the order.")
    name: str = column("What it is about.")
    value: str = column("What is wanted.")
