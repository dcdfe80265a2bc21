"""`/api/notifies`: messages to the users of the tenant."""

from datetime import datetime
from typing import Any

from hub.context import Level
from hub.models.orders import Notification
from hub.services import notifications
from hub.services.notifications import NotificationDraft
from schema.planner.fields import column, reads
from schema.planner.stored import Stored
from schema.rest.answers import one
from schema.rest.requests import Request
from schema.rest.routes import RestCall, Route
from schema.rest.values import Long, Message, Title


@reads(Notification)
class NotificationInfo:
    notificationId: int = column(name="id")
    title: str
    message: str
    recipientId: int | None = column(name="recipient_id")
    dateAdded: datetime = column(name="created_at")


NOTIFICATIONS = Stored(NotificationInfo)


class ExternalNotifyRequest(Request):
    title: Title
    message: Message
    recipientId: Long | None = None


async def notify(call: RestCall[ExternalNotifyRequest]) -> bytes | None:
    body = call.body
    draft = NotificationDraft(title=body.title, message=body.message, recipient_id=body.recipientId)
    id_ = await call.database.write(call.scope, lambda work: notifications.add(work, notification=draft))
    return await NOTIFICATIONS.one(call.database, call.scope, id_)


ROUTES: tuple[Route[Any], ...] = (
    Route(
        "POST",
        "/api/notifies",
        "Notify one user or all users",
        notify,
        one(NotificationInfo),
        level=Level.USER,
        body=ExternalNotifyRequest,
        replaced_by="notificationAdd",
    ),
)
