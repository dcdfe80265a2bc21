"""What is told to the outside and what the outside says: outbox, deliveries, inbox."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING

import strawberry
from strawberry.scalars import JSON

from hub.models import syncs as models
from schema.planner.fields import ADMINISTRATOR, column, one, reads
from schema.planner.inputs import Ids, Moment, Text, Whole, choices, filters, ids, where
from schema.planner.types import NAMES, Node, Owned, orders

if TYPE_CHECKING:
    from schema.syncs import SyncRun


@strawberry.enum(description="How far it is to tell something to the outside.")
class OutboxState(Enum):
    WAITING = "WAITING"
    SENDING = "SENDING"
    SENT = "SENT"
    DROPPED = "DROPPED"
    FAILED = "FAILED"


NAMES["OutboxState"] = OutboxState


@choices
class OutboxStates:
    """Asks how far the telling is."""

    eq: OutboxState | None
    in_: list[OutboxState] | None


@filters
class OutboxEntryFilter:
    """Which entries; all questions must be answered with yes."""

    id: Ids | None = ids("OutboxEntry", "By global id.")
    code: Text | None = where("By the integration's code.")
    stream: Text | None = where("By the stream's name.")
    key: Text | None = where("By what it is about.")
    state: OutboxStates | None = where("By how far it is.")
    created_at: Moment | None = where("By when it was written.")


OutboxEntryOrder = orders("OutboxEntryOrder", "Orders of outbox entries.", id="id")


@reads(models.OutboxEntry, filter=OutboxEntryFilter, order=OutboxEntryOrder)
class OutboxEntry(Node, Owned):
    """Something that must be told to the outside."""

    code: str = column("The integration to be told.")
    stream: str = column("The stream.")
    key: str = column("What it is about.")
    payload: JSON | None = column("What is to be told; administrators see it.", by=ADMINISTRATOR)
    state: OutboxState = column("How far it is.")
    attempts: int = column("How often it was tried.")
    available_at: datetime = column("When it is tried next.")
    last_error: str | None = column("Why the last try failed.")
    created_at: datetime = column("When it was written.")
    finished_at: datetime | None = column("When it was done.")


@filters
class DeliveryAttemptFilter:
    """Which deliveries; all questions must be answered with yes."""

    id: Ids | None = ids("DeliveryAttempt", "By global id.")
    code: Text | None = where("By the integration's code.")
    stream: Text | None = where("By the stream's name.")
    run_id: Ids | None = ids("SyncRun", "By the global id of its run.", key="run_id")
    outcome: Text | None = where("By how it ended.")
    status: Whole | None = where("By the HTTP status of the answer.")
    attempted_at: Moment | None = where("By when it was made.")


DeliveryAttemptOrder = orders("DeliveryAttemptOrder", "Orders of deliveries.", id="id")


@reads(models.DeliveryAttempt, filter=DeliveryAttemptFilter, order=DeliveryAttemptOrder)
class DeliveryAttempt(Node, Owned):
    """One call to the outside that told something: what was said, what was answered, how long it took."""

    code: str = column("The integration that was told.")
    stream: str = column("The stream.")
    run: SyncRun | None = one("run_id", "The run it belongs to.")
    method: str = column("The HTTP method.")
    url: str = column("The address, without secrets.")
    status: int | None = column("The HTTP status of the answer; empty when none came.")
    outcome: str = column("How it ended.")
    message: str | None = column("What was answered, in short.")
    request_body: str | None = column("What was sent; administrators see it.", by=ADMINISTRATOR)
    answer_body: str | None = column("What was answered; administrators see it.", by=ADMINISTRATOR)
    milliseconds: int = column("How long it took.")
    attempted_at: datetime = column("When it was made.")


@filters
class InboxMessageFilter:
    """Which messages; all questions must be answered with yes."""

    id: Ids | None = ids("InboxMessage", "By global id.")
    code: Text | None = where("By the integration's code.")
    topic: Text | None = where("By what it is about.")
    state: Text | None = where("By how far it is: WAITING, DONE or FAILED.")
    received_at: Moment | None = where("By when it came.")


InboxMessageOrder = orders("InboxMessageOrder", "Orders of received messages.", id="id")


@reads(models.InboxMessage, filter=InboxMessageFilter, order=InboxMessageOrder)
class InboxMessage(Node, Owned):
    """What an external system called the hub with."""

    code: str = column("The integration that called.")
    topic: str = column("What it is about.")
    key: str = column("The record it is about.")
    payload: JSON | None = column("What was said; administrators see it.", by=ADMINISTRATOR)
    state: str = column("How far it is: WAITING, DONE or FAILED.")
    attempts: int = column("How often it was worked on.")
    message: str | None = column("Why working on it failed.")
    received_at: datetime = column("When it came.")
    finished_at: datetime | None = column("When it was done.")
