"""Summaries of stock and orders: folded base and the changes since, in one sum."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING

import strawberry

from hub.models import stock as stock_models
from hub.models.views import ORDERS_BY_DAY, STOCK_BY_WAREHOUSE
from hub.statuses import Status
from schema.planner.fields import column, one, reads
from schema.planner.inputs import Day, Ids, filters, ids, related, where
from schema.planner.types import NAMES, Owned
from schema.scalars import Long
from schema.statuses import DocumentStatuses
from schema.warehouses import WarehouseFilter

if TYPE_CHECKING:
    from schema.warehouses import Warehouse


@strawberry.enum(description="What the stock is summed up by, beside the tenant.")
class StockGroup(Enum):
    WAREHOUSE = "warehouse_id"


@strawberry.enum(description="What the orders are counted by, beside the tenant.")
class OrderGroup(Enum):
    WAREHOUSE = "warehouse_id"
    STATUS = "status"
    DAY = "day"


NAMES |= {"StockGroup": StockGroup, "OrderGroup": OrderGroup}


@filters
class StockSummaryFilter:
    """Which stock is summed up."""

    warehouse: WarehouseFilter | None = related("warehouse_id", stock_models.Warehouse, "By its warehouse.")
    warehouse_id: Ids | None = ids("Warehouse", "By the global id of its warehouse.", key="warehouse_id")


@reads(STOCK_BY_WAREHOUSE, filter=StockSummaryFilter, groups=StockGroup, sums=("quantity", "reserved"))
class StockSummary(Owned):
    """How much there is of everything together."""

    warehouse: Warehouse | None = one("warehouse_id", "In this warehouse; empty when not summed up by warehouse.")
    quantity: Decimal = column("All there is.")
    reserved_quantity: Decimal = column("How much of it is promised to documents.", name="reserved")


@filters
class OrderSummaryFilter:
    """Which orders are counted."""

    warehouse: WarehouseFilter | None = related("warehouse_id", stock_models.Warehouse, "By their warehouse.")
    warehouse_id: Ids | None = ids("Warehouse", "By the global id of their warehouse.", key="warehouse_id")
    status: DocumentStatuses | None = where("By their state.")
    day: Day | None = where("By the day they were added (UTC).")


@reads(ORDERS_BY_DAY, filter=OrderSummaryFilter, groups=OrderGroup, sums=("orders",))
class OrderSummary(Owned):
    """How many orders there are."""

    warehouse: Warehouse | None = one("warehouse_id", "Of this warehouse; empty when not counted by warehouse.")
    status: Status | None = column("In this state; empty when not counted by state.")
    day: date | None = column("Added on this day (UTC); empty when not counted by day.")
    orders: Long = column("How many.")
