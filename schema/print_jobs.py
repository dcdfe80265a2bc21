"""Documents to be printed in the warehouse."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING

import strawberry

from hub.models import orders as models
from schema.planner.fields import column, one, reads
from schema.planner.inputs import Ids, Moment, choices, filters, ids, where
from schema.planner.types import NAMES, Node, Owned, orders

if TYPE_CHECKING:
    from schema.orders import Order


@strawberry.enum(description="How far the printing of a document is.")
class PrintJobState(Enum):
    QUEUED = "QUEUED"
    DONE = "DONE"
    FAILED = "FAILED"


NAMES["PrintJobState"] = PrintJobState


@choices
class PrintJobStates:
    """Asks how far the printing is."""

    eq: PrintJobState | None
    in_: list[PrintJobState] | None


@filters
class PrintJobFilter:
    """Which print jobs; all questions must be answered with yes."""

    id: Ids | None = ids("PrintJob", "By global id.")
    order_id: Ids | None = ids("Order", "By the global id of the order.", key="order_id")
    state: PrintJobStates | None = where("By how far it is.")
    created_at: Moment | None = where("By when it was asked for.")


PrintJobOrder = orders("PrintJobOrder", "Orders of print jobs.", id="id")


@reads(models.PrintJob, filter=PrintJobFilter, order=PrintJobOrder)
class PrintJob(Node, Owned):
    """A document of an order to be printed in the warehouse."""

    order: Order = one("order_id", "The order it belongs to.")
    document_type: str = column("NOTICE, AWB or LABEL.")
    copies: int = column("How many times.")
    state: PrintJobState = column("How far it is.")
    message: str | None = column("What the print station said.")
    requested_by: str = column("Who asked for it.")
    created_at: datetime = column("When it was asked for.")
    updated_at: datetime = column("When its state changed last.")
