"""Purchase orders: what is ordered from suppliers and what of it has arrived."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from hub.models import companies as company_models
from hub.models import movements as models
from hub.models import products as product_models
from hub.models import stock as stock_models
from hub.statuses import Status
from schema.companies import CompanyFilter
from schema.planner.fields import column, many, one, reads
from schema.planner.inputs import Day, Ids, Moment, Text, Whole, filters, ids, related, some, where
from schema.planner.types import Connection, Node, Owned, orders
from schema.products import ProductFilter
from schema.statuses import DocumentStatuses
from schema.warehouses import WarehouseFilter

if TYPE_CHECKING:
    from schema.companies import Company
    from schema.documents import DocumentChange
    from schema.nirs import Nir
    from schema.products import Product
    from schema.warehouses import Warehouse


@filters
class PurchaseOrderLineFilter:
    """Which lines; all questions must be answered with yes."""

    id: Ids | None = ids("PurchaseOrderLine", "By global id.")
    product: ProductFilter | None = related("product_id", product_models.Product, "By its product.")
    product_id: Ids | None = ids("Product", "By the global id of its product.", key="product_id")


@filters
class PurchaseOrderFilter:
    """Which purchase orders; all questions must be answered with yes."""

    id: Ids | None = ids("PurchaseOrder", "By global id.")
    internal_id: Whole | None = where("By the id within the tenant.", column="id")
    document_number: Text | None = where("By its number.")
    status: DocumentStatuses | None = where("By its state.")
    supplier: CompanyFilter | None = related("supplier_id", company_models.Company, "By its supplier.")
    supplier_id: Ids | None = ids("Company", "By the global id of its supplier.", key="supplier_id")
    warehouse: WarehouseFilter | None = related("warehouse_id", stock_models.Warehouse, "By its warehouse.")
    warehouse_id: Ids | None = ids("Warehouse", "By the global id of its warehouse.", key="warehouse_id")
    ordered_on: Day | None = where("By its day.")
    arrival_date: Day | None = where("By the day the goods are expected.")
    lines: PurchaseOrderLineFilter | None = some(
        "purchase_order_id", models.PurchaseOrderLine, "At least one of its lines is such."
    )
    created_at: Moment | None = where("By when it was added.")


PurchaseOrderOrder = orders("PurchaseOrderOrder", "Orders of purchase orders.", id="id", ordered_on="ordered_on")


@reads(models.PurchaseOrder, filter=PurchaseOrderFilter, order=PurchaseOrderOrder)
class PurchaseOrder(Node, Owned):
    """An order to a supplier; received quantities come from linked, validated goods receipts."""

    ordered_on: date = column("Its day.")
    arrival_date: date | None = column("The day the goods are expected.")
    supplier: Company = one("supplier_id", "Who delivers.")
    warehouse: Warehouse = one("warehouse_id", "Where the goods will arrive.")
    status: Status = column("Its state.")
    comment: str | None = column("Remarks.")
    document_number: str | None = column("Its number on paper.")
    created_at: datetime = column("When it was added.")
    updated_at: datetime = column("When it was changed last.")
    lines: Connection[PurchaseOrderLine] = many("purchase_order_id", "What is ordered.")
    nirs: list[PurchaseOrderNir] = many("purchase_order_id", "The goods receipts for it.", order=("nir_id",))
    history: Connection[DocumentChange] = many(
        "document_id", "Its life from state to state.", where=lambda change: change.c.document_kind == "purchase_order"
    )


@reads(models.PurchaseOrderLine, filter=PurchaseOrderLineFilter)
class PurchaseOrderLine(Node, Owned):
    """How much of one product is ordered and has arrived."""

    purchase_order: PurchaseOrder = one("purchase_order_id", "The purchase order it stands in.")
    product: Product = one("product_id", "What is ordered.")
    quantity: Decimal = column("How much.")
    received_quantity: Decimal = column("How much of it has arrived.")
    price: Decimal | None = column("The price of one, net.")


@reads(models.PurchaseOrderNir)
class PurchaseOrderNir(Owned):
    """A goods receipt that delivers a purchase order."""

    purchase_order: PurchaseOrder = one("purchase_order_id", "What was ordered.")
    nir: Nir = one("nir_id", "What arrived.")
