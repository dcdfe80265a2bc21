"""Orders: added, changed, deleted, rechecked and printed. What picking does to them is in `picking.py`."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import strawberry
from strawberry import UNSET

from hub.services import nomenclature, orders, print_jobs, supply
from hub.services.buyers import BuyerDraft
from hub.services.order_drafts import OrderDraft, OrderLineDraft
from schema.answers import Deleted, Json, Record, Records, answer, answer_by_row
from schema.companies import Company
from schema.enums import PrintDocument
from schema.inputs import about, inputs
from schema.mutations.rows import delete_rows, found_rows, ids_in
from schema.orders import Order, OrderLine, OrderRequirement, OrderType
from schema.writing import USER, BulkChange, Call, Change, mutation

NOW = Record("Order", "The order as it is now.")
GONE = Deleted("Order", "The id of the order that is gone.")
ORDER = answer("OrderPayload", order=NOW)
ORDER_DELETED = answer("OrderDeletePayload", deleted_id=GONE)
ORDERS = answer_by_row("OrdersPayload", "OrdersRow", order=NOW)
ORDERS_DELETED = answer_by_row("OrdersDeletePayload", "OrdersDeleteRow", deleted_id=GONE)
RECHECKED = answer("OrdersRecheckPayload", orders=Records("Order", "The orders whose status changed."))
PRINT_JOB = answer("OrderPrintPayload", print_job=Record("PrintJob", "The job that waits for the print station."))


@inputs(one_of=True, like=Order)
class OrderKey:
    """Names one order by one of its keys."""

    id: strawberry.ID | None = about(default=UNSET, of="Order")
    external_order_id: str | None = UNSET
    third_party_reference: str | None = UNSET


@inputs(like=Company)
class OrderCompanyInput:
    """Who an order is for: the company with this id, else this reference, else this CUI alone; else a new client."""

    company_id: strawberry.ID | None = about("A known company, by its global id.", default=UNSET, of="Company")
    external_reference: str | None = UNSET
    third_party_reference: str | None = UNSET
    name: str | None = about("Its name; a new client needs one.", default=UNSET)
    cui: str | None = UNSET
    reg_no: str | None = UNSET
    bank: str | None = UNSET
    iban: str | None = UNSET
    address: str | None = UNSET
    phone: str | None = UNSET
    email: str | None = UNSET
    website: str | None = UNSET


@inputs(like=OrderLine)
class OrderLineInput:
    """What is ordered: the product by its id, by its code, or by both when they agree."""

    product_id: strawberry.ID | None = about("The product, by its global id.", default=UNSET, of="Product")
    product_code: str | None = about("The product, by its code.", default=UNSET, called="productModel")
    quantity: Decimal
    external_line_id: str | None = UNSET
    location_code: str | None = about("The only location it may be served from, by its code.", default=UNSET)


@inputs(like=OrderRequirement)
class OrderRequirementInput:
    """A wish of the client that the picker must see."""

    name: str
    value: str


@inputs(like=Order)
class OrderInput:
    """An order to be added: it reserves what is free and waits for the rest."""

    external_order_id: str
    third_party_reference: str | None = UNSET
    warehouse_id: strawberry.ID | None = about(
        "Where the goods are taken from; a new order without it takes them from the default warehouse.",
        default=UNSET,
        of="Warehouse",
    )
    order_type: OrderType = OrderType.CLIENT_ORDER
    requires_validation: bool = about(default=True, called="validationRequired")
    comment: str | None = UNSET
    awb_external_link: str | None = UNSET
    invoice_external_link: str | None = UNSET
    number_of_envelopes: int | None = UNSET
    number_of_packages: int | None = UNSET
    placed_at: datetime | None = UNSET
    company: OrderCompanyInput | None = UNSET
    lines: list[OrderLineInput] = about(default=[], called="orderProducts")
    requirements: list[OrderRequirementInput] = about(default=[], called="orderRequirements")


@inputs()
class OrderAddInput(Change, OrderInput):
    """An order to be added: it reserves what is free and waits for the rest."""


@inputs(changes=OrderInput)
class OrderUpdateInput(Change):
    """New values of an order: what is absent stays, null clears, lines and requirements are replaced as a whole."""

    order: OrderKey = about("Which order.", called="orderId")


@inputs()
class OrderDeleteInput(Change):
    """An order to be deleted."""

    order: OrderKey = about("Which order.", called="orderId")


@inputs()
class OrdersAddInput(BulkChange):
    """Orders to be added."""

    orders: list[OrderInput] = about("1 to 250 orders; earlier ones reserve first.")


@inputs(changes=OrderInput)
class OrderChanges:
    """New values of one order: what is absent stays, null clears, lines and requirements are replaced as a whole."""

    order: OrderKey = about("Which order.", called="orderId")


@inputs()
class OrdersUpdateInput(BulkChange):
    """Orders to be changed."""

    orders: list[OrderChanges] = about("1 to 250 orders with their new values.")


@inputs()
class OrdersDeleteInput(BulkChange):
    """Orders to be deleted."""

    orders: list[OrderKey] = about("1 to 250 orders.")


@inputs()
class OrderAwbLinkInput(Change):
    """The address of an air waybill."""

    order: OrderKey = about("Which order.", called="orderId")
    awb_external_link: str = about("The address.")


@inputs()
class OrdersRecheckInput(Change):
    """Orders that wait for supply."""

    order_ids: list[strawberry.ID] | None = about(
        "Only these orders; all that wait when absent.", default=UNSET, of="Order"
    )


@inputs()
class OrderPrintInput(Change):
    """A document to be printed."""

    order: OrderKey = about("Which order.", called="orderId")
    document_type: PrintDocument = about("Which document.", default=PrintDocument.NOTICE)
    copies: int = about("How many, 1 to 100.", default=1)


@mutation(ORDER, needs=USER)
async def order_add(call: Call, input: OrderAddInput) -> Json:
    """Adds an order and reserves what is free for it."""
    [order_id] = await orders.add(call.work, orders=[OrderDraft(**_drafted(call.filled(input)))])
    return {"order": order_id}


@mutation(ORDER, needs=USER)
async def order_update(call: Call, input: OrderUpdateInput) -> Json:
    """Changes an order as far as its state allows; what is absent stays, null clears."""
    key, changes = call.targets(input.order, "order"), _drafted(call.values(input, "order"))
    [order_id] = await orders.update(call.work, targets=key, changes=changes)
    return {"order": order_id}


@mutation(ORDER_DELETED, needs=USER)
async def order_delete(call: Call, input: OrderDeleteInput) -> Json:
    """Deletes an order of which nothing was picked; what was reserved for it is free again."""
    [order_id] = await orders.delete(call.work, targets=call.targets(input.order, "order"))
    return {"deleted_id": order_id}


@mutation(ORDERS, needs=USER)
async def orders_add(call: Call, input: OrdersAddInput) -> Json:
    """Adds up to 250 orders and reserves what is free for them, in their order."""
    return await call.each(
        "orders",
        input.orders,
        lambda row: OrderDraft(**_drafted(call.filled(row))),
        lambda drafts: orders.add_orders(call.work, orders=drafts, on_error="skip"),
    )


@mutation(ORDERS, needs=USER)
async def orders_update(call: Call, input: OrdersUpdateInput) -> Json:
    """Changes up to 250 orders as far as their states allow; what is absent stays, null clears."""
    found = await found_rows(call, "orders", [row.order for row in input.orders], ids_in(orders.TARGETS))
    return await call.each(
        "orders",
        input.orders,
        lambda row: (found.id(row.order, "order"), _drafted(call.values(row, "order"))),
        lambda rows: orders.update_orders(call.work, orders=rows, on_error="skip"),
    )


@mutation(ORDERS_DELETED, needs=USER)
async def orders_delete(call: Call, input: OrdersDeleteInput) -> Json:
    """Deletes up to 250 orders of which nothing was picked."""
    return await delete_rows(call, "orders", input.orders, ids_in(orders.TARGETS), orders.delete)


@mutation(ORDER, needs=USER)
async def order_awb_link_update(call: Call, input: OrderAwbLinkInput) -> Json:
    """Stores the address of an order's air waybill, in any state but CANCELED."""
    order_id = await order_id_of(call, input.order)
    return {"order": await orders.set_awb_link(call.work, order_id=order_id, link=input.awb_external_link)}


@mutation(RECHECKED, needs=USER)
async def orders_recheck(call: Call, input: OrdersRecheckInput) -> Json:
    """Serves orders that wait for supply with what is free by now, the oldest first."""
    order_ids = call.filled(input).get("order_ids")
    return {"orders": await supply.recheck(call.work, order_ids=order_ids)}


@mutation(PRINT_JOB, needs=USER)
async def order_print(call: Call, input: OrderPrintInput) -> Json:
    """Has a document of an order printed: the job waits for the print station of the warehouse."""
    order_id = await order_id_of(call, input.order)
    document = call.filled(input, "order")
    return {"print_job": await print_jobs.queue(call.work, order_id=order_id, **document)}


async def order_id_of(call: Call, key: OrderKey) -> int:
    """The order that a key designates; raises `NotFound`."""
    [order_id] = await nomenclature.find(call.work, orders.TARGETS, call.targets(key, "order"))
    return order_id


def _drafted(columns: dict[str, Any]) -> dict[str, Any]:
    """The columns with lines, requirements and company as the service wants them."""
    drafted = dict(columns)
    if drafted.get("lines") is not None:
        drafted["lines"] = [OrderLineDraft(**line) for line in drafted["lines"]]
    if drafted.get("requirements") is not None:
        drafted["requirements"] = [(each["name"], each["value"]) for each in drafted["requirements"]]
    if drafted.get("company") is not None:
        drafted["company"] = BuyerDraft(**drafted["company"])
    return drafted
