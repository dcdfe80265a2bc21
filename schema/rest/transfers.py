"""`/api/transfer`, `/api/transfer-product`: goods moved from location to location."""

from typing import Any, NotRequired, TypedDict

from hub.context import Level, Permission
from hub.services import transfers
from hub.services.transfers import TransferLineDraft
from schema.rest.answers import bare
from schema.rest.requests import Request
from schema.rest.routes import RestCall, Route
from schema.rest.values import Code, Long, Quantity, ShortCode


class ClientBaseResponse(TypedDict):
    """What was done, in words; the ids only where a product was added."""

    message: str
    status: int
    documentId: NotRequired[int]
    transferProductId: NotRequired[int]


class ScanClientRequest(Request):
    documentId: Long | None = None
    productId: Long
    quantity: Quantity
    sourceLocationCode: Code
    destinationLocationCode: Code
    batchCode: ShortCode | None = None
    sn: ShortCode | None = None
    ssccCode: ShortCode | None = None


async def add_transfer_product(call: RestCall[ScanClientRequest]) -> ClientBaseResponse:
    body = call.body
    line = TransferLineDraft(
        transfer_id=body.documentId,
        product_id=body.productId,
        quantity=body.quantity,
        source_location_code=body.sourceLocationCode,
        destination_location_code=body.destinationLocationCode,
        batch_code=body.batchCode,
        serial_number=body.sn,
        sscc=body.ssccCode,
    )
    added = await call.database.write(call.scope, lambda work: transfers.add_line(work, line=line))
    return {
        "message": f"Product added to transfer {added.transfer_id}",
        "status": 200,
        "documentId": added.transfer_id,
        "transferProductId": added.line_id,
    }


async def delete_transfer_product(call: RestCall[None]) -> ClientBaseResponse:
    line_id = call.path["transferProductId"]
    transfer_id = await call.database.write(call.scope, lambda work: transfers.remove_line(work, line_id=line_id))
    return _done(f"Product removed from transfer {transfer_id}")


async def validate_transfer(call: RestCall[None]) -> ClientBaseResponse:
    id_ = call.path["transferId"]
    await call.database.write(call.scope, lambda work: transfers.validate(work, transfer_id=id_))
    return _done(f"Transfer {id_} validated")


async def change_transfer_status(call: RestCall[None]) -> ClientBaseResponse:
    id_, status = call.path["transferId"], call.path["transferStatus"]
    await call.database.write(call.scope, lambda work: transfers.change_status(work, transfer_id=id_, status=status))
    return _done(f"Transfer {id_} has status {status}")


async def delete_transfer(call: RestCall[None]) -> ClientBaseResponse:
    id_ = call.path["transferId"]
    await call.database.write(call.scope, lambda work: transfers.delete(work, transfer_ids=[id_]))
    return _done(f"Transfer {id_} deleted")


def _done(message: str) -> ClientBaseResponse:
    return {"message": message, "status": 200}


RIGHTS: dict[str, Any] = {"level": Level.USER, "permission": Permission.PROCESS_TRANSFERS}
ANSWER = bare(ClientBaseResponse)
ROUTES: tuple[Route[Any], ...] = (
    Route(
        "POST",
        "/api/transfer-product/add-transfer-product",
        "Add a product to a transfer",
        add_transfer_product,
        ANSWER,
        body=ScanClientRequest,
        description="Reserves the goods at the source; without `documentId` a new transfer is opened.",
        replaced_by="transferLineAdd",
        **RIGHTS,
    ),
    Route(
        "DELETE",
        "/api/transfer-product/delete-transfer-product/{transferProductId:long}",
        "Remove a product from a transfer",
        delete_transfer_product,
        ANSWER,
        replaced_by="transferLineDelete",
        **RIGHTS,
    ),
    Route(
        "POST",
        "/api/transfer/validate-transfer/{transferId:long}",
        "Validate a transfer",
        validate_transfer,
        ANSWER,
        description="Moves the goods of all lines; a second validation is a conflict.",
        replaced_by="transferValidate",
        **RIGHTS,
    ),
    Route(
        "POST",
        "/api/transfer/change-transfer-status/{transferId:long}/{transferStatus:status}",
        "Cancel (0) or close (5) a transfer",
        change_transfer_status,
        ANSWER,
        **RIGHTS,
    ),
    Route(
        "DELETE",
        "/api/transfer/delete-transfer/{transferId:long}",
        "Delete a transfer",
        delete_transfer,
        ANSWER,
        replaced_by="transferDelete",
        **RIGHTS,
    ),
)
