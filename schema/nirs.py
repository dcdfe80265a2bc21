"""Goods receipts: the local legal word for one is NIR."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, FromClause

from hub.models import companies as company_models
from hub.models import nirs as models
from hub.models import products as product_models
from hub.models import stock as stock_models
from hub.statuses import VALIDATED, Status
from schema.companies import CompanyFilter
from schema.planner.fields import column, many, one, reads, sql
from schema.planner.inputs import Ids, Moment, Number, Text, Whole, filters, ids, related, some, where, words
from schema.planner.types import Connection, Node, Owned, orders
from schema.products import ProductFilter
from schema.scalars import Long
from schema.statuses import DocumentStatuses
from schema.warehouses import WarehouseFilter

if TYPE_CHECKING:
    from schema.companies import Company
    from schema.documents import DocumentChange, Scan
    from schema.products import Product
    from schema.purchase_orders import PurchaseOrderNir
    from schema.warehouses import Location, Warehouse


def is_validated(document: FromClause) -> ColumnElement[bool]:
    """The goods of a receipt or return are booked."""
    return document.c.status.in_(sorted(VALIDATED))


@filters
class NirLineFilter:
    """Which NIR lines; all questions must be answered with yes."""

    id: Ids | None = ids("NirLine", "By global id.")
    product: ProductFilter | None = related("product_id", product_models.Product, "By its product.")
    product_id: Ids | None = ids("Product", "By the global id of its product.", key="product_id")
    external_line_id: Text | None = where("By the integrator's key.")
    batch_code: Text | None = where("By its batch code.")
    quantity: Number | None = where("By the announced quantity.")


@filters
class NirFilter:
    """Which goods receipts; all questions must be answered with yes."""

    id: Ids | None = ids("Nir", "By global id.")
    internal_id: Whole | None = where("By the id within the tenant.", column="id")
    external_reference: Text | None = where("By the integrator's key.")
    third_party_reference: Text | None = where("By the key in the connected system.")
    status: DocumentStatuses | None = where("By its state.")
    validated: bool | None = where("Only those whose goods are booked, or all others.", expression=is_validated)
    warehouse: WarehouseFilter | None = related("warehouse_id", stock_models.Warehouse, "By its warehouse.")
    warehouse_id: Ids | None = ids("Warehouse", "By the global id of its warehouse.", key="warehouse_id")
    supplier: CompanyFilter | None = related("supplier_id", company_models.Company, "By its supplier.")
    supplier_id: Ids | None = ids("Company", "By the global id of its supplier.", key="supplier_id")
    lines: NirLineFilter | None = some("nir_id", models.NirLine, "At least one of its lines is such.")
    created_at: Moment | None = where("By when it was added.")
    updated_at: Moment | None = where("By when it was changed last.")
    validated_at: Moment | None = where("By when its goods were booked.")
    search: str | None = words("Each word begins a word of its references.")


NirOrder = orders("NirOrder", "Orders of goods receipts.", id="id", created_at="created_at")


@reads(models.Nir, filter=NirFilter, order=NirOrder)
class Nir(Node, Owned):
    """A goods receipt (NIR): what a supplier delivers to a warehouse."""

    external_reference: str = column("The integrator's key of it, unique in the tenant.")
    third_party_reference: str | None = column("Its key in the connected external system.")
    warehouse: Warehouse = one("warehouse_id", "Where the goods arrive.")
    supplier: Company | None = one("supplier_id", "Who delivers.")
    status: Status = column("Its state.")
    validated: bool = sql(is_validated, "Its goods are booked.")
    requires_validation: bool = column("Somebody counts the goods; otherwise they are booked at once.")
    packaging_type: str | None = column("How the goods are packed.")
    comment: str | None = column("Remarks.")
    validated_at: datetime | None = column("When its goods were booked.")
    validated_by_id: Long | None = column("The id of the user who validated it.")
    validated_by: str | None = column("Who validated it.")
    created_at: datetime = column("When it was added.")
    updated_at: datetime = column("When it was changed last.")
    lines: Connection[NirLine] = many("nir_id", "What is delivered.", order=("position",))
    purchase_orders: list[PurchaseOrderNir] = many(
        "nir_id", "The purchase orders it serves.", order=("purchase_order_id",)
    )
    history: Connection[DocumentChange] = many(
        "document_id", "Its life from state to state.", where=lambda change: change.c.document_kind == "nir"
    )
    scans: Connection[Scan] = many("document_id", "What was counted.", where=lambda scan: scan.c.document_kind == "nir")


NirLineOrder = orders("NirLineOrder", "Orders of NIR lines.", id="id", position="position")


@reads(models.NirLine, filter=NirLineFilter, order=NirLineOrder)
class NirLine(Node, Owned):
    """How much of one product is announced and was counted."""

    nir: Nir = one("nir_id", "The goods receipt it stands in.")
    position: int = column("Its place in the receipt.")
    product: Product = one("product_id", "What is delivered.")
    external_line_id: str | None = column("The integrator's key of it.")
    quantity: Decimal = column("How much is announced.")
    validated_quantity: Decimal = column("How much was counted and booked.")
    purchase_price: Decimal | None = column("What one costs, net.")
    location: Location | None = one("location_id", "Where the goods go; the inbound location when empty.")
    batch_code: str | None = column("The batch they belong to.")
    production_date: date | None = column("The day they were made.")
    expiration_date: date | None = column("The last day they may be used.")
    serial_numbers: list[str] = column("The serial numbers of the pieces.")
