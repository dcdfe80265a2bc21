"""Scans: what was counted or picked at the validation of a document, one row for each movement of goods."""

from collections.abc import Sequence

from sqlalchemy import insert

from hub.db import UnitOfWork
from hub.models.stock import Scan
from hub.services.stock import Movement


async def record(work: UnitOfWork, movements: Sequence[Movement]) -> None:
    """Remember goods that came or went, and who scanned them."""
    if not movements:
        return
    actor = work.scope.actor
    ids = await work.next_ids("scan", len(movements))
    rows = [
        {
            "tenant_id": work.tenant_id,
            "id": id_,
            "document_kind": movement.document_kind,
            "document_id": movement.document_id,
            "line_id": movement.line_id,
            "product_id": movement.product_id,
            "location_id": movement.location_id,
            "batch_id": movement.batch_id,
            "serial_number": movement.serial_number,
            "sscc": movement.sscc,
            "quantity": abs(movement.quantity),
            "user_id": actor.id if actor.kind == "user" else None,
            "username": actor.name,
        }
        for id_, movement in zip(ids, movements, strict=True)
    ]
    await work.session.execute(insert(Scan), rows)
