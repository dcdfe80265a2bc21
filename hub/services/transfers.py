"""Transfers: goods promised at one location and moved to another when the document is validated."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy import delete as delete_rows
from sqlalchemy import func, insert, select, update
from sqlmodel import col

from hub.context import Level, Permission
from hub.db import UnitOfWork
from hub.errors import Conflict, Invalid, NotFound
from hub.models.movements import Transfer, TransferLine
from hub.models.stock import Batch
from hub.queries.conditions import among
from hub.queries.places import Place, find_places
from hub.queries.stock import Need
from hub.queries.traceability import find_demands
from hub.services import document_changes, values
from hub.services.document_changes import step
from hub.services.nomenclature import ids_by
from hub.services.products import PRODUCTS
from hub.services.reservations import Holder, release, reserve
from hub.services.stock import Movement, apply
from hub.statuses import DELETABLE, EDITABLE, TRANSFER, Status, move

KIND = "transfer"
BY_HAND = {Status.IN_PROGRESS: Status.CANCELED, Status.ACTIVE: Status.CANCELED, Status.VALIDATED: Status.CLOSED}
"""The steps that a caller may ask for by their status; the others follow from lines and validation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferLineDraft:
    """Goods to move; without `transfer_id` a new transfer is opened."""

    product_id: int
    quantity: Decimal
    source_location_code: str
    destination_location_code: str
    transfer_id: int | None = None
    batch_code: str | None = None
    serial_number: str | None = None
    sscc: str | None = None


@dataclass(frozen=True, slots=True)
class AddedLine:
    transfer_id: int
    line_id: int


async def add_line(work: UnitOfWork, *, line: TransferLineDraft) -> AddedLine:
    """Add a line and reserve its goods at the source; `Conflict` when too little is free there."""
    work.scope.require(Level.USER, Permission.PROCESS_TRANSFERS)
    _check(line)
    await _check_product(work, line)
    source = await _place(work, line.source_location_code, "sourceLocationCode")
    destination = await _place(work, line.destination_location_code, "destinationLocationCode")
    opened = line.transfer_id is None
    transfer_id = await _open(work) if line.transfer_id is None else line.transfer_id
    status = await _lock(work, transfer_id, field="documentId")
    _require_editable(transfer_id, status)
    line_id = await _insert_line(work, transfer_id, line, source, destination)
    await reserve(work, Holder.TRANSFER, [await _need(work, line, line_id, source)])
    await _move(work, transfer_id, None if opened else status, Status.ACTIVE)
    return AddedLine(transfer_id, line_id)


async def remove_line(work: UnitOfWork, *, line_id: int) -> int:
    """Remove a line and release its goods; returns the transfer's id."""
    work.scope.require(Level.USER, Permission.PROCESS_TRANSFERS)
    mine = (col(TransferLine.tenant_id) == work.tenant_id, col(TransferLine.id) == line_id)
    transfer_id = await work.session.scalar(select(col(TransferLine.transfer_id)).where(*mine))
    if transfer_id is None:
        raise NotFound(f"{line_id} does not exist", field="transferProductId")
    status = await _lock(work, transfer_id)
    _require_editable(transfer_id, status)
    await release(work, Holder.TRANSFER, [line_id])
    gone = await work.session.execute(delete_rows(TransferLine).where(*mine).returning(col(TransferLine.id)))
    if gone.first() is None:
        raise NotFound(f"{line_id} does not exist", field="transferProductId")
    await _move(work, transfer_id, status, Status.ACTIVE if await _lines(work, [transfer_id]) else Status.IN_PROGRESS)
    return transfer_id


async def validate(work: UnitOfWork, *, transfer_id: int) -> None:
    """Move the goods of all lines; batch, dates, serial number, SSCC and age stay what they are."""
    work.scope.require(Level.USER, Permission.PROCESS_TRANSFERS)
    status = await _lock(work, transfer_id)
    if status is not Status.ACTIVE:
        raise Conflict(
            f"transfer {transfer_id} is {status.name} ({status:d}), only an ACTIVE (2) one can be validated",
            field="status",
        )
    lines = await _lines(work, [transfer_id])
    promised = await release(work, Holder.TRANSFER, list(lines))
    movements = []
    for part in promised:
        for location_id, quantity in ((part.location_id, -part.quantity), (lines[part.line_id], part.quantity)):
            movements.append(
                Movement(
                    product_id=part.product_id,
                    location_id=location_id,
                    quantity=quantity,
                    document_kind=KIND,
                    document_id=transfer_id,
                    line_id=part.line_id,
                    batch_id=part.batch_id,
                    serial_number=part.serial_number,
                    sscc=part.sscc,
                    received_at=part.received_at,
                )
            )
    await apply(work, movements)
    await _move(work, transfer_id, status, Status.VALIDATED)


async def change_status(work: UnitOfWork, *, transfer_id: int, status: int) -> None:
    """Cancel (0) or close (5); the status it has already is no change, any other is a `Conflict`."""
    work.scope.require(Level.USER, Permission.PROCESS_TRANSFERS)
    if status not in set(Status):
        raise Invalid("must be a status from 0 to 8", field="transferStatus")
    before = await _lock(work, transfer_id)
    if before == status:
        return
    if BY_HAND.get(before) != status:
        raise Conflict(
            f"transfer {transfer_id} cannot go from {before.name} ({before:d}) to {Status(status).name} ({status})",
            field="transferStatus",
        )
    if status == Status.CANCELED:
        await release(work, Holder.TRANSFER, list(await _lines(work, [transfer_id])))
    await _move(work, transfer_id, before, Status(status))


async def delete(work: UnitOfWork, *, transfer_ids: Collection[int]) -> list[int]:
    """Delete transfers that moved nothing yet, and release their goods; all of them or none."""
    work.scope.require(Level.USER, Permission.PROCESS_TRANSFERS)
    ids = sorted(set(transfer_ids))
    statuses = {id_: await _lock(work, id_) for id_ in ids}
    for id_, status in statuses.items():
        if status not in DELETABLE:
            raise Conflict(f"transfer {id_} is {status.name} ({status:d}) and cannot be deleted", field="status")
    await release(work, Holder.TRANSFER, list(await _lines(work, ids)))
    tenant_id = work.tenant_id
    for statement in (
        delete_rows(TransferLine).where(
            col(TransferLine.tenant_id) == tenant_id, among(col(TransferLine.transfer_id), ids)
        ),
        delete_rows(Transfer).where(col(Transfer.tenant_id) == tenant_id, among(col(Transfer.id), ids)),
    ):
        await work.session.execute(statement)
    document_changes.deleted(work, kind=KIND, ids=ids)
    return ids


def _check(line: TransferLineDraft) -> None:
    values.decimal(line.quantity, field="quantity", above=Decimal(0))
    for value, field in ((line.batch_code, "batchCode"), (line.serial_number, "sn"), (line.sscc, "ssccCode")):
        if value is not None:
            values.text(value, field=field, longest=64)
    if line.source_location_code == line.destination_location_code:
        raise Invalid("must differ from sourceLocationCode", field="destinationLocationCode")
    if line.serial_number is not None and line.quantity != 1:
        raise Invalid("must be 1 for a serial number", field="quantity")


async def _check_product(work: UnitOfWork, line: TransferLineDraft) -> None:
    if not await ids_by(work, PRODUCTS, "id", [line.product_id]):
        raise NotFound(f"product {line.product_id} does not exist", field="productId")
    demands = (await find_demands(work.session, work.tenant_id, [line.product_id]))[line.product_id]
    if demands.serial_number and line.quantity != line.quantity.to_integral_value():
        raise Invalid(f"product {demands.code} has serial numbers: must be a whole number", field="quantity")


async def _place(work: UnitOfWork, code: str, field: str) -> Place:
    found = await find_places(work.session, work.tenant_id, [code])
    if code not in found:
        raise NotFound(f"location {code} does not exist", field=field)
    return found[code]


async def _open(work: UnitOfWork) -> int:
    id_ = await work.next_id("transfer")
    row = {"tenant_id": work.tenant_id, "id": id_, "created_by": work.scope.actor.name}
    await work.session.execute(insert(Transfer), [row | {"status": int(Status.IN_PROGRESS)}])
    return id_


async def _lock(work: UnitOfWork, transfer_id: int, *, field: str = "transferId") -> Status:
    status = await work.session.scalar(
        select(col(Transfer.status))
        .where(col(Transfer.tenant_id) == work.tenant_id, col(Transfer.id) == transfer_id)
        .with_for_update()
    )
    if status is None:
        raise NotFound(f"transfer {transfer_id} does not exist", field=field)
    return Status(status)


def _require_editable(transfer_id: int, status: Status) -> None:
    if status not in EDITABLE:
        raise Conflict(f"transfer {transfer_id} is {status.name} ({status:d}) and cannot be edited", field="status")


async def _lines(work: UnitOfWork, transfer_ids: Collection[int]) -> dict[int, int]:
    """Line → destination."""
    found = await work.session.execute(
        select(col(TransferLine.id), col(TransferLine.destination_location_id)).where(
            col(TransferLine.tenant_id) == work.tenant_id, among(col(TransferLine.transfer_id), transfer_ids)
        )
    )
    return {row.id: row.destination_location_id for row in found}


async def _insert_line(
    work: UnitOfWork, transfer_id: int, line: TransferLineDraft, source: Place, destination: Place
) -> int:
    id_ = await work.next_id("transfer_line")
    row = {
        "tenant_id": work.tenant_id,
        "id": id_,
        "transfer_id": transfer_id,
        "product_id": line.product_id,
        "quantity": line.quantity,
        "source_location_id": source.id,
        "destination_location_id": destination.id,
        "batch_code": line.batch_code,
        "serial_number": line.serial_number,
        "sscc": line.sscc,
    }
    await work.session.execute(insert(TransferLine), [row])
    return id_


async def _need(work: UnitOfWork, line: TransferLineDraft, line_id: int, source: Place) -> Need:
    return Need(
        product_id=line.product_id,
        warehouse_id=source.warehouse_id,
        quantity=line.quantity,
        line_id=line_id,
        location_id=source.id,
        batch_id=await _batch(work, line) if line.batch_code is not None else None,
        serial_number=line.serial_number,
        sscc=line.sscc,
    )


async def _batch(work: UnitOfWork, line: TransferLineDraft) -> int:
    id_ = await work.session.scalar(
        select(col(Batch.id)).where(
            col(Batch.tenant_id) == work.tenant_id,
            col(Batch.product_id) == line.product_id,
            col(Batch.code) == line.batch_code,
        )
    )
    if id_ is None:
        raise Conflict(f"nothing of batch {line.batch_code} is in stock", field="batchCode")
    return id_


async def _move(work: UnitOfWork, transfer_id: int, before: Status | None, after: Status) -> None:
    if before is not None:
        move(TRANSFER, before, after, document=f"transfer {transfer_id}")
    changes: dict[str, object] = {"status": int(after), "updated_at": func.now()}
    if after is Status.VALIDATED:
        changes |= {"validated_at": datetime.now(UTC), "validated_by": work.scope.actor.name}
    await work.session.execute(
        update(Transfer)
        .where(col(Transfer.tenant_id) == work.tenant_id, col(Transfer.id) == transfer_id)
        .values(changes)
    )
    await document_changes.record(work, kind=KIND, steps=[step(transfer_id, before, after)])
    if before == after:
        document_changes.updated(work, kind=KIND, ids=[transfer_id])
