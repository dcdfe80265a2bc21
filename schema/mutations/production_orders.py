"""Production orders: a product made from components, closed into stock or cancelled."""

from datetime import date
from decimal import Decimal
from typing import Any

import strawberry
from strawberry import UNSET

from hub.context import Permission
from hub.services import production
from hub.services.outcomes import one_by_one
from hub.services.production import ComponentDraft, Output, ProductionOrderDraft
from schema.answers import Json, Record, answer, answer_by_row
from schema.inputs import about, inputs
from schema.writing import BulkChange, Call, Change, mutation, user_with

PRODUCTION = user_with(Permission.PRODUCTION)
NOW = Record("ProductionOrder", "The production order as it is now.")
PRODUCTION_ORDER = answer("ProductionOrderPayload", production_order=NOW)
PRODUCTION_ORDERS = answer_by_row("ProductionOrdersPayload", "ProductionOrdersRow", production_order=NOW)


@inputs()
class ProductionComponentInput:
    """What the whole order uses up: the product by its id, by its code, or by both when they agree."""

    product_id: strawberry.ID | None = about("The product, by its global id.", default=UNSET, of="Product")
    product_code: str | None = about("The product, by its code.", default=UNSET, called="code")
    quantity: Decimal = about("How much for the whole order; more than 0.")


@inputs()
class ProductionOrderInput:
    """An order to make a product."""

    product_id: strawberry.ID = about("What is made.", of="Product")
    quantity: Decimal = about("How much; more than 0.")
    third_party_reference: str = about("Its key in the connected system; unique.")
    warehouse_id: strawberry.ID | None = about(
        "Where it is made; the default warehouse when absent.", default=UNSET, of="Warehouse"
    )
    comment: str | None = about("A remark.", default=UNSET)
    components: list[ProductionComponentInput] = about("What is used up.", default=[])


@inputs()
class ProductionOrderAddInput(Change, ProductionOrderInput):
    """An order to make a product."""


@inputs()
class ProductionOrdersAddInput(BulkChange):
    """Orders to make products."""

    production_orders: list[ProductionOrderInput] = about("1 to 250 production orders.")


@inputs()
class ProductionOrderCloseInput(Change):
    """The finished goods of a production order."""

    id: strawberry.ID = about("The production order.", of="ProductionOrder", called="orderId")
    location_code: str | None = about(
        "Where the goods are put; the warehouse's inbound location when absent.", default=UNSET
    )
    batch_code: str | None = about("Their batch; generated when the product needs one.", default=UNSET)
    production_date: date | None = about("When the batch was made.", default=UNSET)
    expiration_date: date | None = about("Until when the batch may be used.", default=UNSET)


@inputs()
class ProductionOrderTargetInput(Change):
    """A production order that takes a step."""

    id: strawberry.ID = about("The production order.", of="ProductionOrder", called="orderId")


@mutation(PRODUCTION_ORDER, needs=PRODUCTION)
async def production_order_add(call: Call, input: ProductionOrderAddInput) -> Json:
    """Adds an order to make a product; the stock changes when it is closed."""
    [production_order_id] = await production.add(call.work, production_orders=[_draft(call.filled(input))])
    return {"production_order": production_order_id}


@mutation(PRODUCTION_ORDERS, needs=PRODUCTION)
async def production_orders_add(call: Call, input: ProductionOrdersAddInput) -> Json:
    """Adds up to 250 orders to make products."""

    async def add(draft: ProductionOrderDraft) -> int:
        [production_order_id] = await production.add(call.work, production_orders=[draft])
        return production_order_id

    return await call.each(
        "productionOrders",
        input.production_orders,
        lambda row: _draft(call.filled(row)),
        lambda drafts: one_by_one(call.work, drafts, add),
    )


@mutation(PRODUCTION_ORDER, needs=PRODUCTION)
async def production_order_close(call: Call, input: ProductionOrderCloseInput) -> Json:
    """Uses up the components from free stock and books the product in; refused when any component is short."""
    output = call.filled(input)
    production_order_id = output.pop("id")
    await production.close(call.work, production_order_id=production_order_id, output=Output(**output))
    return {"production_order": production_order_id}


@mutation(PRODUCTION_ORDER, needs=PRODUCTION)
async def production_order_cancel(call: Call, input: ProductionOrderTargetInput) -> Json:
    """Cancels a production order that is not closed."""
    production_order_id = call.values(input)["id"]
    await production.cancel(call.work, production_order_ids=[production_order_id])
    return {"production_order": production_order_id}


def _draft(columns: dict[str, Any]) -> ProductionOrderDraft:
    components = tuple(ComponentDraft(**part) for part in columns["components"])
    return ProductionOrderDraft(**columns | {"components": components})
