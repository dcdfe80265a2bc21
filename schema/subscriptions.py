"""Live streams over the event log: each event once and in order, resumable after the cursor of the last one seen."""

from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from contextlib import aclosing
from typing import Annotated

import strawberry

from hub.context import Scope
from hub.cursors import encode_cursor
from hub.errors import Invalid, NotFound
from hub.events import EventRow, start_positions
from schema.happenings import (
    H,
    NotificationAdded,
    OrderChange,
    PrintJobChange,
    StockChange,
    SyncEvent,
    SyncRunChange,
    happened,
    snapshot,
)
from schema.planner.ids import parsed
from schema.writing import Info, tenants_named

OPEN_STATES = ("QUEUED", "RUNNING")
MOST_IDS = 250

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
    strawberry.argument(
        description="Only these records, by global id, at most 250; without `after` their present state comes first."
    ),
]


@strawberry.type(description="Streams over `graphql-transport-ws` or Server-Sent Events.")
class Subscription:
    @strawberry.subscription(
        description="What the synchronisation does: runs, pages, parked records, deliveries, and the records it writes."
    )
    async def sync_events(
        self, info: Info, after: After = None, tenants: Tenants = None
    ) -> AsyncGenerator[SyncEvent, None]:
        scope = await _narrowed(info, tenants)
        return _follow(SyncEvent, info, scope, after, None, lambda row: row.topic == "sync" or row.run_id is not None)

    @strawberry.subscription(description="One run: its present state, then every change until it is over.")
    async def sync_run(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="The run's global id.")],
        after: After = None,
    ) -> AsyncGenerator[SyncRunChange, None]:
        wanted = parsed(id, expected="SyncRun")
        if wanted.tenant_id not in info.context.scope.tenants:
            raise NotFound(f"no run {id}", field="id")
        return _run(info, info.context.scope.narrow(wanted.tenant_id), wanted.id, after)

    @strawberry.subscription(description="Orders added, changed, moved to another state, deleted.")
    async def order_changes(
        self, info: Info, after: After = None, ids: Ids = None, tenants: Tenants = None
    ) -> AsyncGenerator[OrderChange, None]:
        return await _records(OrderChange, info, "Order", ("order",), after, ids, tenants)

    @strawberry.subscription(description="Products whose stock or reservations changed.")
    async def stock_changes(
        self, info: Info, after: After = None, ids: Ids = None, tenants: Tenants = None
    ) -> AsyncGenerator[StockChange, None]:
        return await _records(StockChange, info, "Product", ("stock",), after, ids, tenants)

    @strawberry.subscription(description="Notifications for the caller, and those for everybody.")
    async def notifications(
        self, info: Info, after: After = None, tenants: Tenants = None
    ) -> AsyncGenerator[NotificationAdded, None]:
        scope = await _narrowed(info, tenants)
        me = scope.actor.id if scope.actor.kind == "user" else None

        def wanted(row: EventRow) -> bool:
            return row.data.get("recipientId") in (None, me)

        return _follow(NotificationAdded, info, scope, after, ("notification",), wanted)

    @strawberry.subscription(description="Print jobs queued, done or failed: what a print station follows.")
    async def print_jobs(
        self, info: Info, after: After = None, tenants: Tenants = None
    ) -> AsyncGenerator[PrintJobChange, None]:
        return await _records(PrintJobChange, info, "PrintJob", ("print_job",), after, None, tenants)


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
                    yield happened(made, row)


async def _run(info: Info, scope: Scope, run_id: int, after: str | None) -> AsyncGenerator[SyncRunChange, None]:
    """A run is looked at after the cursor is taken and before it is shown: its end is seen in one of the two places."""
    cursor = await _cursor(info, scope, after)
    state = await _state(info, scope, run_id)
    if after is None or state not in OPEN_STATES:
        yield snapshot(SyncRunChange, scope.tenant_id, cursor, run_id=run_id)
    if state not in OPEN_STATES:
        return
    changes = _follow(SyncRunChange, info, scope, cursor, ("sync",), lambda row: row.run_id == run_id)
    async with aclosing(changes):
        async for change in changes:
            yield change
            if change.kind == "run_finished":
                return


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
    if ids is None:
        return _follow(made, info, scope, after, topics, lambda row: True)
    if not 1 <= len(ids) <= MOST_IDS:
        raise Invalid(f"name 1 to {MOST_IDS} records", field="ids")
    chosen = {(each.tenant_id, each.id) for each in (parsed(id_, expected=type_name) for id_ in ids)}
    for tenant_id, id_ in chosen:
        if tenant_id not in scope.tenants:
            raise NotFound(f"no {type_name}:{tenant_id}:{id_}", field="ids")
    return _chosen_records(made, info, scope, topics, after, chosen)


async def _chosen_records(
    made: type[H],
    info: Info,
    scope: Scope,
    topics: Collection[str],
    after: str | None,
    chosen: Collection[tuple[int, int]],
) -> AsyncGenerator[H, None]:
    cursor = await _cursor(info, scope, after)
    for tenant_id, id_ in sorted(chosen) if after is None else ():
        yield snapshot(made, tenant_id, cursor, id_=id_)
    changes = _follow(made, info, scope, cursor, topics, lambda row: (row.tenant_id, row.subject_id) in chosen)
    async with aclosing(changes):
        async for change in changes:
            yield change


async def _cursor(info: Info, scope: Scope, after: str | None) -> str:
    """Where the stream begins; taken before the snapshot is read, so that nothing falls between the two."""
    async with info.context.database.reading(scope) as connection:
        return encode_cursor(await start_positions(connection, scope, after))


async def _state(info: Info, scope: Scope, run_id: int) -> str:
    async with info.context.database.reading(scope) as connection:
        state: str | None = await connection.fetchval(
            "SELECT state FROM sync_runs WHERE tenant_id = $1 AND id = $2", scope.tenant_id, run_id
        )
    if state is None:
        raise NotFound(f"no run SyncRun:{scope.tenant_id}:{run_id}", field="id")
    return state


async def _narrowed(info: Info, slugs: Sequence[str] | None) -> Scope:
    if slugs is not None and not slugs:
        raise Invalid("name at least one tenant, or leave it out", field="tenants")
    return await tenants_named(info, slugs, field="tenants")
