"""Live streams over the event log: each event once and in order, resumable after the cursor of the last one seen."""

from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry
from strawberry.scalars import JSON

from hub.context import Scope
from hub.cursors import encode_cursor
from hub.errors import Invalid, NotFound
from hub.events import EventRow, start_positions
from schema.planner.ids import parsed
from schema.reading import read_back
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

After = Annotated[
    str | None,
    strawberry.argument(
        description="Go on after this cursor; without it the stream begins now. "
        "A cursor older than what is kept is refused with the code CURSOR_EXPIRED: read a snapshot then."
    ),
]
Tenants = Annotated[
    list[str] | None,
    strawberry.argument(description="Only these tenants, by slug; all tenants of the caller when absent."),
]
Ids = Annotated[
    list[strawberry.ID] | None,
    strawberry.argument(description="Only these records, by global id; their present state comes first."),
]
SNAPSHOT = "snapshot"
OPEN_STATES = ("QUEUED", "RUNNING")


@dataclass(frozen=True, slots=True)
class Told:
    """An event on its way to a reader, or the present state of a record before the first event."""

    tenant_id: int
    cursor: str
    kind: str
    subject_id: int | None = None
    run_id: int | None = None
    topic: str = ""
    data: Mapping[str, Any] | None = None
    occurred_at: datetime | None = None
    position: int = 0

    @property
    def key(self) -> str:
        """Equal for what is equal to all readers; snapshots are read anew for each."""
        return f"{self.tenant_id}:{self.position}:{self.cursor}" if self.position else f"{id(self)}:{self.cursor}"


def _told(row: EventRow) -> Told:
    return Told(
        tenant_id=row.tenant_id,
        cursor=row.cursor,
        kind=row.kind,
        subject_id=row.subject_id,
        run_id=row.run_id,
        topic=row.topic,
        data=row.data,
        occurred_at=row.occurred_at,
        position=row.position,
    )


async def _record(info: Info, type_name: str, tenant_id: int, id_: int | None) -> Any:
    if id_ is None:
        return None
    return (await read_back(info, type_name, tenant_id, [id_])).get(id_)


@strawberry.type(description="Something that happened.")
class Happening:
    @strawberry.field(description="Resume after this event with `after`.")
    def cursor(self: strawberry.Parent[Told]) -> str:
        return self.cursor

    @strawberry.field(description="What happened: added, updated, moved, deleted, changed … or `snapshot`.")
    def kind(self: strawberry.Parent[Told]) -> str:
        return self.kind

    @strawberry.field(description="When it happened; null for a snapshot.")
    def occurred_at(self: strawberry.Parent[Told]) -> datetime | None:
        return self.occurred_at

    @strawberry.field(description="The tenant it happened in.")
    async def tenant(self: strawberry.Parent[Told], info: Info) -> Tenant:
        return await _record(info, "Tenant", self.tenant_id, self.tenant_id)

    @strawberry.field(description="The record's id within the tenant, also when the record is gone.")
    def internal_id(self: strawberry.Parent[Told]) -> Long | None:
        return None if self.subject_id is None else Long(self.subject_id)

    @strawberry.field(description="Small facts of the event, by name.")
    def data(self: strawberry.Parent[Told]) -> JSON:
        return JSON(dict(self.data or {}))


@strawberry.type(description="A step of the synchronisation, or a record that it took in or changed.")
class SyncEvent(Happening):
    @strawberry.field(description="What it is about: sync, order, nir, return, product, company …")
    def topic(self: strawberry.Parent[Told]) -> str:
        return self.topic

    @strawberry.field(description="The run that did it.")
    async def run(self: strawberry.Parent[Told], info: Info) -> SyncRun | None:
        return await _record(info, "SyncRun", self.tenant_id, self.run_id)

    @strawberry.field(description="The order it is about.")
    async def order(self: strawberry.Parent[Told], info: Info) -> Order | None:
        return await _record(info, "Order", self.tenant_id, self.subject_id if self.topic == "order" else None)


@strawberry.type(description="A change of a synchronisation run.")
class SyncRunChange(Happening):
    @strawberry.field(description="The run as it is now.")
    async def run(self: strawberry.Parent[Told], info: Info) -> SyncRun | None:
        return await _record(info, "SyncRun", self.tenant_id, self.run_id)


@strawberry.type(description="A change of an order.")
class OrderChange(Happening):
    @strawberry.field(description="The order as it is now; null when it is deleted.")
    async def order(self: strawberry.Parent[Told], info: Info) -> Order | None:
        return await _record(info, "Order", self.tenant_id, self.subject_id)


@strawberry.type(description="A change of a product's stock or reservations.")
class StockChange(Happening):
    @strawberry.field(description="The product with its stock as it is now.")
    async def product(self: strawberry.Parent[Told], info: Info) -> Product | None:
        return await _record(info, "Product", self.tenant_id, self.subject_id)


@strawberry.type(description="A notification for the caller or for everybody.")
class NotificationAdded(Happening):
    @strawberry.field(description="The notification.")
    async def notification(self: strawberry.Parent[Told], info: Info) -> Notification | None:
        return await _record(info, "Notification", self.tenant_id, self.subject_id)


@strawberry.type(description="A change of a print job.")
class PrintJobChange(Happening):
    @strawberry.field(description="The print job as it is now.")
    async def print_job(self: strawberry.Parent[Told], info: Info) -> PrintJob | None:
        return await _record(info, "PrintJob", self.tenant_id, self.subject_id)


@strawberry.type(description="Streams over `graphql-transport-ws` or Server-Sent Events.")
class Subscription:
    @strawberry.subscription(
        description="What the synchronisation does: runs, pages, parked records, deliveries, and the records it writes."
    )
    async def sync_events(
        self, info: Info, after: After = None, tenants: Tenants = None
    ) -> AsyncGenerator[SyncEvent, None]:
        scope = await _narrowed(info, tenants)
        async for told in _follow(info, scope, after, None, lambda row: row.topic == "sync" or row.run_id is not None):
            yield told

    @strawberry.subscription(description="One run: its present state, then every change until it is over.")
    async def sync_run(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The run's global id.")]
    ) -> AsyncGenerator[SyncRunChange, None]:
        wanted = parsed(id, expected="SyncRun")
        scope = info.context.scope
        if wanted.tenant_id not in scope.tenants:
            raise NotFound(f"no run {id}", field="id")
        scope = scope.narrow(wanted.tenant_id)
        cursor = await _cursor(info, scope, None)
        yield Told(wanted.tenant_id, cursor, SNAPSHOT, run_id=wanted.id)  # type: ignore[misc]  # resolvers read Told
        if not await _is_open(info, scope, wanted.id):
            return
        async for told in _follow(info, scope, cursor, ("sync",), lambda row: row.run_id == wanted.id):
            yield told
            if told.kind == "run_finished":
                return

    @strawberry.subscription(description="Orders added, changed, moved to another state, deleted.")
    async def order_changes(
        self, info: Info, after: After = None, ids: Ids = None, tenants: Tenants = None
    ) -> AsyncGenerator[OrderChange, None]:
        async for told in _records(info, "Order", ("order",), after, ids, tenants):
            yield told

    @strawberry.subscription(description="Products whose stock or reservations changed.")
    async def stock_changes(
        self, info: Info, after: After = None, ids: Ids = None, tenants: Tenants = None
    ) -> AsyncGenerator[StockChange, None]:
        async for told in _records(info, "Product", ("stock",), after, ids, tenants):
            yield told

    @strawberry.subscription(description="Notifications for the caller, and those for everybody.")
    async def notifications(
        self, info: Info, after: After = None, tenants: Tenants = None
    ) -> AsyncGenerator[NotificationAdded, None]:
        scope = await _narrowed(info, tenants)
        me = scope.actor.id if scope.actor.kind == "user" else None
        async for told in _follow(
            info, scope, after, ("notification",), lambda row: row.data.get("recipientId") in (None, me)
        ):
            yield told

    @strawberry.subscription(description="Print jobs queued, done or failed: what a print station follows.")
    async def print_jobs(
        self, info: Info, after: After = None, tenants: Tenants = None
    ) -> AsyncGenerator[PrintJobChange, None]:
        async for told in _records(info, "PrintJob", ("print_job",), after, None, tenants):
            yield told


async def _follow(
    info: Info,
    scope: Scope,
    after: str | None,
    topics: Collection[str] | None,
    wanted: Callable[[EventRow], bool],
) -> AsyncGenerator[Any, None]:
    feed = info.context.services.feed
    async with aclosing(feed.follow(scope, after=after, topics=topics)) as batches:  # type: ignore[type-var]
        async for rows in batches:
            for row in rows:
                if wanted(row):
                    yield _told(row)


async def _records(
    info: Info,
    type_name: str,
    topics: Collection[str],
    after: str | None,
    ids: Sequence[str] | None,
    tenants: Sequence[str] | None,
) -> AsyncGenerator[Any, None]:
    """The present state of the records asked for by id, then the events about them, or about all when none is named."""
    scope = await _narrowed(info, tenants)
    chosen = None if ids is None else {(p.tenant_id, p.id) for p in (parsed(i, expected=type_name) for i in ids)}
    if chosen:
        after = await _cursor(info, scope, after)
    for tenant_id, id_ in sorted(chosen or ()):
        if tenant_id not in scope.tenants:
            raise NotFound(f"no {type_name}:{tenant_id}:{id_}", field="ids")
        yield Told(tenant_id, after or "", SNAPSHOT, subject_id=id_)
    async for told in _follow(
        info, scope, after, topics, lambda row: chosen is None or (row.tenant_id, row.subject_id) in chosen
    ):
        yield told


async def _cursor(info: Info, scope: Scope, after: str | None) -> str:
    """Where the stream begins; taken before the snapshot is read, so that nothing falls between the two."""
    async with info.context.database.reading(scope) as connection:
        return encode_cursor(await start_positions(connection, scope, after))


async def _is_open(info: Info, scope: Scope, run_id: int) -> bool:
    async with info.context.database.reading(scope) as connection:
        state = await connection.fetchval(
            "SELECT state FROM sync_runs WHERE tenant_id = $1 AND id = $2", scope.tenant_id, run_id
        )
    return state in OPEN_STATES


async def _narrowed(info: Info, slugs: Sequence[str] | None) -> Scope:
    scope = info.context.scope
    if slugs is None:
        return scope
    async with info.context.database.reading(scope) as connection:
        rows = await connection.fetch("SELECT id, slug FROM tenants WHERE slug = ANY ($1)", list(slugs))
    unknown = set(slugs) - {row["slug"] for row in rows}
    if unknown or not rows:
        raise Invalid(f"{', '.join(sorted(unknown)) or 'none'}: none of your tenants", field="tenants")
    grants = {row["id"]: scope.tenants[row["id"]] for row in rows}
    return Scope(grants, scope.actor, scope.operator, scope.session, credential_version=scope.credential_version)
