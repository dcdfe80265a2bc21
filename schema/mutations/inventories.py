"""Inventories: counts recorded beside what the stock says, and the stock corrected by them."""

from datetime import date
from decimal import Decimal
from typing import Any

import strawberry
from strawberry import UNSET

from hub.context import Permission
from hub.services import inventories
from hub.services.inventory_counts import InventoryCountDraft
from hub.services.outcomes import one_by_one
from schema.answers import Json, Record, answer, answer_by_row
from schema.inputs import about, inputs
from schema.writing import BulkChange, Call, Change, mutation, user_with

INVENTORIES = user_with(Permission.PROCESS_INVENTORY)
NOW = Record("Inventory", "The inventory as it is now.")
COUNTED = Record("InventoryCount", "The count with what was recorded beside it.")
INVENTORY = answer("InventoryPayload", inventory=NOW)
COUNT = answer("InventoryCountPayload", inventory=NOW, count=COUNTED)
COUNTS = answer_by_row("InventoryCountsPayload", "InventoryCountsRow", count=COUNTED)


@inputs()
class InventoryCountInput:
    """What somebody counted of one product and batch at one location; a second count of the same replaces the first."""

    location_code: str = about("Where.")
    product_code: str = about("Of which product.", called="model")
    quantity: Decimal = about("How much is there.")
    recorded_quantity: Decimal | None = about(
        "How much the caller believes the stock to say: when it says something else, the count is refused.",
        default=UNSET,
    )
    batch_id: strawberry.ID | None = about(
        "Of which batch, by its global id.", default=UNSET, of="Batch", called="stockBatchId"
    )
    batch_code: str | None = about(
        "Of which batch, by its code; an unknown code is a new batch.", default=UNSET, called="stockBatchCode"
    )
    serial_numbers: list[str] = about(
        "Which pieces, as many as the quantity; they replace those at the location.", default=[], called="snList"
    )
    production_date: date | None = about("When a new batch was made.", default=UNSET)
    expiration_date: date | None = about("Until when a new batch may be used.", default=UNSET)


@inputs()
class InventoryCountAddInput(Change, InventoryCountInput):
    """A count, and the inventory it belongs to."""

    inventory_id: strawberry.ID | None = about(
        "The inventory; a new one is opened in the location's warehouse when absent.", default=UNSET, of="Inventory"
    )
    validate: bool = about("Validate the whole inventory at once.", default=False)


@inputs()
class InventoryCountsAddInput(BulkChange):
    """Counts of one inventory."""

    inventory_id: strawberry.ID = about("The inventory.", of="Inventory")
    counts: list[InventoryCountInput] = about("1 to 250 counts.")


@inputs()
class InventoryTargetInput(Change):
    """An inventory that takes a step."""

    id: strawberry.ID = about("The inventory.", of="Inventory", called="inventoryId")


@mutation(COUNT, needs=INVENTORIES)
async def inventory_count_add(call: Call, input: InventoryCountAddInput) -> Json:
    """Records a count; the stock changes when the inventory is validated."""
    draft = _draft(call.filled(input, "validate"))
    recorded = await inventories.count(call.work, draft=draft, validated=input.validate)
    return {"inventory": recorded.inventory_id, "count": recorded.count_id}


@mutation(COUNTS, needs=INVENTORIES)
async def inventory_counts_add(call: Call, input: InventoryCountsAddInput) -> Json:
    """Records up to 250 counts of one inventory."""
    inventory = {"inventory_id": call.values(input, "counts")["inventory_id"]}

    async def count(draft: InventoryCountDraft) -> int:
        return (await inventories.count(call.work, draft=draft)).count_id

    return await call.each(
        "counts",
        input.counts,
        lambda row: _draft(call.filled(row) | inventory),
        lambda drafts: one_by_one(call.work, drafts, count),
    )


@mutation(INVENTORY, needs=INVENTORIES)
async def inventory_validate(call: Call, input: InventoryTargetInput) -> Json:
    """Corrects the stock by what the counts found beyond, or short of, what was recorded when they were made."""
    inventory_id = call.values(input)["id"]
    await inventories.validate(call.work, inventory_id=inventory_id)
    return {"inventory": inventory_id}


@mutation(INVENTORY, needs=INVENTORIES)
async def inventory_cancel(call: Call, input: InventoryTargetInput) -> Json:
    """Gives an inventory up; the stock stays as it is."""
    inventory_id = call.values(input)["id"]
    await inventories.cancel(call.work, inventory_id=inventory_id)
    return {"inventory": inventory_id}


def _draft(columns: dict[str, Any]) -> InventoryCountDraft:
    return InventoryCountDraft(**columns | {"serial_numbers": tuple(columns["serial_numbers"])})
