"""Shipments of orders, taken in under their external references."""

from datetime import datetime
from decimal import Decimal

import strawberry
from strawberry import UNSET

from hub.services import shipments
from hub.services.shipments import ShipmentDraft
from schema.answers import Deleted, Json, Record, answer_by_row
from schema.inputs import about, inputs
from schema.mutations.rows import delete_rows, ids_in
from schema.shipments import Shipment
from schema.writing import USER, BulkChange, Call, mutation

SHIPMENTS = answer_by_row("ShipmentsPayload", "ShipmentsRow", shipment=Record("Shipment", "The shipment as it is now."))
SHIPMENTS_DELETED = answer_by_row(
    "ShipmentsDeletePayload",
    "ShipmentsDeleteRow",
    deleted_id=Deleted("Shipment", "The id of the shipment that is gone."),
)


@inputs(like=Shipment)
class ShipmentInput:
    """A shipment, known by its external reference; the order by id, by the number the buyer sees, or by both."""

    external_reference: str
    order_id: strawberry.ID | None = about("The order it serves, by its global id.", default=UNSET, of="Order")
    external_order_id: str | None = about("The order it serves, by the number the buyer sees.", default=UNSET)
    carrier: str | None = UNSET
    tracking_number: str | None = UNSET
    tracking_link: str | None = UNSET
    parcels: int | None = UNSET
    weight: Decimal | None = UNSET
    shipped_at: datetime | None = UNSET


@inputs(one_of=True, like=Shipment)
class ShipmentKey:
    """Names one shipment by one of its keys."""

    id: strawberry.ID | None = about(default=UNSET, of="Shipment")
    external_reference: str | None = UNSET


@inputs()
class ShipmentsUpsertInput(BulkChange):
    """Shipments to be added or changed."""

    shipments: list[ShipmentInput] = about("1 to 250 shipments.")


@inputs()
class ShipmentsDeleteInput(BulkChange):
    """Shipments to be deleted."""

    shipments: list[ShipmentKey] = about("1 to 250 shipments.")


@mutation(SHIPMENTS, needs=USER)
async def shipments_upsert(call: Call, input: ShipmentsUpsertInput) -> Json:
    """Adds the shipments whose external reference is new and changes the others."""
    return await call.each(
        "shipments",
        input.shipments,
        lambda row: ShipmentDraft(**call.filled(row)),
        lambda drafts: shipments.upsert(call.work, shipments=drafts, on_error="skip"),
    )


@mutation(SHIPMENTS_DELETED, needs=USER)
async def shipments_delete(call: Call, input: ShipmentsDeleteInput) -> Json:
    """Deletes shipments."""
    return await delete_rows(call, "shipments", input.shipments, ids_in(shipments.SHIPMENTS), shipments.delete)
