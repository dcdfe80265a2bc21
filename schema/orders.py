"""Outbound documents: orders with lines, requirements, picking and history; shipments, notes, invoices, print jobs."""

from __future__ import annotations

from datetime import date, datetime
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
    Day,
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
    from schema.products import Product
    from schema.returns import Return
    from schema.stock import Batch, Reservation
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


@reads(models.DocumentChange)
class DocumentChange(Node, Owned):
    """One step in the life of a document."""

    document_kind: str = column("Its kind: order, nir, return, transfer, inventory, purchase_order, production_order.")
    document_id: Long = column("Its id within tenant and kind.")
    status_before: Status | None = column("The state it left; empty when it was added.")
    status_after: Status = column("The state it came to.")
    actor: str = column("Who did it.")
    occurred_at: datetime = column("When.")


@reads(stock_models.Scan)
class Scan(Node, Owned):
    """One counted line at the validation of a document."""

    line_id: Long | None = column("The id of the line of the document.")
    product: Product = one("product_id", "What was counted.")
    location: Location = one("location_id", "Where.")
    batch: Batch | None = one("batch_id", "Of which batch.")
    serial_number: str | None = column("The serial number of the single piece.")
    sscc: str | None = column("The SSCC of the pallet.")
    quantity: Decimal = column("How much.")
    user_id: Long | None = column("The id of the user who counted.")
    username: str = column("The name of who counted.")
    scanned_at: datetime = column("When.")


@reads(models.Shipment)
class Shipment(Node, Owned):
    """What left the warehouse for an order, and with whom."""

    order: Order = one("order_id", "The order it serves.")
    external_reference: str | None = column("Its key in the system it came from.")
    carrier: str | None = column("Who carries it.")
    tracking_number: str | None = column("The carrier's number of it.")
    tracking_link: str | None = column("Where it can be followed.")
    parcels: int | None = column("How many parcels.")
    weight: Decimal | None = column("What it weighs.")
    shipped_at: datetime | None = column("When it left.")


@reads(models.GoodsIssuedNote)
class GoodsIssuedNote(Node, Owned):
    """The note made when an order is validated."""

    order: Order = one("order_id", "The order whose goods left.")
    number: str = column("Its number.")
    issued_at: datetime = column("When it was made.")


@filters
class InvoiceFilter:
    """Which invoices; all questions must be answered with yes."""

    id: Ids | None = ids("Invoice", "By global id.")
    external_reference: Text | None = where("By its key in the system it came from.")
    number: Text | None = where("By its number.")
    company_id: Ids | None = ids("Company", "By the global id of the company.", key="company_id")
    order_id: Ids | None = ids("Order", "By the global id of the order.", key="order_id")
    status: Text | None = where("By its state.")
    issued_on: Day | None = where("By its day.")
    due_on: Day | None = where("By the day it is due.")


InvoiceOrder = orders("InvoiceOrder", "Orders of invoices.", id="id", issued_on="issued_on")


@reads(models.Invoice, filter=InvoiceFilter, order=InvoiceOrder)
class Invoice(Node, Owned):
    """An invoice made out to a company."""

    external_reference: str = column("Its key in the system it came from, unique in the tenant.")
    number: str = column("Its number.")
    company: Company = one("company_id", "Who has to pay.")
    order: Order | None = one("order_id", "The order it is for.")
    issued_on: date = column("Its day.")
    due_on: date | None = column("The day it is due.")
    currency: str = column("Three letters, as in RON.")
    status: str = column("Its state as the system it came from calls it.")
    net: Decimal = column("The amount without tax.")
    tax: Decimal = column("The tax.")
    gross: Decimal = column("The amount with tax.")
    paid: Decimal = column("How much of it is paid.")
    has_pdf: bool = sql(lambda invoice: invoice.c.pdf.is_not(None), "There is a PDF of it.")
    lines: Connection[InvoiceLine] = many("invoice_id", "What it is for.", order=("position",))


@reads(models.InvoiceLine)
class InvoiceLine(Node, Owned):
    """One line of an invoice."""

    position: int = column("Its place in the invoice.")
    product: Product | None = one("product_id", "The product.")
    description: str = column("What it says.")
    quantity: Decimal = column("How much.")
    net_price: Decimal = column("The price of one, without tax.")
    vat_percentage: Decimal | None = column("VAT in percent.")


@strawberry.enum(description="How far the printing of a document is.")
class PrintJobState(Enum):
    QUEUED = "QUEUED"
    DONE = "DONE"
    FAILED = "FAILED"


NAMES["PrintJobState"] = PrintJobState


@choices
class PrintJobStates:
    """Asks how far the printing is."""

    eq: PrintJobState | None
    in_: list[PrintJobState] | None


@filters
class PrintJobFilter:
    """Which print jobs; all questions must be answered with yes."""

    id: Ids | None = ids("PrintJob", "By global id.")
    order_id: Ids | None = ids("Order", "By the global id of the order.", key="order_id")
    state: PrintJobStates | None = where("By how far it is.")
    created_at: Moment | None = where("By when it was asked for.")


PrintJobOrder = orders("PrintJobOrder", "Orders of print jobs.", id="id")


@reads(models.PrintJob, filter=PrintJobFilter, order=PrintJobOrder)
class PrintJob(Node, Owned):
    """A document of an order to be printed in the warehouse."""

    order: Order = one("order_id", "The order it belongs to.")
    document_type: str = column("NOTICE, AWB or LABEL.")
    copies: int = column("How many times.")
    state: PrintJobState = column("How far it is.")
    message: str | None = column("What the print station said.")
    requested_by: str = column("Who asked for it.")
    created_at: datetime = column("When it was asked for.")
    updated_at: datetime = column("When its state changed last.")
