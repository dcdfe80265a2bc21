"""Notifications: messages for one user or for all users of the tenant."""

from dataclasses import dataclass

from sqlalchemy import insert, select
from sqlmodel import col

from hub.context import Level
from hub.db import UnitOfWork
from hub.errors import NotFound
from hub.models.orders import Notification
from hub.models.tenants import User
from hub.services import values


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationDraft:
    """`recipient_id` is a user; None addresses everybody."""

    title: str
    message: str
    recipient_id: int | None = None


async def add(work: UnitOfWork, *, notification: NotificationDraft) -> int:
    """Keep a notification and tell the listeners; equal texts are notifications of their own."""
    work.scope.require(Level.USER)
    values.text(notification.title, field="title", longest=255, blank=False)
    values.text(notification.message, field="message", longest=4000, blank=False)
    recipient_id = notification.recipient_id
    if recipient_id is not None:
        known = select(col(User.id)).where(col(User.tenant_id) == work.tenant_id, col(User.id) == recipient_id)
        if await work.session.scalar(known) is None:
            raise NotFound(f"user {recipient_id} does not exist", field="recipientId")
    id_ = await work.next_id("notification")
    row = {"tenant_id": work.tenant_id, "id": id_, "title": notification.title, "message": notification.message}
    await work.session.execute(insert(Notification), [row | {"recipient_id": recipient_id}])
    work.emit("notification", "added", subject_id=id_, recipientId=recipient_id)
    return id_
