"""Runs of streams: started, cancelled, ended. One run per connection and stream is open at a time."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import RowMapping, select, text
from sqlmodel import col

from hub.configuration import connector_of, options_of
from hub.context import Level
from hub.db import UnitOfWork
from hub.errors import Conflict, HubError, NotFound, Unavailable
from hub.models.integrations import Integration
from hub.models.syncs import SyncRun
from hub.ports import Connector, Direction, Registry, Stream
from hub.sync.lease import RUNS
from hub.sync.policy import pause_after
from hub.sync.streams import chosen_streams

STOCK = "stock"
ATTEMPTS = 3
SHOWN_STATE = (
    "CASE WHEN state = 'RUNNING' AND (lease_until IS NULL OR lease_until < now()) THEN 'QUEUED' ELSE state END"
)
"""The state to show: whoever let the lease pass is not running, whatever the row says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActiveConnection:
    """The tenant's one active connection as far as runs need it; secrets stay sealed."""

    connector: Connector
    options: Mapping[str, bool]
    stopped_reason: str | None
    stock_push_confirmed: bool


_OPEN_STREAM = text("""
    INSERT INTO sync_streams (tenant_id, code, stream, failures) VALUES (:tenant, :code, :stream, 0)
    ON CONFLICT DO NOTHING
""")
_OPEN_RUN = text("""
    INSERT INTO sync_runs (tenant_id, id, code, stream, direction, trigger, requested_by, state, checkpoint, slice,
        attempts, pages, fetched, created, updated, unchanged, skipped, parked)
    SELECT s.tenant_id, :id, s.code, s.stream, :direction, :trigger, :actor, 'QUEUED',
        CASE WHEN :afresh THEN '{}' ELSE s.checkpoint END, 0, 0, 0, 0, 0, 0, 0, 0, 0
    FROM sync_streams AS s WHERE s.tenant_id = :tenant AND s.code = :code AND s.stream = :stream
    ON CONFLICT (tenant_id, code, stream) WHERE state IN ('QUEUED', 'RUNNING') DO NOTHING
    RETURNING id
""")
_FIND_OPEN = text("""
    SELECT id FROM sync_runs
    WHERE tenant_id = :tenant AND code = :code AND stream = :stream AND state IN ('QUEUED', 'RUNNING')
""")
_RESYNC_TURN = text("SELECT pg_advisory_xact_lock(hashtextextended(:place, 0))")
_FIND_RESYNC = text("""
    SELECT id FROM sync_runs
    WHERE tenant_id = :tenant AND code = :code AND trigger = 'RESYNC' AND state IN ('QUEUED', 'RUNNING') ORDER BY id
""")
# Whoever starts by hand does not want to wait for the next try.
_HURRY = text("""
    UPDATE sync_runs SET not_before = NULL
    WHERE tenant_id = :tenant AND code = :code AND stream = :stream AND state IN ('QUEUED', 'RUNNING')
    RETURNING id
""")
# A page of the old walk that is under way finds another slice and is rolled back.
_BEGIN_AGAIN = text("""
    UPDATE sync_runs SET trigger = 'RESYNC', requested_by = :actor, checkpoint = '{}', slice = slice + 1,
        lease_owner = NULL, lease_until = NULL, not_before = NULL, attempts = 0
    WHERE tenant_id = :tenant AND id = :id AND trigger <> 'RESYNC'
    RETURNING id
""")
_CANCEL = text("""
    UPDATE sync_runs SET cancel_requested = true
    WHERE tenant_id = :tenant AND id = :id AND state IN ('QUEUED', 'RUNNING')
    RETURNING code, stream, lease_until IS NOT NULL AND lease_until >= now() AS held
""")
_END = text("""
    UPDATE sync_runs SET state = :state, lease_owner = NULL, lease_until = NULL, finished_at = now(),
        error_code = :error_code, error_message = :error_message
    WHERE tenant_id = :tenant AND id = :id AND state IN ('QUEUED', 'RUNNING')
    RETURNING code, stream, direction, trigger, checkpoint, fetched, created, updated, unchanged, skipped, parked
""")
_FAILURES = text("SELECT failures FROM sync_streams WHERE tenant_id = :tenant AND code = :code AND stream = :stream")
_MOVE_STREAM = text("""
    UPDATE sync_streams SET updated_at = now(),
        due_at = now() + :pause,
        failures = CASE WHEN :failed THEN failures + 1 WHEN :succeeded THEN 0 ELSE failures END,
        last_success_at = CASE WHEN :succeeded THEN now() ELSE last_success_at END,
        checkpoint = CASE WHEN :succeeded AND :inbound THEN cast(:checkpoint AS jsonb) ELSE checkpoint END
    WHERE tenant_id = :tenant AND code = :code AND stream = :stream
""")


async def active_connection(work: UnitOfWork, registry: Registry) -> ActiveConnection | None:
    """The tenant's active connection; None when there is none, or when this version does not know its system."""
    query = select(Integration).where(col(Integration.tenant_id) == work.tenant_id, col(Integration.active))
    row = (await work.session.execute(query.execution_options(populate_existing=True))).scalar_one_or_none()
    if row is None or row.code not in registry:
        return None
    connector = registry[row.code]
    return ActiveConnection(
        connector=connector,
        options=options_of(connector, row.options),
        stopped_reason=row.stopped_reason,
        stock_push_confirmed=row.stock_push_confirmed,
    )


async def start(
    work: UnitOfWork,
    *,
    registry: Registry,
    code: str | None = None,
    streams: Sequence[str] | None = None,
    trigger: str = "MANUAL",
) -> list[int]:
    """Open a run of each named stream, or of all that are on; a stream that has an open run keeps it. ADMINISTRATOR.

    Refused by name: unknown streams, streams that are switched off, stock nobody confirmed to send.
    """
    work.scope.require(Level.ADMINISTRATOR)
    connection = await _usable(work, registry, code)
    chosen = chosen_streams(connection.connector, connection.options, streams)
    if not connection.stock_push_confirmed:
        if streams and STOCK in streams:
            raise Conflict(
                "the first sending of stock needs a confirmation", field="streams", hint="look at the preview, confirm"
            )
        chosen = [stream for stream in chosen if stream.name != STOCK]
    return [await open_run(work, connection.connector, stream, trigger=trigger) for stream in chosen]


async def resync(work: UnitOfWork, *, registry: Registry) -> list[int]:
    """Read everything again from the beginning, one run per inbound stream; what runs already begins again, once.

    SUPERADMINISTRATOR. While one is under way, a second call returns its open runs.
    """
    work.scope.require(Level.SUPERADMINISTRATOR)
    connection = await _usable(work, registry, None)
    place = {"tenant": work.tenant_id, "code": connection.connector.code}
    await work.session.execute(_RESYNC_TURN, {"place": f"resync/{work.tenant_id}"})
    under_way = (await work.session.execute(_FIND_RESYNC, place)).scalars().all()
    if under_way:
        return list(under_way)
    ids = []
    for stream in chosen_streams(connection.connector, connection.options):
        if stream.fetch is None:
            continue
        id_ = await open_run(work, connection.connector, stream, trigger="RESYNC", afresh=True)
        values = {"tenant": work.tenant_id, "id": id_, "actor": work.scope.actor.name}
        if (await work.session.execute(_BEGIN_AGAIN, values)).first() is not None:
            work.emit("sync", "run_queued", run_id=id_, code=connection.connector.code, stream=stream.name)
            work.ring_after_commit(RUNS)
        ids.append(id_)
    return ids


async def open_run(
    work: UnitOfWork, connector: Connector, stream: Stream, *, trigger: str, afresh: bool = False
) -> int:
    """The id of the stream's open run, which is made when there is none; `afresh` begins without a checkpoint."""
    place = {"tenant": work.tenant_id, "code": connector.code, "stream": stream.name}
    await work.session.execute(_OPEN_STREAM, place)
    row = {"id": await work.next_id("sync_run"), "direction": stream.direction.value, "trigger": trigger}
    values = place | row | {"actor": work.scope.actor.name, "afresh": afresh}
    for _ in range(ATTEMPTS):
        made = (await work.session.execute(_OPEN_RUN, values)).scalar_one_or_none()
        if made is not None:
            work.emit("sync", "run_queued", run_id=made, code=connector.code, stream=stream.name, trigger=trigger)
            work.ring_after_commit(RUNS)
            return int(made)
        statement = _HURRY if trigger == "MANUAL" else _FIND_OPEN
        found = (await work.session.execute(statement, place)).scalar_one_or_none()
        if found is not None:  # else it ended between the two statements
            return int(found)
    raise Unavailable("runs of this stream begin and end too fast", hint="try again in a moment")


async def cancel(work: UnitOfWork, *, run_id: int, registry: Registry) -> int:
    """Stop a run: at once when nobody works on it, else after the page under way. ADMINISTRATOR."""
    work.scope.require(Level.ADMINISTRATOR)
    found = (await work.session.execute(_CANCEL, {"tenant": work.tenant_id, "id": run_id})).mappings().one_or_none()
    if found is None:
        state = await work.session.execute(
            select(col(SyncRun.state)).where(col(SyncRun.tenant_id) == work.tenant_id, col(SyncRun.id) == run_id)
        )
        ended = state.scalar_one_or_none()
        if ended is None:
            raise NotFound(f"there is no run {run_id}", field="runId")
        if ended != "CANCELED":
            raise Conflict(f"run {run_id} has already ended ({ended})", field="runId")
    elif not found["held"]:
        await end(work, run_id=run_id, state="CANCELED", registry=registry)
    work.ring_after_commit(RUNS)
    return run_id


async def end(work: UnitOfWork, *, run_id: int, state: str, registry: Registry, error: HubError | None = None) -> None:
    """Close an open run and note what follows for its stream: the checkpoint, when it is due again, its failures."""
    reason = {"error_code": error.code if error else None, "error_message": str(error)[:4000] if error else None}
    values = {"tenant": work.tenant_id, "id": run_id, "state": state}
    run = (await work.session.execute(_END, values | reason)).mappings().one_or_none()
    if run is None:
        return
    await _move_stream(work, run, state, registry)
    if state == "SUCCEEDED":
        await work.session.execute(
            text("UPDATE integrations SET last_sync_at = now() WHERE tenant_id = :tenant AND code = :code"),
            {"tenant": work.tenant_id, "code": run["code"]},
        )
    counts = {name: run[name] for name in ("fetched", "created", "updated", "unchanged", "skipped", "parked")}
    told = {"code": run["code"], "stream": run["stream"], "state": state, **counts}
    work.emit("sync", "run_finished", run_id=run_id, error=reason["error_message"], **told)
    work.ring_after_commit(RUNS)


async def _move_stream(work: UnitOfWork, run: RowMapping, state: str, registry: Registry) -> None:
    place = {"tenant": work.tenant_id, "code": run["code"], "stream": run["stream"]}
    connector = registry.get(run["code"])
    stream = connector.stream(run["stream"]) if connector else None
    pause = stream.every if stream else timedelta(minutes=5)
    if state == "FAILED":
        failures = (await work.session.execute(_FAILURES, place)).scalar_one_or_none() or 0
        pause = pause_after(failures + 1, pause)
    outcome = {
        "pause": pause,
        "failed": state == "FAILED",
        "succeeded": state == "SUCCEEDED",
        "inbound": run["direction"] == Direction.IN.value,
        "checkpoint": json.dumps(run["checkpoint"]),
    }
    await work.session.execute(_MOVE_STREAM, place | outcome)


async def _usable(work: UnitOfWork, registry: Registry, code: str | None) -> ActiveConnection:
    if code is not None:
        connector_of(registry, code)
    connection = await active_connection(work, registry)
    if connection is None or code not in (None, connection.connector.code):
        raise Conflict(
            "there is no active integration" if code is None else f"{code} is not the active integration",
            field="code",
            hint="activate it first",
        )
    if connection.stopped_reason:
        raise Conflict(
            f"{connection.connector.title} was stopped: {connection.stopped_reason}",
            field="code",
            hint="mend the cause, then save or activate the integration again",
        )
    return connection
