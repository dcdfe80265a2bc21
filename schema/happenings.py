"""What subscribers are told: an event of the log, or the present state of a record, and the records behind it."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import strawberry
from strawberry.scalars import JSON

from hub.events import EventRow
from schema.planner.nodes import read_nodes
from schema.scalars import Long
from schema.writing import Info

if TYPE_CHECKING:
    from schema.notifications import Notification
    from schema.orders import Order
    from schema.print_jobs import PrintJob
    from schema.products import Product
    from schema.syncs import SyncRun
    from schema.tenants import Tenant
else:
    Notification = Annotated["Notification", strawberry.lazy("schema.notifications")]
    Order = Annotated["Order", strawberry.lazy("schema.orders")]
    PrintJob = Annotated["PrintJob", strawberry.lazy("schema.print_jobs")]
    Product = Annotated["Product", strawberry.lazy("schema.products")]
    SyncRun = Annotated["SyncRun", strawberry.lazy("schema.syncs")]
    Tenant = Annotated["Tenant", strawberry.lazy("schema.tenants")]

SNAPSHOT = "snapshot"


def _part(description: str) -> Any:
    return strawberry.field(description=description)


@strawberry.type(description="Something that happened.")
class Happening:
    cursor: str = _part("Resume after this event with `after`.")
    kind: str = _part("What happened: added, updated, moved, deleted, changed … or `snapshot`.")
    occurred_at: datetime | None = _part("When it happened; null for a snapshot.")
    internal_id: Long | None = _part("The record's id within the tenant, also when the record is gone.")
    data: JSON = _part("Small facts of the event, by name.")
    tenant_id: strawberry.Private[int]
    run_id: strawberry.Private[int | None]
    topic_name: strawberry.Private[str]
    position: strawberry.Private[int]

    @strawberry.field(description="The tenant it happened in.")
    async def tenant(self, info: Info) -> Tenant:
        return await _record(info, "Tenant", self.tenant_id, self.tenant_id)

    @property
    def key(self) -> str | None:
        """Equal for what is equal to all readers; None for a snapshot, which is read anew for each."""
        return f"{self.tenant_id}:{self.position}:{self.cursor}" if self.position else None


H = TypeVar("H", bound=Happening)


def happened(made: type[H], row: EventRow) -> H:
    return made(
        cursor=row.cursor,
        kind=row.kind,
        occurred_at=row.occurred_at,
        internal_id=None if row.subject_id is None else Long(row.subject_id),
        data=JSON(dict(row.data)),
        tenant_id=row.tenant_id,
        run_id=row.run_id,
        topic_name=row.topic,
        position=row.position,
    )


def snapshot(made: type[H], tenant_id: int, cursor: str, *, id_: int | None = None, run_id: int | None = None) -> H:
    """The present state of a record, before the first event."""
    return made(
        cursor=cursor,
        kind=SNAPSHOT,
        occurred_at=None,
        internal_id=None if id_ is None else Long(id_),
        data=JSON({}),
        tenant_id=tenant_id,
        run_id=run_id,
        topic_name="",
        position=0,
    )


async def _record(info: Info, type_name: str, tenant_id: int, id_: int | None) -> Any:
    if id_ is None:
        return None
    return (await read_nodes(info, type_name, tenant_id, [id_])).get(id_)


@strawberry.type(description="A step of the synchronisation, or a record that it took in or changed.")
class SyncEvent(Happening):
    @strawberry.field(description="What it is about: sync, order, nir, return, product, company …")
    def topic(self) -> str:
        return self.topic_name

    @strawberry.field(description="The run that did it.")
    async def run(self, info: Info) -> SyncRun | None:
        return await _record(info, "SyncRun", self.tenant_id, self.run_id)

    @strawberry.field(description="The order it is about.")
    async def order(self, info: Info) -> Order | None:
        return await _record(info, "Order", self.tenant_id, self.internal_id if self.topic_name == "order" else None)


@strawberry.type(description="A change of a synchronisation run.")
class SyncRunChange(Happening):
    @strawberry.field(description="The run as it is now.")
    async def run(self, info: Info) -> SyncRun | None:
        return await _record(info, "SyncRun", self.tenant_id, self.run_id)


@strawberry.type(description="A change of an order.")
class OrderChange(Happening):
    @strawberry.field(description="The order as it is now; null when it is deleted.")
    async def order(self, info: Info) -> Order | None:
        return await _record(info, "Order", self.tenant_id, self.internal_id)


@strawberry.type(description="A change of a product's stock or reservations.")
class StockChange(Happening):
    @strawberry.field(description="The product with its stock as it is now.")
    async def product(self, info: Info) -> Product | None:
        return await _record(info, "Product", self.tenant_id, self.internal_id)


@strawberry.type(description="A notification for the caller or for everybody.")
class NotificationAdded(Happening):
    @strawberry.field(description="The notification.")
    async def notification(self, info: Info) -> Notification | None:
        return await _record(info, "Notification", self.tenant_id, self.internal_id)


@strawberry.type(description="A change of a print job.")
class PrintJobChange(Happening):
    @strawberry.field(description="The print job as it is now.")
    async def print_job(self, info: Info) -> PrintJob | None:
        return await _record(info, "PrintJob", self.tenant_id, self.internal_id)
