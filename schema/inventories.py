"""Inventories: counts of what is really there, and how far it is from what was recorded."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, FromClause

from hub.models import movements as models
from hub.models import products as product_models
from hub.models import stock as stock_models
from hub.statuses import VALIDATED, Status
from schema.planner.fields import column, many, one, reads, sql
from schema.planner.inputs import Ids, Moment, Number, Text, Whole, filters, ids, related, some, where
from schema.planner.types import Connection, Node, Owned, orders
from schema.products import ProductFilter
from schema.statuses import DocumentStatuses
from schema.warehouses import LocationFilter, WarehouseFilter

if TYPE_CHECKING:
    from schema.documents import DocumentChange
    from schema.products import Product
    from schema.stock import Batch
    from schema.warehouses import Location, Warehouse


def difference(count: FromClause) -> ColumnElement[Decimal]:
    """What validation adds to the stock."""
    return count.c.quantity - count.c.recorded_quantity


@filters
class InventoryCountFilter:
    """Which counts; all questions must be answered with yes."""

    id: Ids | None = ids("InventoryCount", "By global id.")
    product: ProductFilter | None = related("product_id", product_models.Product, "By its product.")
    product_id: Ids | None = ids("Product", "By the global id of its product.", key="product_id")
    location: LocationFilter | None = related("location_id", stock_models.Location, "By its location.")
    location_id: Ids | None = ids("Location", "By the global id of its location.", key="location_id")
    batch_code: Text | None = where("By its batch code.")
    difference: Number | None = where("By how far it is from what was recorded.", expression=difference)
    differs: bool | None = where(
        "Only counts with a difference, or all others.", expression=lambda count: difference(count) != 0
    )


@filters
class InventoryFilter:
    """Which inventories; all questions must be answered with yes."""

    id: Ids | None = ids("Inventory", "By global id.")
    internal_id: Whole | None = where("By the id within the tenant.", column="id")
    status: DocumentStatuses | None = where("By its state.")
    warehouse: WarehouseFilter | None = related("warehouse_id", stock_models.Warehouse, "By its warehouse.")
    warehouse_id: Ids | None = ids("Warehouse", "By the global id of its warehouse.", key="warehouse_id")
    counts: InventoryCountFilter | None = some("inventory_id", models.InventoryCount, "At least one count is such.")
    created_at: Moment | None = where("By when it was opened.")
    validated_at: Moment | None = where("By when the stock was corrected.")


InventoryOrder = orders("InventoryOrder", "Orders of inventories.", id="id")


@reads(models.Inventory, filter=InventoryFilter, order=InventoryOrder)
class Inventory(Node, Owned):
    """A count of what is really there."""

    warehouse: Warehouse = one("warehouse_id", "Where it is counted.")
    status: Status = column("Its state.")
    validated: bool = sql(lambda i: i.c.status.in_(sorted(VALIDATED)), "The stock was corrected by it.")
    created_by: str = column("Who opened it.")
    validated_at: datetime | None = column("When the stock was corrected.")
    validated_by: str | None = column("Who corrected it.")
    created_at: datetime = column("When it was opened.")
    updated_at: datetime = column("When it was changed last.")
    counts: Connection[InventoryCount] = many("inventory_id", "What was counted.")
    deltas: Connection[InventoryCount] = many(
        "inventory_id", "Only the counts with a difference.", where=lambda count: difference(count) != 0
    )
    history: Connection[DocumentChange] = many(
        "document_id", "Its life from state to state.", where=lambda change: change.c.document_kind == "inventory"
    )


@reads(models.InventoryCount, filter=InventoryCountFilter)
class InventoryCount(Node, Owned):
    """The counted quantity of one product, location and batch."""

    inventory: Inventory = one("inventory_id", "The inventory it belongs to.")
    product: Product = one("product_id", "What was counted.")
    location: Location = one("location_id", "Where.")
    batch: Batch | None = one("batch_id", "Of which batch, when the batch is known.")
    batch_code: str | None = column("The batch code that was read.")
    quantity: Decimal = column("How much was counted.")
    recorded_quantity: Decimal = column("How much was recorded at that moment.")
    difference: Decimal = sql(difference, "Counted less recorded: what validation adds to the stock.")
    production_date: date | None = column("The day the goods were made.")
    expiration_date: date | None = column("The last day they may be used.")
    serial_numbers: list[str] = column("The serial numbers that were found.")
    created_at: datetime = column("When it was counted first.")
    updated_at: datetime = column("When it was counted last.")
