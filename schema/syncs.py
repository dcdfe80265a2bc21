"""The synchronisation as operators see it: streams, runs and parked records."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any

import strawberry
from sqlalchemy import ColumnElement, FromClause, and_, case, func, literal_column, or_, select
from strawberry.scalars import JSON

from hub.models import syncs as models
from schema.planner.fields import ADMINISTRATOR, column, many, one, reads, sql
from schema.planner.inputs import Ids, Moment, Text, Whole, choices, filters, ids, where
from schema.planner.types import NAMES, Connection, Node, Owned, orders
from schema.scalars import Long

if TYPE_CHECKING:
    from schema.deliveries import DeliveryAttempt

EXCEPTIONS = models.SyncException.__table__  # type: ignore[attr-defined]


def shown_state(run: FromClause) -> ColumnElement[Any]:
    """Whoever let the lease pass is not running, whatever the row says."""
    lost = and_(run.c.state == "RUNNING", or_(run.c.lease_until.is_(None), run.c.lease_until < func.now()))
    return case((lost, literal_column("'QUEUED'", run.c.state.type)), else_=run.c.state)


def open_exceptions(stream: FromClause) -> ColumnElement[Any]:
    parked = EXCEPTIONS.alias()
    return (
        select(func.count())
        .select_from(parked)
        .where(
            parked.c.tenant_id == stream.c.tenant_id,
            parked.c.code == stream.c.code,
            parked.c.stream == stream.c.stream,
            parked.c.state == "OPEN",
        )
        .scalar_subquery()
    )


@strawberry.enum(description="How far a run is; a run whose worker is lost is queued again.")
class RunState(Enum):
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELED = "CANCELED"


@strawberry.enum(description="What became of a parked record.")
class ExceptionState(Enum):
    OPEN = "OPEN"
    RESOLVED = "RESOLVED"
    DISMISSED = "DISMISSED"


NAMES |= {"RunState": RunState, "ExceptionState": ExceptionState}


@choices
class RunStates:
    """Asks how far a run is."""

    eq: RunState | None
    in_: list[RunState] | None


@choices
class ExceptionStates:
    """Asks what became of a parked record."""

    eq: ExceptionState | None
    in_: list[ExceptionState] | None


@filters
class SyncStreamFilter:
    """Which streams; all questions must be answered with yes."""

    code: Text | None = where("By the integration's code.")
    stream: Text | None = where("By the stream's name.")
    last_success_at: Moment | None = where("By when it last ended well.")


@reads(models.SyncStream, filter=SyncStreamFilter)
class SyncStream(Owned):
    """Where one stream of one connection stands."""

    code: str = column("The integration it belongs to.")
    stream: str = column("Its name.")
    due_at: datetime | None = column("When it runs next.")
    failures: int = column("How many runs in a row have failed.")
    open_exceptions: Long = sql(open_exceptions, "How many of its records are parked.")
    last_success_at: datetime | None = column("When a run last ended well.")
    updated_at: datetime = column("When it moved last.")
    checkpoint: JSON | None = column("How far it has read; administrators see it.", by=ADMINISTRATOR)


@filters
class SyncRunFilter:
    """Which runs; all questions must be answered with yes."""

    id: Ids | None = ids("SyncRun", "By global id.")
    internal_id: Whole | None = where("By the id within the tenant.", column="id")
    code: Text | None = where("By the integration's code.")
    stream: Text | None = where("By the stream's name.")
    state: RunStates | None = where("By how far it is.", expression=shown_state)
    trigger: Text | None = where("By why it was started: SCHEDULE, MANUAL, RESYNC, TRIGGER or RETRY.")
    requested_at: Moment | None = where("By when it was asked for.")
    finished_at: Moment | None = where("By when it ended.")


SyncRunOrder = orders("SyncRunOrder", "Orders of runs.", id="id", requested_at="requested_at")


@reads(models.SyncRun, filter=SyncRunFilter, order=SyncRunOrder)
class SyncRun(Node, Owned):
    """One run of one stream."""

    code: str = column("The integration it works for.")
    stream: str = column("The stream.")
    direction: str = column("IN: records are taken in; OUT: they are told outside.")
    trigger: str = column("Why it was started: SCHEDULE, MANUAL, RESYNC, TRIGGER or RETRY.")
    requested_by: str = column("Who asked for it.")
    state: RunState = sql(shown_state, "How far it is.")
    cancel_requested: bool = column("It will stop after the page it is at.")
    attempts: int = column("How often it was begun anew.")
    pages: int = column("How many pages it has stored.")
    fetched: int = column("How many records it has read.")
    created: int = column("How many of them were new.")
    updated: int = column("How many had changed.")
    unchanged: int = column("How many had not.")
    skipped: int = column("How many do not concern the hub.")
    parked: int = column("How many could not be taken in and wait as exceptions.")
    total: int | None = column("How many records there are, when the other side tells.")
    error_code: str | None = column("Why it failed, as a code.")
    error_message: str | None = column("Why it failed, for people.")
    requested_at: datetime = column("When it was asked for.")
    started_at: datetime | None = column("When it began.")
    finished_at: datetime | None = column("When it ended.")
    exceptions: Connection[SyncException] = many("run_id", "The records it parked.")
    deliveries: Connection[DeliveryAttempt] = many("run_id", "What it told outside.")


@filters
class SyncExceptionFilter:
    """Which parked records; all questions must be answered with yes."""

    id: Ids | None = ids("SyncException", "By global id.")
    code: Text | None = where("By the integration's code.")
    stream: Text | None = where("By the stream's name.")
    state: ExceptionStates | None = where("By what became of it.")
    reason: Text | None = where("By the code of the reason.")
    external_key: Text | None = where("By the record's key in the external system.")
    occurred_at: Moment | None = where("By when it was parked first.")


SyncExceptionOrder = orders("SyncExceptionOrder", "Orders of parked records.", id="id", occurred_at="occurred_at")


@reads(models.SyncException, filter=SyncExceptionFilter, order=SyncExceptionOrder)
class SyncException(Node, Owned):
    """A record that could not be taken in or told outside, until somebody or a retry resolves it."""

    code: str = column("The integration it came from or should go to.")
    stream: str = column("The stream.")
    run: SyncRun | None = one("run_id", "The run that parked it last.")
    external_key: str = column("The record's key in the external system.")
    reason: str = column("The code of the reason.")
    message: str = column("The reason, for people.")
    path: str | None = column("The field of the payload that is wrong.")
    waits_for: str | None = column("The code of the product that must exist first; then it is retried by itself.")
    payload: JSON | None = column("The record as it came; administrators see it.", by=ADMINISTRATOR)
    state: ExceptionState = column("What became of it.")
    attempts: int = column("How often it was tried.")
    occurred_at: datetime = column("When it was parked first.")
    last_attempt_at: datetime = column("When it was tried last.")
    resolved_at: datetime | None = column("When it was resolved.")
    resolved_by: str | None = column("Who resolved it.")


@filters
class ExternalReferenceFilter:
    """Which references; all questions must be answered with yes."""

    code: Text | None = where("By the integration's code.")
    stream: Text | None = where("By the stream's name.")
    external_key: Text | None = where("By the key in the external system.")
    record_id: Whole | None = where("By the id of the hub's record, within tenant and type.")


@reads(models.ExternalReference, filter=ExternalReferenceFilter)
class ExternalReference(Owned):
    """Which record of the hub a record of an external system became."""

    code: str = column("The integration it came from.")
    stream: str = column("The stream.")
    external_key: str = column("Its key in the external system.")
    record_id: Long = column("The id of the hub's record, within tenant and type.")
    status_id: str | None = column("The state it has there.")
    created_at: datetime = column("When it was taken in first.")
    updated_at: datetime = column("When it was taken in last.")
