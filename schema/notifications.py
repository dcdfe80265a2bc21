"""Notifications: messages to the users of a tenant."""

from __future__ import annotations

from datetime import datetime

from hub.models import orders as models
from schema.planner.fields import column, reads
from schema.planner.inputs import Ids, Moment, Text, Whole, filters, ids, where
from schema.planner.types import Node, Owned, orders
from schema.scalars import Long


@filters
class NotificationFilter:
    """Which notifications; all questions must be answered with yes."""

    id: Ids | None = ids("Notification", "By global id.")
    title: Text | None = where("By its title.")
    recipient_id: Whole | None = where("By the id of the user it is for.")
    created_at: Moment | None = where("By when it was sent.")


NotificationOrder = orders("NotificationOrder", "Orders of notifications.", id="id")


@reads(models.Notification, filter=NotificationFilter, order=NotificationOrder)
class Notification(Node, Owned):
    """A message for one user, or for all users of the tenant."""

    title: str = column("What it is about.")
    message: str = column("What it says.")
    recipient_id: Long | None = column("The id of the user it is for; empty: for all.")
    created_at: datetime = column("When it was sent.")
