"""Production orders: products made in the house from components."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from hub.models import movements as models
from hub.models import products as product_models
from hub.models import stock as stock_models
from hub.statuses import Status
from schema.planner.fields import column, many, one, reads
from schema.planner.inputs import Ids, Moment, Text, Whole, filters, ids, related, where
from schema.planner.types import Connection, Node, Owned, orders
from schema.products import ProductFilter
from schema.statuses import DocumentStatuses
from schema.warehouses import WarehouseFilter

if TYPE_CHECKING:
    from schema.documents import DocumentChange
    from schema.products import Product
    from schema.warehouses import Warehouse


@filters
class ProductionOrderFilter:
    """Which production orders; all questions must be answered with yes."""

    id: Ids | None = ids("ProductionOrder", "By global id.")
    internal_id: Whole | None = where("By the id within the tenant.", column="id")
    third_party_reference: Text | None = where("By the key in the connected system.")
    status: DocumentStatuses | None = where("By its state.")
    product: ProductFilter | None = related("product_id", product_models.Product, "By what is made.")
    product_id: Ids | None = ids("Product", "By the global id of what is made.", key="product_id")
    warehouse: WarehouseFilter | None = related("warehouse_id", stock_models.Warehouse, "By its warehouse.")
    warehouse_id: Ids | None = ids("Warehouse", "By the global id of its warehouse.", key="warehouse_id")
    batch_code: Text | None = where("By the batch code of what is made.")
    created_at: Moment | None = where("By when it was added.")
    closed_at: Moment | None = where("By when it was closed.")


ProductionOrderOrder = orders("ProductionOrderOrder", "Orders of production orders.", id="id")


@reads(models.ProductionOrder, filter=ProductionOrderFilter, order=ProductionOrderOrder)
class ProductionOrder(Node, Owned):
    """An order to make a product from components."""

    third_party_reference: str = column("Its key in the system it came from, unique in the tenant.")
    product: Product = one("product_id", "What is made.")
    quantity: Decimal = column("How much is to be made.")
    produced_quantity: Decimal = column("How much was made.")
    warehouse: Warehouse = one("warehouse_id", "Where.")
    status: Status = column("Its state.")
    comment: str | None = column("Remarks.")
    batch_code: str | None = column("The batch of what was made.")
    created_at: datetime = column("When it was added.")
    updated_at: datetime = column("When it was changed last.")
    closed_at: datetime | None = column("When it was closed.")
    components: Connection[ProductionComponent] = many("production_order_id", "What it uses up.")
    history: Connection[DocumentChange] = many(
        "document_id",
        "Its life from state to state.",
        where=lambda change: change.c.document_kind == "production_order",
    )


@reads(models.ProductionComponent)
class ProductionComponent(Node, Owned):
    """What one production order uses up of one product, for the whole order."""

    production_order: ProductionOrder = one("production_order_id", "The production order.")
    product: Product = one("product_id", "What is used up.")
    quantity: Decimal = column("How much, for the whole order.")
