"""Purchase orders: what is ordered from suppliers; what arrives is told by the NIRs linked to them."""

from datetime import date
from decimal import Decimal
from typing import Any

import strawberry
from strawberry import UNSET

from hub.context import Permission
from hub.services import purchase_orders
from hub.services.outcomes import one_by_one
from hub.services.purchase_orders import PurchaseLineDraft, PurchaseOrderDraft
from hub.statuses import Status
from schema.answers import Deleted, Json, Record, answer, answer_by_row
from schema.inputs import about, inputs
from schema.writing import BulkChange, Call, Change, mutation, user_with

PURCHASING = user_with(Permission.PURCHASE_ORDER)
NOW = Record("PurchaseOrder", "The purchase order as it is now.")
PURCHASE_ORDER = answer("PurchaseOrderPayload", purchase_order=NOW)
PURCHASE_ORDERS = answer_by_row("PurchaseOrdersPayload", "PurchaseOrdersRow", purchase_order=NOW)
PURCHASE_ORDER_DELETED = answer(
    "PurchaseOrderDeletePayload", deleted_id=Deleted("PurchaseOrder", "The id of the purchase order that is gone.")
)
LINE = answer(
    "PurchaseOrderLinePayload", purchase_order=NOW, line=Record("PurchaseOrderLine", "The line that was added.")
)
LINE_DELETED = answer(
    "PurchaseOrderLineDeletePayload",
    purchase_order=NOW,
    deleted_id=Deleted("PurchaseOrderLine", "The id of the line that is gone."),
)


@inputs()
class PurchaseOrderLineInput:
    """What is ordered: the product by its id, by its code, or by both when they agree."""

    product_id: strawberry.ID | None = about("The product, by its global id.", default=UNSET, of="Product")
    product_code: str | None = about("The product, by its code.", default=UNSET)
    quantity: Decimal = about("How much; more than 0.")
    price: Decimal | None = about("What one costs.", default=UNSET)


@inputs()
class PurchaseOrderFields:
    """An order to a supplier."""

    ordered_on: date = about("The day of the order.", called="date")
    arrival_date: date | None = about("The day the goods are expected; not before the order.", default=UNSET)
    supplier_id: strawberry.ID = about(
        "Who delivers: a company that is no mere client.", of="Company", called="supplier"
    )
    warehouse_id: strawberry.ID | None = about(
        "Where the goods shall arrive; a new one without it is for the default warehouse.",
        default=UNSET,
        of="Warehouse",
    )
    nir_ids: list[strawberry.ID] = about("The NIRs that deliver it.", default=[], of="Nir", called="nirs")
    comment: str | None = about("A remark.", default=UNSET)
    document_number: str | None = about("The number on the paper; need not be unique.", default=UNSET)


@inputs()
class PurchaseOrderInput(PurchaseOrderFields):
    """An order to a supplier to be added."""

    lines: list[PurchaseOrderLineInput] = about("What is ordered.", default=[], called="products")


@inputs()
class PurchaseOrderAddInput(Change, PurchaseOrderInput):
    """An order to a supplier to be added; adding twice makes two."""


@inputs()
class PurchaseOrdersAddInput(BulkChange):
    """Orders to suppliers to be added."""

    purchase_orders: list[PurchaseOrderInput] = about("1 to 250 purchase orders.")


@inputs(changes=PurchaseOrderFields)
class PurchaseOrderUpdateInput(Change):
    """New values of a purchase order: what is absent stays, null clears, the NIRs are replaced as a whole."""

    id: strawberry.ID = about("The purchase order.", of="PurchaseOrder", called="purchaseOrderId")


@inputs()
class PurchaseOrderTargetInput(Change):
    """A purchase order that takes a step."""

    id: strawberry.ID = about("The purchase order.", of="PurchaseOrder", called="purchaseOrderId")


@inputs()
class PurchaseOrderStatusInput(Change):
    """A purchase order and the state it shall have."""

    id: strawberry.ID = about("The purchase order.", of="PurchaseOrder", called="purchaseOrderId")
    status: Status = about("The new state; the one it has already is no change.")


@inputs()
class PurchaseOrderLineAddInput(Change, PurchaseOrderLineInput):
    """A product to be ordered as well."""

    purchase_order_id: strawberry.ID = about("The purchase order.", of="PurchaseOrder")


@inputs()
class PurchaseOrderLineDeleteInput(Change):
    """A line to be removed."""

    id: strawberry.ID = about("The line.", of="PurchaseOrderLine")


@mutation(PURCHASE_ORDER, needs=PURCHASING)
async def purchase_order_add(call: Call, input: PurchaseOrderAddInput) -> Json:
    """Adds an order to a supplier; there is no unique key, so that adding twice makes two."""
    draft = _draft(call.filled(input))
    [purchase_order_id] = await purchase_orders.add(call.work, purchase_orders=[draft])
    return {"purchase_order": purchase_order_id}


@mutation(PURCHASE_ORDERS, needs=PURCHASING)
async def purchase_orders_add(call: Call, input: PurchaseOrdersAddInput) -> Json:
    """Adds up to 250 orders to suppliers."""

    async def add(draft: PurchaseOrderDraft) -> int:
        [purchase_order_id] = await purchase_orders.add(call.work, purchase_orders=[draft])
        return purchase_order_id

    return await call.each(
        "purchaseOrders",
        input.purchase_orders,
        lambda row: _draft(call.filled(row)),
        lambda drafts: one_by_one(call.work, drafts, add),
    )


@mutation(PURCHASE_ORDER, needs=PURCHASING)
async def purchase_order_update(call: Call, input: PurchaseOrderUpdateInput) -> Json:
    """Changes a purchase order that is neither cancelled nor closed; what is absent stays, null clears."""
    changes = call.values(input)
    purchase_order_id = changes.pop("id")
    if "nir_ids" in changes:
        changes["nir_ids"] = changes["nir_ids"] or []
    await purchase_orders.update(call.work, purchase_order_id=purchase_order_id, changes=changes)
    return {"purchase_order": purchase_order_id}


@mutation(PURCHASE_ORDER, needs=PURCHASING)
async def purchase_order_status_update(call: Call, input: PurchaseOrderStatusInput) -> Json:
    """Moves a purchase order to another state by hand."""
    given = call.values(input)
    await purchase_orders.change_status(call.work, purchase_order_id=given["id"], status=given["status"])
    return {"purchase_order": given["id"]}


@mutation(PURCHASE_ORDER, needs=PURCHASING)
async def purchase_order_close(call: Call, input: PurchaseOrderTargetInput) -> Json:
    """Closes a purchase order: nothing more is expected; closing again is no change."""
    purchase_order_id = call.values(input)["id"]
    await purchase_orders.close(call.work, purchase_order_id=purchase_order_id)
    return {"purchase_order": purchase_order_id}


@mutation(PURCHASE_ORDER_DELETED, needs=PURCHASING)
async def purchase_order_delete(call: Call, input: PurchaseOrderTargetInput) -> Json:
    """Deletes a purchase order of which nothing was received."""
    [purchase_order_id] = await purchase_orders.delete(call.work, purchase_order_ids=[call.values(input)["id"]])
    return {"deleted_id": purchase_order_id}


@mutation(LINE, needs=PURCHASING)
async def purchase_order_line_add(call: Call, input: PurchaseOrderLineAddInput) -> Json:
    """Orders one product more."""
    line = call.filled(input)
    purchase_order_id = line.pop("purchase_order_id")
    draft = PurchaseLineDraft(**line)
    line_id = await purchase_orders.add_line(call.work, purchase_order_id=purchase_order_id, line=draft)
    return {"purchase_order": purchase_order_id, "line": line_id}


@mutation(LINE_DELETED, needs=PURCHASING)
async def purchase_order_line_delete(call: Call, input: PurchaseOrderLineDeleteInput) -> Json:
    """Removes a line of a purchase order."""
    line_id = call.values(input)["id"]
    purchase_order_id = await purchase_orders.remove_line(call.work, line_id=line_id)
    return {"purchase_order": purchase_order_id, "deleted_id": line_id}


def _draft(columns: dict[str, Any]) -> PurchaseOrderDraft:
    lines = tuple(PurchaseLineDraft(**line) for line in columns["lines"])
    return PurchaseOrderDraft(**columns | {"lines": lines, "nir_ids": tuple(columns["nir_ids"])})
