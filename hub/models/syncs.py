"""The synchronisation's own records: streams, runs, references, exceptions, outbox, deliveries, inbox, events."""

from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from hub.models.columns import (
    TenantRow,
    belongs,
    big,
    check,
    decimal,
    document,
    flag,
    index,
    moment,
    now,
    string,
    unique,
)

OPEN_STATES = "('QUEUED', 'RUNNING')"


class SyncStream(SQLModel, table=True):
    """Where one stream of one connection stands."""

    __tablename__ = "sync_streams"
    __table_args__: ClassVar[Any] = (
        ForeignKeyConstraint(
            ["tenant_id", "code"], ["integrations.tenant_id", "integrations.code"], ondelete="CASCADE"
        ),
        Index("ix_sync_streams_due_at", "due_at"),
    )

    tenant_id: int = Field(sa_type=BigInteger, primary_key=True, foreign_key="tenants.id")
    code: str = string(32, primary_key=True)
    stream: str = string(64, primary_key=True)
    checkpoint: dict[str, Any] = document()
    due_at: datetime | None = moment(default=None)
    failures: int = Field(default=0)
    last_success_at: datetime | None = moment(default=None)
    updated_at: datetime = now()


class SyncRun(TenantRow, table=True):
    """One run of one stream; its shown state is derived from the lease, so that "running" cannot lie."""

    __tablename__ = "sync_runs"
    __table_args__: ClassVar[Any] = (
        unique("sync_runs", "code", "stream", where=f"state IN {OPEN_STATES}", name="uq_sync_runs_one_open"),
        index("sync_runs", "requested_at"),
        Index("ix_sync_runs_open", "state", "lease_until", postgresql_where=text(f"state IN {OPEN_STATES}")),
        check("state_is_known", "state IN ('QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELED')"),
    )

    code: str = string(32)
    stream: str = string(64)
    direction: str = string(3, default="IN")
    trigger: str = string(16, default="SCHEDULE")
    """SCHEDULE, OUTBOX (something waits to be sent), MANUAL, RESYNC."""
    requested_by: str = string(default="system")
    state: str = string(16, default="QUEUED")
    slice: int = Field(default=0)
    checkpoint: dict[str, Any] = document()
    cancel_requested: bool = flag()
    lease_owner: str | None = string(default=None)
    lease_until: datetime | None = moment(default=None)
    not_before: datetime | None = moment(default=None)
    attempts: int = Field(default=0)
    pages: int = Field(default=0)
    fetched: int = Field(default=0)
    created: int = Field(default=0)
    updated: int = Field(default=0)
    unchanged: int = Field(default=0)
    skipped: int = Field(default=0)
    parked: int = Field(default=0)
    total: int | None = Field(default=None)
    error_code: str | None = string(64, default=None)
    error_message: str | None = string(4000, default=None)
    requested_at: datetime = now()
    started_at: datetime | None = moment(default=None)
    finished_at: datetime | None = moment(default=None)


class ExternalReference(SQLModel, table=True):
    """The identity of a taken-in record: (tenant, connection, stream, external key) → the hub's record."""

    __tablename__ = "external_references"
    __table_args__: ClassVar[Any] = (index("external_references", "code", "stream", "record_id"),)

    tenant_id: int = Field(sa_type=BigInteger, primary_key=True, foreign_key="tenants.id")
    code: str = string(32, primary_key=True)
    stream: str = string(64, primary_key=True)
    external_key: str = string(primary_key=True)
    record_id: int = big()
    payload_hash: str = string(64, default="")
    sent_hash: str | None = string(64, default=None)
    status_id: str | None = string(default=None)
    created_at: datetime = now()
    updated_at: datetime = now()


class SyncException(TenantRow, table=True):
    """A record that could not be taken in or sent: why, with the raw payload, until somebody or a retry resolves it."""

    __tablename__ = "sync_exceptions"
    __table_args__: ClassVar[Any] = (
        unique(
            "sync_exceptions",
            "code",
            "stream",
            "external_key",
            where="state = 'OPEN'",
            name="uq_sync_exceptions_open",
        ),
        index("sync_exceptions", "state", "occurred_at"),
        check("state_is_known", "state IN ('OPEN', 'RESOLVED', 'DISMISSED')"),
    )

    code: str = string(32)
    stream: str = string(64)
    run_id: int | None = big(default=None)
    external_key: str = string()
    reason: str = string(64)
    message: str = string(4000)
    path: str | None = string(default=None)
    waits_for: str | None = string(default=None)
    """The key or code of the product (or other record) that must exist first; retried by itself when it does."""
    payload: Any = Field(default=None, sa_type=JSONB, nullable=True)
    state: str = string(16, default="OPEN")
    attempts: int = Field(default=1)
    occurred_at: datetime = now()
    last_attempt_at: datetime = now()
    resolved_at: datetime | None = moment(default=None)
    resolved_by: str | None = string(default=None)


class OutboxEntry(TenantRow, table=True):
    """Something to be told to the outside, written with the change that causes it; coalesced per key while it waits."""

    __tablename__ = "outbox"
    __table_args__: ClassVar[Any] = (
        unique("outbox", "code", "stream", "key", where="state = 'WAITING'", name="uq_outbox_waiting"),
        Index("ix_outbox_waiting", "available_at", postgresql_where=text("state = 'WAITING'")),
        check("state_is_known", "state IN ('WAITING', 'SENDING', 'SENT', 'DROPPED', 'FAILED')"),
    )

    code: str = string(32)
    stream: str = string(64)
    key: str = string()
    payload: dict[str, Any] = document()
    state: str = string(16, default="WAITING")
    attempts: int = Field(default=0)
    available_at: datetime = now()
    last_error: str | None = string(4000, default=None)
    created_at: datetime = now()
    finished_at: datetime | None = moment(default=None)


class SentStock(SQLModel, table=True):
    """The quantity of a product that an external system was told last."""

    __tablename__ = "sent_stock"
    __table_args__: ClassVar[Any] = (belongs("product_id", "products", ondelete="CASCADE"),)

    tenant_id: int = Field(sa_type=BigInteger, primary_key=True, foreign_key="tenants.id")
    code: str = string(32, primary_key=True)
    product_id: int = Field(sa_type=BigInteger, primary_key=True)
    quantity: Decimal = decimal()
    sent_at: datetime = now()


class DeliveryAttempt(TenantRow, table=True):
    """One call to the outside that pushed something: what was said, what was answered, how long it took."""

    __tablename__ = "delivery_attempts"
    __table_args__: ClassVar[Any] = (
        index("delivery_attempts", "code", "stream", "attempted_at"),
        index("delivery_attempts", "run_id"),
    )

    code: str = string(32)
    stream: str = string(64)
    run_id: int | None = big(default=None)
    outbox_ids: list[int] = document("[]")
    method: str = string(16, default="")
    url: str = string(2048, default="")
    status: int | None = Field(default=None)
    outcome: str = string(16)
    message: str | None = string(4000, default=None)
    request_body: str | None = Field(default=None)
    answer_body: str | None = Field(default=None)
    milliseconds: int = Field(default=0)
    attempted_at: datetime = now()


class InboxMessage(TenantRow, table=True):
    """What a vendor called us with, kept before it is worked on."""

    __tablename__ = "inbox"
    __table_args__: ClassVar[Any] = (
        Index("ix_inbox_waiting", "available_at", postgresql_where=text("state = 'WAITING'")),
        check("state_is_known", "state IN ('WAITING', 'DONE', 'FAILED')"),
    )

    code: str = string(32)
    topic: str = string(64)
    key: str = string(default="")
    payload: Any = Field(default=None, sa_type=JSONB, nullable=True)
    state: str = string(16, default="WAITING")
    attempts: int = Field(default=0)
    message: str | None = string(4000, default=None)
    available_at: datetime = now()
    received_at: datetime = now()
    finished_at: datetime | None = moment(default=None)


class Event(TenantRow, table=True):
    """The event log; `position` is given after commit, gap-free per tenant, and never changes (hub/events.py)."""

    __tablename__ = "events"
    __table_args__: ClassVar[Any] = (
        unique("events", "position", where="position IS NOT NULL"),
        Index("ix_events_unnumbered", "tenant_id", "id", postgresql_where=text("position IS NULL")),
        index("events", "occurred_at"),
    )

    position: int | None = big(default=None)
    topic: str = string(32)
    """sync, order, stock, nir, notification, print_job …"""
    kind: str = string(64)
    subject_id: int | None = big(default=None)
    run_id: int | None = big(default=None)
    data: dict[str, Any] = document()
    occurred_at: datetime = moment(
        default=None, nullable=False, sa_column_kwargs={"server_default": func.clock_timestamp()}
    )
    """The moment of writing, at the very end of its transaction: among transactions that waited for one another this is
    the order of their commits, which the start of the transaction is not."""


class EventHead(SQLModel, table=True):
    """The last position given in a tenant, and the first that is still kept."""

    __tablename__ = "event_heads"

    tenant_id: int = Field(sa_type=BigInteger, primary_key=True, foreign_key="tenants.id")
    position: int = big(default=0)
    kept_from: int = big(default=1)
