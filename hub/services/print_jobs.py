"""Print jobs: documents waiting for the print station of the warehouse, and what became of them."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlmodel import col

from hub.context import Level
from hub.db import UnitOfWork
from hub.errors import Conflict, Invalid, NotFound
from hub.models.orders import Order, PrintJob
from hub.services import values

DOCUMENT_TYPES = ("NOTICE", "AWB", "LABEL")
COPIES = range(1, 101)


async def queue(work: UnitOfWork, *, order_id: int, document_type: str = "NOTICE", copies: int = 1) -> int:
    """Have a document of an order printed; returns the print job's id."""
    work.scope.require(Level.USER)
    if document_type not in DOCUMENT_TYPES:
        raise Invalid(f"must be one of {', '.join(DOCUMENT_TYPES)}", field="documentType")
    if copies not in COPIES:
        raise Invalid("must be from 1 to 100", field="copies")
    known = select(col(Order.id)).where(col(Order.tenant_id) == work.tenant_id, col(Order.id) == order_id)
    if await work.session.scalar(known) is None:
        raise NotFound(f"order {order_id} does not exist", field="orderId")
    id_ = await work.next_id("print_job")
    row = {"tenant_id": work.tenant_id, "id": id_, "order_id": order_id, "document_type": document_type}
    origin = {"copies": copies, "state": "QUEUED", "requested_by": work.scope.actor.name, "settings": {}}
    await work.session.execute(insert(PrintJob), [row | origin])
    work.emit("print_job", "queued", subject_id=id_, orderId=order_id, documentType=document_type)
    return id_


async def done(work: UnitOfWork, *, print_job_id: int) -> None:
    """The print station has printed it; telling it twice is no change."""
    await _finish(work, print_job_id, {"state": "DONE", "message": None})


async def failed(work: UnitOfWork, *, print_job_id: int, message: str) -> None:
    """The print station could not print it, and why."""
    values.text(message, field="message", longest=4000)
    await _finish(work, print_job_id, {"state": "FAILED", "message": message})


async def _finish(work: UnitOfWork, print_job_id: int, outcome: Mapping[str, Any]) -> None:
    work.scope.require(Level.USER)
    mine = (col(PrintJob.tenant_id) == work.tenant_id, col(PrintJob.id) == print_job_id)
    before = await work.session.scalar(select(col(PrintJob.state)).where(*mine).with_for_update())
    if before is None:
        raise NotFound(f"print job {print_job_id} does not exist", field="printJobId")
    if before == outcome["state"]:
        return
    if before != "QUEUED":
        raise Conflict(f"print job {print_job_id} is {before} already", field="state")
    await work.session.execute(update(PrintJob).where(*mine).values(dict(outcome) | {"updated_at": func.now()}))
    work.emit("print_job", str(outcome["state"]).lower(), subject_id=print_job_id)
