"""Transfers: lines added and removed, the goods moved, the document cancelled, closed, deleted."""

from decimal import Decimal

import strawberry
from strawberry import UNSET

from hub.context import Permission
from hub.services import transfers
from hub.services.transfers import TransferLineDraft
from hub.statuses import Status
from schema.answers import Deleted, Json, Record, answer
from schema.inputs import about, inputs
from schema.writing import Call, Change, mutation, user_with

TRANSFERS = user_with(Permission.PROCESS_TRANSFERS)
NOW = Record("Transfer", "The transfer as it is now.")
TRANSFER = answer("TransferPayload", transfer=NOW)
TRANSFER_DELETED = answer(
    "TransferDeletePayload", deleted_id=Deleted("Transfer", "The id of the transfer that is gone.")
)
LINE = answer("TransferLinePayload", transfer=NOW, line=Record("TransferLine", "The line that was added."))
LINE_DELETED = answer(
    "TransferLineDeletePayload", transfer=NOW, deleted_id=Deleted("TransferLine", "The id of the line that is gone.")
)


@inputs()
class TransferLineAddInput(Change):
    """Goods to be moved from one location to another."""

    transfer_id: strawberry.ID | None = about(
        "The transfer; a new one is opened when absent.", default=UNSET, of="Transfer", called="documentId"
    )
    product_id: strawberry.ID = about("What is moved.", of="Product")
    quantity: Decimal = about("How much; more than 0, and 1 for a serial number.")
    source_location_code: str = about("From where.")
    destination_location_code: str = about("To where; another location.")
    batch_code: str | None = about("Of which batch.", default=UNSET)
    serial_number: str | None = about("Which piece.", default=UNSET, called="sn")
    sscc: str | None = about("Out of which logistic unit (SSCC).", default=UNSET, called="ssccCode")


@inputs()
class TransferLineDeleteInput(Change):
    """A line to be removed."""

    id: strawberry.ID = about("The line.", of="TransferLine", called="transferProductId")


@inputs()
class TransferTargetInput(Change):
    """A transfer that takes a step."""

    id: strawberry.ID = about("The transfer.", of="Transfer", called="transferId")


@mutation(LINE, needs=TRANSFERS)
async def transfer_line_add(call: Call, input: TransferLineAddInput) -> Json:
    """Adds a line and reserves its goods at the source; opens a transfer when none is named."""
    added = await transfers.add_line(call.work, line=TransferLineDraft(**call.filled(input)))
    return {"transfer": added.transfer_id, "line": added.line_id}


@mutation(LINE_DELETED, needs=TRANSFERS)
async def transfer_line_delete(call: Call, input: TransferLineDeleteInput) -> Json:
    """Removes a line; its goods are free again."""
    line_id = call.values(input)["id"]
    return {"transfer": await transfers.remove_line(call.work, line_id=line_id), "deleted_id": line_id}


@mutation(TRANSFER, needs=TRANSFERS)
async def transfer_validate(call: Call, input: TransferTargetInput) -> Json:
    """Moves the goods of all lines, once; batch, dates, serial numbers and SSCC stay what they are."""
    transfer_id = call.values(input)["id"]
    await transfers.validate(call.work, transfer_id=transfer_id)
    return {"transfer": transfer_id}


@mutation(TRANSFER, needs=TRANSFERS)
async def transfer_cancel(call: Call, input: TransferTargetInput) -> Json:
    """Cancels a transfer that moved nothing yet; its goods are free again."""
    transfer_id = call.values(input)["id"]
    await transfers.change_status(call.work, transfer_id=transfer_id, status=Status.CANCELED)
    return {"transfer": transfer_id}


@mutation(TRANSFER, needs=TRANSFERS)
async def transfer_close(call: Call, input: TransferTargetInput) -> Json:
    """Closes a validated transfer."""
    transfer_id = call.values(input)["id"]
    await transfers.change_status(call.work, transfer_id=transfer_id, status=Status.CLOSED)
    return {"transfer": transfer_id}


@mutation(TRANSFER_DELETED, needs=TRANSFERS)
async def transfer_delete(call: Call, input: TransferTargetInput) -> Json:
    """Deletes a transfer that moved nothing yet; its goods are free again."""
    [transfer_id] = await transfers.delete(call.work, transfer_ids=[call.values(input)["id"]])
    return {"deleted_id": transfer_id}
