"""`/api/inventory`: counts and the corrections of stock that follow from them."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from pydantic import Field
from sqlalchemy import FromClause, select

from hub.context import Level, Permission
from hub.errors import NotFound
from hub.models.movements import Inventory, InventoryCount
from hub.services import inventories
from hub.services.inventory_counts import InventoryCountDraft
from hub.statuses import VALIDATED
from schema.planner.fields import column, many, reads, sql, via
from schema.planner.stored import Stored
from schema.rest.answers import listing, one
from schema.rest.filters import differing, equal
from schema.rest.requests import Request
from schema.rest.routes import RestCall, Route
from schema.rest.values import Code, Counted, Day, Flag, Listed, Long, ShortCode


def _difference(count: FromClause) -> Any:
    return count.c.quantity - count.c.recorded_quantity


def _is_validated(count: FromClause) -> Any:
    inventory = Inventory.__table__.alias()  # type: ignore[attr-defined]  # SQLModel does not declare it
    same = (inventory.c.tenant_id == count.c.tenant_id, inventory.c.id == count.c.inventory_id)
    return select(inventory.c.status.in_(sorted(VALIDATED))).where(*same).scalar_subquery()


@reads(InventoryCount)
class StockAdjustmentInfo:
    """What was counted, and what the stock said."""

    inventoryId: int = column(name="inventory_id")
    inventoryProductId: int = column(name="id")
    productId: int = column(name="product_id")
    productCode: str = via("product_id", "code")
    locationCode: str = via("location_id", "code")
    quantity: Decimal
    recordedQuantity: Decimal = column(name="recorded_quantity")
    difference: Decimal = sql(_difference)
    stockBatchId: int | None = column(name="batch_id")
    stockBatchCode: str | None = column(name="batch_code")
    validated: bool = sql(_is_validated)
    inventoryStatus: int = via("inventory_id", "status")


@reads(InventoryCount)
class InventoryProductInfo:
    inventoryProductId: int = column(name="id")
    productId: int = column(name="product_id")
    productName: str = via("product_id", "name")
    productCode: str = via("product_id", "code")
    locationCode: str = via("location_id", "code")
    quantity: Decimal
    recordedQuantity: Decimal = column(name="recorded_quantity")
    difference: Decimal = sql(_difference)
    stockBatchId: int | None = column(name="batch_id")
    stockBatchCode: str | None = column(name="batch_code")
    productionDate: date | None = column(name="production_date")
    expirationDate: date | None = column(name="expiration_date")
    snList: list[str] = column(name="serial_numbers")


@reads(Inventory)
class InventoryInfo:
    """An inventory with its counts; `userUsername` is who validated it."""

    inventoryId: int = column(name="id")
    warehouseId: int = column(name="warehouse_id")
    warehouseCode: str = via("warehouse_id", "code")
    status: int
    validated: bool = sql(lambda inventory: inventory.c.status.in_(sorted(VALIDATED)))
    dateAdded: datetime = column(name="created_at")
    dateValidated: datetime | None = column(name="validated_at")
    userUsername: str | None = column(name="validated_by")
    inventoryProducts: list[InventoryProductInfo] = many("inventory_id", order=("id",))


@reads(InventoryCount)
class InventoryDeltaInfo:
    """A count that differs from what the stock said; `delta` is counted less recorded."""

    productId: int = column(name="product_id")
    productName: str = via("product_id", "name")
    productCode: str = via("product_id", "code")
    locationCode: str = via("location_id", "code")
    locationName: str = via("location_id", "name")
    stockBatchCode: str | None = column(name="batch_code")
    recordedQuantity: Decimal = column(name="recorded_quantity")
    quantity: Decimal
    delta: Decimal = sql(_difference)


ADJUSTMENTS = Stored(StockAdjustmentInfo)
INVENTORIES = Stored(InventoryInfo)
DELTAS = Stored(InventoryDeltaInfo)


class StockAdjustmentRequest(Request):
    locationCode: Code
    inventoryId: Long | None = None
    model: Code
    quantity: Counted
    recordedQuantity: Counted | None = None
    stockBatchId: Long | None = None
    stockBatchCode: ShortCode | None = None
    snList: Listed[ShortCode] = []
    expirationDate: Day | None = None
    productionDate: Day | None = None
    validated: Flag = Field(default=False, alias="validate")


async def adjust_stock(call: RestCall[StockAdjustmentRequest]) -> bytes | None:
    body = call.body
    draft = InventoryCountDraft(
        location_code=body.locationCode,
        product_code=body.model,
        quantity=body.quantity,
        inventory_id=body.inventoryId,
        recorded_quantity=body.recordedQuantity,
        batch_id=body.stockBatchId,
        batch_code=body.stockBatchCode,
        serial_numbers=tuple(body.snList),
        production_date=body.productionDate,
        expiration_date=body.expirationDate,
    )
    recorded = await call.database.write(
        call.scope, lambda work: inventories.count(work, draft=draft, validated=body.validated)
    )
    return await ADJUSTMENTS.one(call.database, call.scope, recorded.count_id)


async def inventory(call: RestCall[None]) -> bytes:
    found = await INVENTORIES.one(call.database, call.scope, call.path["id"])
    if found is None:
        raise NotFound(f"inventory {call.path['id']} does not exist", field="id")
    return found


async def inventory_delta(call: RestCall[None]) -> bytes:
    id_ = call.path["id"]
    if not await INVENTORIES.any(call.database, call.scope, where=equal(Inventory.id, id_)):
        raise NotFound(f"inventory {id_} does not exist", field="id")
    where = [
        *equal(InventoryCount.inventory_id, id_),
        *differing(InventoryCount.quantity, InventoryCount.recorded_quantity),
    ]
    return await DELTAS.page(call.database, call.scope, where=where)


ROUTES: tuple[Route[Any], ...] = (
    Route(
        "POST",
        "/api/inventory/stock-adjustment",
        "Count goods at a location",
        adjust_stock,
        one(StockAdjustmentInfo),
        level=Level.USER,
        permission=Permission.PROCESS_INVENTORY,
        body=StockAdjustmentRequest,
        description="Without `inventoryId` a new inventory is opened. `validate` corrects the stock by all its counts.",
        replaced_by="inventoryCountAdd",
    ),
    Route(
        "GET",
        "/api/inventory/{id:long}",
        "Read an inventory",
        inventory,
        one(InventoryInfo),
        replaced_by="inventory",
    ),
    Route(
        "GET",
        "/api/inventory/{id:long}/delta",
        "Read the differences of an inventory",
        inventory_delta,
        listing(InventoryDeltaInfo),
        replaced_by="inventory",
    ),
)
