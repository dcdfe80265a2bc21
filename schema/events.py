"""The event log that subscriptions follow."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from strawberry.scalars import JSON

from hub.models import syncs as models
from schema.planner.fields import column, one, reads
from schema.planner.inputs import Ids, Moment, Text, Whole, filters, ids, where
from schema.planner.types import Node, Owned, orders
from schema.scalars import Long

if TYPE_CHECKING:
    from schema.syncs import SyncRun


@filters
class EventFilter:
    """Which events; all questions must be answered with yes."""

    topic: Text | None = where("By topic: sync, order, stock, nir, product, notification, print_job …")
    kind: Text | None = where("By what happened.")
    subject_id: Whole | None = where("By the id of the record it is about, within the tenant.")
    run_id: Ids | None = ids("SyncRun", "By the global id of the run.", key="run_id")
    position: Whole | None = where("By its place in the tenant's log.")
    occurred_at: Moment | None = where("By when it happened.")


EventOrder = orders("EventOrder", "Orders of events; those not numbered yet come last.", id="id", position="position")


@reads(models.Event, filter=EventFilter, order=EventOrder)
class Event(Node, Owned):
    """Something that happened, in the log that subscriptions follow."""

    position: Long | None = column("Its place in the tenant's log; empty for a moment after it is written.")
    topic: str = column("What it concerns: sync, order, stock, nir, product, notification, print_job …")
    kind: str = column("What happened.")
    subject_id: Long | None = column("The id of the record it is about, within the tenant.")
    run: SyncRun | None = one("run_id", "The run that did it.")
    data: JSON = column("Ids and small facts.")
    occurred_at: datetime = column("When it happened.")
