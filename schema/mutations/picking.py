"""The way of an order through the warehouse: picking, validation with what was found, the other steps."""

from decimal import Decimal

import strawberry
from strawberry import UNSET

from hub.context import Permission
from hub.services import order_moves, order_validation
from hub.services.order_validation import PickDraft
from hub.statuses import Status
from schema.answers import Json
from schema.inputs import about, inputs
from schema.mutations.orders import ORDER, OrderKey, order_id_of
from schema.orders import Order
from schema.writing import USER, Call, Change, mutation, user_with

OUTBOUND = user_with(Permission.PROCESS_OUTBOUND)


@inputs()
class OrderMoveInput(Change):
    """An order that takes a step."""

    order: OrderKey = about("Which order.", called="orderId")


@inputs()
class OrderStatusInput(Change):
    """An order and the state it shall have."""

    order: OrderKey = about("Which order.", called="orderId")
    status: Status = about("The new state; the one it has already is no change.")
    awb_external_link: str | None = about("The address of the air waybill, stored as well.", default=UNSET)


@inputs()
class OrderPickInput:
    """What was picked for one line; what is not said is taken from what was reserved for it."""

    line_id: strawberry.ID = about("The line.", of="OrderLine")
    quantity: Decimal = about("How much; more than 0, at most what was ordered.")
    location_code: str | None = about("From which location.", default=UNSET)
    batch_code: str | None = about("Of which batch.", default=UNSET)
    serial_numbers: list[str] | None = about("Which pieces; as many as the quantity.", default=UNSET)
    sscc: str | None = about("Out of which logistic unit (SSCC).", default=UNSET)


@inputs(like=Order)
class OrderValidateInput(Change):
    """The end of the picking of an order."""

    order: OrderKey = about("Which order.", called="orderId")
    picks: list[OrderPickInput] | None = about("What was picked; absent: everything that was reserved.", default=UNSET)
    number_of_packages: int | None = UNSET
    number_of_envelopes: int | None = UNSET


@mutation(ORDER, needs=OUTBOUND)
async def order_picking_start(call: Call, input: OrderMoveInput) -> Json:
    """Begins to pick an ACTIVE order; one that is in picking stays with its picker."""
    order_id = await order_id_of(call, input.order)
    return {"order": await order_moves.start_picking(call.work, order_id=order_id)}


@mutation(ORDER, needs=OUTBOUND)
async def order_validate(call: Call, input: OrderValidateInput) -> Json:
    """Books out what was picked and releases the rest: VALIDATED when that is everything, else with differences."""
    order_id = await order_id_of(call, input.order)
    given = call.filled(input, "order")
    picks = given.pop("picks", None)
    if picks is not None:
        picks = [PickDraft(**pick | {"serial_numbers": tuple(pick.get("serial_numbers", ()))}) for pick in picks]
    return {"order": await order_validation.validate(call.work, order_id=order_id, picks=picks, **given)}


@mutation(ORDER, needs=OUTBOUND)
async def order_status_update(call: Call, input: OrderStatusInput) -> Json:
    """Moves an order to another state, with all that this entails for stock and reservations."""
    order_id = await order_id_of(call, input.order)
    moved = order_moves.change_status(call.work, order_id=order_id, **call.filled(input, "order"))
    return {"order": await moved}


@mutation(ORDER, needs=USER)
async def order_cancel(call: Call, input: OrderMoveInput) -> Json:
    """Cancels an order that is not picked yet; what was reserved for it is free again."""
    return {"order": await order_moves.cancel(call.work, order_id=await order_id_of(call, input.order))}
