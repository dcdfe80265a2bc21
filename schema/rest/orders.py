"""`/api/order`: orders taken in, changed, picked and moved through their states."""

from typing import Any

from hub.context import Level, Permission
from hub.db import UnitOfWork
from hub.models.companies import Company
from hub.models.orders import Order
from hub.queries.orders import find_order_ids
from hub.services import order_moves, orders, print_jobs, supply
from hub.services.order_drafts import OrderDraft
from schema.planner.stored import Stored
from schema.rest.answers import listing, one
from schema.rest.filters import equal, named_by, one_of
from schema.rest.order_requests import (
    RENAMED,
    CheckWaitingOrdersRequest,
    CreateOrderApiRequest,
    DeleteOrderApiRequest,
    OrderKeyRequest,
    PrintDocumentRequest,
    ReadOrdersFilterRequest,
    UpdateAwbLinkRequest,
    UpdateOrderApiRequest,
    UpdateOrderStatusRequest,
    drafted,
)
from schema.rest.order_shapes import (
    ORDERS,
    PICKING,
    READINESS,
    OrderInfo,
    OrderReadyInfo,
    PickingInfo,
    PrintJobInfo,
)
from schema.rest.requests import snake
from schema.rest.routes import RestCall, Route


async def order_id_of(work: UnitOfWork, key: OrderKeyRequest) -> int:
    """The order that the keys given designate together."""
    ids = set()
    for name, value in (("id", key.orderId), ("external_order_id", key.externalOrderId)):
        if value is not None:
            ids.add((await find_order_ids(work.session, work.tenant_id, name, [value])).get(value))
    id_ = ids.pop()
    if id_ is None or ids:
        raise key.unknown
    return id_


async def _one(stored: Stored, call: RestCall[Any]) -> bytes:
    found = await stored.page(call.database, call.scope, where=call.body.where, limit=1)
    if found == b"[]":
        raise call.body.unknown
    return found[1:-1]


async def read(call: RestCall[ReadOrdersFilterRequest]) -> bytes:
    wanted = call.body
    company = (Order.company_id, Company, Company.external_reference)
    where = [
        *one_of(Order.id, wanted.orderIds),
        *one_of(Order.external_order_id, wanted.externalOrderIds),
        *named_by(*company, wanted.companyExternalReferences),
        *one_of(Order.warehouse_id, wanted.warehouseIds),
        *one_of(Order.status, wanted.statuses),
        *equal(Order.order_type, wanted.orderType),
        *one_of(Order.third_party_reference, wanted.thirdPartyReferenceIds),
    ]
    return await ORDERS.page(call.database, call.scope, where=where, limit=wanted.rows, offset=wanted.offset)


async def add(call: RestCall[CreateOrderApiRequest]) -> bytes:
    draft = OrderDraft(**drafted({RENAMED.get(name) or snake(name): value for name, value in call.body}))
    ids = await call.database.write(call.scope, lambda work: orders.add(work, orders=[draft]))
    return await ORDERS.by_ids(call.database, call.scope, ids)


async def update(call: RestCall[UpdateOrderApiRequest]) -> bytes:
    targets, changes = call.body.targets, drafted(call.body.updateFields.changes(RENAMED))
    ids = await call.database.write(call.scope, lambda work: orders.update(work, targets=targets, changes=changes))
    return await ORDERS.by_ids(call.database, call.scope, ids)


async def delete(call: RestCall[DeleteOrderApiRequest]) -> list[int]:
    targets = call.body.targets
    return await call.database.write(call.scope, lambda work: orders.delete(work, targets=targets))


async def order_ready(call: RestCall[OrderKeyRequest]) -> bytes:
    return await _one(READINESS, call)


async def picking_info(call: RestCall[OrderKeyRequest]) -> bytes:
    return await _one(PICKING, call)


async def start_picking(call: RestCall[OrderKeyRequest]) -> bytes:
    async def start(work: UnitOfWork) -> int:
        return await order_moves.start_picking(work, order_id=await order_id_of(work, call.body))

    await call.database.write(call.scope, start)
    return await _one(PICKING, call)


async def update_status(call: RestCall[UpdateOrderStatusRequest]) -> bytes:
    body = call.body

    async def change(work: UnitOfWork) -> int:
        return await order_moves.change_status(
            work, order_id=body.orderId, status=body.status, awb_external_link=body.awbExternalLink
        )

    return await ORDERS.by_ids(call.database, call.scope, [await call.database.write(call.scope, change)])


async def update_awb_link(call: RestCall[UpdateAwbLinkRequest]) -> bytes:
    async def store(work: UnitOfWork) -> int:
        order_id = await order_id_of(work, call.body)
        return await orders.set_awb_link(work, order_id=order_id, link=call.body.awbExternalLink)

    return await ORDERS.by_ids(call.database, call.scope, [await call.database.write(call.scope, store)])


async def check_waiting(call: RestCall[CheckWaitingOrdersRequest]) -> bytes:
    named = call.body.orderIds or None
    ids = await call.database.write(call.scope, lambda work: supply.recheck(work, order_ids=named))
    return await ORDERS.by_ids(call.database, call.scope, ids)


async def print_document(call: RestCall[PrintDocumentRequest]) -> PrintJobInfo:
    body = call.body

    async def queue(work: UnitOfWork) -> PrintJobInfo:
        order_id = await order_id_of(work, body)
        job_id = await print_jobs.queue(work, order_id=order_id, document_type=body.documentType, copies=body.copies)
        return {"printJobId": job_id, "orderId": order_id, "documentType": body.documentType, "copies": body.copies}

    return await call.database.write(call.scope, queue)


ROUTES: tuple[Route[Any], ...] = (
    Route(
        "POST",
        "/api/order/read",
        "List orders with filters",
        read,
        listing(OrderInfo),
        body=ReadOrdersFilterRequest,
        replaced_by="orders",
        body_optional=True,
    ),
    Route(
        "PUT",
        "/api/order/add",
        "Add an order",
        add,
        listing(OrderInfo),
        level=Level.USER,
        body=CreateOrderApiRequest,
        replaced_by="orderAdd",
        description="Reserves what is free: status 1 without lines, 2 when every line is covered, else 6. With "
        "`validationRequired` 0 a covered order is picked at once (3).",
    ),
    Route(
        "POST",
        "/api/order/update",
        "Update orders",
        update,
        listing(OrderInfo),
        level=Level.USER,
        body=UpdateOrderApiRequest,
        replaced_by="ordersUpdate",
        description="`orderProducts` replaces all lines and reserves again. In the states 3, 4, 5, 7, 8 only comment, "
        "links, numbers of packages and envelopes and thirdPartyReference may change, in 0 nothing (409).",
    ),
    Route(
        "POST",
        "/api/order/order-ready",
        "Check whether an order is ready",
        order_ready,
        one(OrderReadyInfo),
        replaced_by="order",
        body=OrderKeyRequest,
    ),
    Route(
        "DELETE",
        "/api/order/delete",
        "Delete orders",
        delete,
        listing(int),
        level=Level.USER,
        body=DeleteOrderApiRequest,
        replaced_by="ordersDelete",
        description="States 0, 1, 2 and 6 only (else 409); the reservations are released.",
    ),
    Route(
        "PUT",
        "/api/order/print-document",
        "Print a document of an order",
        print_document,
        one(PrintJobInfo),
        level=Level.USER,
        body=PrintDocumentRequest,
        replaced_by="orderPrint",
        description="Queued: the print station of the warehouse takes it from there.",
    ),
    Route(
        "POST",
        "/api/order/picking-info",
        "Picking information",
        picking_info,
        one(PickingInfo),
        replaced_by="order",
        body=OrderKeyRequest,
    ),
    Route(
        "POST",
        "/api/order/start-picking",
        "Start picking",
        start_picking,
        one(PickingInfo),
        replaced_by="orderPickingStart",
        level=Level.USER,
        permission=Permission.PROCESS_OUTBOUND,
        body=OrderKeyRequest,
        description="2 → 7; an order in picking stays as it is; other states 409.",
    ),
    Route(
        "PATCH",
        "/api/order/update-status",
        "Update the status of an order",
        update_status,
        listing(OrderInfo),
        level=Level.USER,
        permission=Permission.PROCESS_OUTBOUND,
        body=UpdateOrderStatusRequest,
        replaced_by="orderStatusUpdate",
        description="A step that the states do not allow is 409; the same status again only stores `awbExternalLink`.",
    ),
    Route(
        "PATCH",
        "/api/order/update-awb-link",
        "Update the external AWB link",
        update_awb_link,
        listing(OrderInfo),
        level=Level.USER,
        body=UpdateAwbLinkRequest,
        replaced_by="orderAwbLinkUpdate",
    ),
    Route(
        "POST",
        "/api/order/check-orders-in-waiting-for-supply",
        "Recheck orders waiting for stock",
        check_waiting,
        listing(OrderInfo),
        level=Level.USER,
        body=CheckWaitingOrdersRequest,
        replaced_by="ordersRecheck",
        body_optional=True,
        description="Oldest order first; answers the orders whose status changed. Without `orderIds` all that wait.",
    ),
)
