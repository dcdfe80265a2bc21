"""Warehouses and the locations in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.models import stock as models
from schema.planner.fields import column, many, one, reads
from schema.planner.inputs import Ids, Text, Whole, filters, ids, related, where
from schema.planner.types import Connection, Node, Owned, orders

if TYPE_CHECKING:
    from schema.inventories import Inventory
    from schema.nirs import Nir
    from schema.orders import Order
    from schema.stock import StockItem, StockMovement


@filters
class WarehouseFilter:
    """Which warehouses; all questions must be answered with yes."""

    id: Ids | None = ids("Warehouse", "By global id.")
    internal_id: Whole | None = where("By the id within the tenant.", column="id")
    code: Text | None = where("By its code.")
    active: bool | None = where("Only active or only inactive ones.")
    is_default: bool | None = where("Only the default one, or all others.")


WarehouseOrder = orders("WarehouseOrder", "Orders of warehouses.", id="id", code="code")


@reads(models.Warehouse, filter=WarehouseFilter, order=WarehouseOrder)
class Warehouse(Node, Owned):
    """A building with goods in it."""

    code: str = column("Its code, unique in the tenant.")
    name: str = column("Its name.")
    is_default: bool = column("Used where a document names none; exactly one of a tenant.")
    active: bool = column("Used in new documents.")
    locations: Connection[Location] = many("warehouse_id", "The places in it.", order=("code",))
    stock: Connection[StockItem] = many("warehouse_id", "What is in it.")
    movements: Connection[StockMovement] = many("warehouse_id", "The ledger of its stock.")
    orders: Connection[Order] = many("warehouse_id", "The orders it serves.")
    nirs: Connection[Nir] = many("warehouse_id", "The goods receipts it takes in.")
    inventories: Connection[Inventory] = many("warehouse_id", "The counts of its stock.")


@filters
class LocationFilter:
    """Which locations; all questions must be answered with yes."""

    id: Ids | None = ids("Location", "By global id.")
    internal_id: Whole | None = where("By the id within the tenant.", column="id")
    code: Text | None = where("By its code.")
    warehouse: WarehouseFilter | None = related("warehouse_id", models.Warehouse, "By its warehouse.")
    warehouse_id: Ids | None = ids("Warehouse", "By the global id of its warehouse.", key="warehouse_id")
    is_inbound: bool | None = where("Only those where goods arrive, or all others.")
    active: bool | None = where("Only active or only inactive ones.")


LocationOrder = orders("LocationOrder", "Orders of locations.", id="id", code="code", priority="priority")


@reads(models.Location, filter=LocationFilter, order=LocationOrder)
class Location(Node, Owned):
    """A place in a warehouse where goods lie."""

    warehouse: Warehouse = one("warehouse_id", "The warehouse it is in.")
    code: str = column("Its code, unique in the tenant.")
    name: str = column("Its name.")
    priority: int = column("Goods are taken from the lowest number first.")
    is_inbound: bool = column("Where goods arrive when nothing else is said; one of a warehouse.")
    active: bool = column("Used in new documents.")
    stock: Connection[StockItem] = many("location_id", "What lies there.")
