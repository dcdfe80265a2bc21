"""Live streams over the event log: each event once and in order, resumable after the cursor of the last one seen."""

from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

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
    from schema.orders import Order, PrintJob
    from schema.products import Product
    from schema.syncs import SyncRun
    from schema.tenants import Tenant
else:
    Notification = Annotated["Notification", strawberry.lazy("schema.notifications")]
    Order = Annotated["Order", strawberry.lazy("schema.orders")]
    PrintJob = Annotated["PrintJob", strawberry.lazy("schema.orders")]
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
    def key(self) -> str:
        """Equal for what is equal to all readers; a snapshot is read anew for each."""
        return f"{self.tenant_id}:{self.position}:{self.cursor}" if self.position else f"{id(self)}:{self.cursor}"


H = TypeVar("H", bound=Happening)


def _happened(made: type[H], row: EventRow) -> H:
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


def _snapshot(made: type[H], tenant_id: int, cursor: str, *, id_: int | None = None, run_id: int | None = None) -> H:
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
    return (await read_back(info, type_name, tenant_id, [id_])).get(id_)


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


@strawberry.type(description="Streams over `graphql-transport-ws` or Server-Sent Events.")
class Subscription:
    @strawberry.subscription(
        description="What the synchronisation does: runs, pages, parked records, deliveries, and the records it writes."
    )
    async def sync_events(
        self, info: Info, after: After = None, tenants: Tenants = None
    ) -> AsyncGenerator[SyncEvent, None]:
        scope = await _narrowed(info, tenants)

        def wanted(row: EventRow) -> bool:
            return row.topic == "sync" or row.run_id is not None

        async for told in _follow(SyncEvent, info, scope, after, None, wanted):
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
        yield _snapshot(SyncRunChange, wanted.tenant_id, cursor, run_id=wanted.id)
        if not await _is_open(info, scope, wanted.id):
            return
        async for told in _follow(SyncRunChange, info, scope, cursor, ("sync",), lambda row: row.run_id == wanted.id):
            yield told
            if told.kind == "run_finished":
                return

    @strawberry.subscription(description="Orders added, changed, moved to another state, deleted.")
    async def order_changes(
        self, info: Info, after: After = None, ids: Ids = None, tenants: Tenants = None
    ) -> AsyncGenerator[OrderChange, None]:
        async for told in _records(OrderChange, info, "Order", ("order",), after, ids, tenants):
            yield told

    @strawberry.subscription(description="Products whose stock or reservations changed.")
    async def stock_changes(
        self, info: Info, after: After = None, ids: Ids = None, tenants: Tenants = None
    ) -> AsyncGenerator[StockChange, None]:
        async for told in _records(StockChange, info, "Product", ("stock",), after, ids, tenants):
            yield told

    @strawberry.subscription(description="Notifications for the caller, and those for everybody.")
    async def notifications(
        self, info: Info, after: After = None, tenants: Tenants = None
    ) -> AsyncGenerator[NotificationAdded, None]:
        scope = await _narrowed(info, tenants)
        me = scope.actor.id if scope.actor.kind == "user" else None
        async for told in _follow(
            NotificationAdded,
            info,
            scope,
            after,
            ("notification",),
            lambda row: row.data.get("recipientId") in (None, me),
        ):
            yield told

    @strawberry.subscription(description="Print jobs queued, done or failed: what a print station follows.")
    async def print_jobs(
        self, info: Info, after: After = None, tenants: Tenants = None
    ) -> AsyncGenerator[PrintJobChange, None]:
        async for told in _records(PrintJobChange, info, "PrintJob", ("print_job",), after, None, tenants):
            yield told


async def _follow(
    made: type[H],
    info: Info,
    scope: Scope,
    after: str | None,
    topics: Collection[str] | None,
    wanted: Callable[[EventRow], bool],
) -> AsyncGenerator[H, None]:
    feed = info.context.services.feed
    async with aclosing(feed.follow(scope, after=after, topics=topics)) as batches:  # type: ignore[type-var]
        async for rows in batches:
            for row in rows:
                if wanted(row):
                    yield _happened(made, row)


async def _records(
    made: type[H],
    info: Info,
    type_name: str,
    topics: Collection[str],
    after: str | None,
    ids: Sequence[str] | None,
    tenants: Sequence[str] | None,
) -> AsyncGenerator[H, None]:
    """The present state of the records asked for by id, then the events about them, or about all when none is named."""
    scope = await _narrowed(info, tenants)
    chosen = None if ids is None else {(p.tenant_id, p.id) for p in (parsed(i, expected=type_name) for i in ids)}
    if chosen:
        after = await _cursor(info, scope, after)
    for tenant_id, id_ in sorted(chosen or ()):
        if tenant_id not in scope.tenants:
            raise NotFound(f"no {type_name}:{tenant_id}:{id_}", field="ids")
        yield _snapshot(made, tenant_id, after or "", id_=id_)
    async for told in _follow(
        made, info, scope, after, topics, lambda row: chosen is None or (row.tenant_id, row.subject_id) in chosen
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
