"""`/api/printable-document`: the notice of an order as a PDF."""

from typing import Any

from hub.services import notices
from schema.rest.answers import PDF, Document
from schema.rest.routes import RestCall, Route


async def notice(call: RestCall[None]) -> Document:
    order_id = call.path["orderId"]
    content = await notices.pdf(call.database, call.scope, order_id=order_id)
    return Document(content, "application/pdf", f"notice-{order_id}.pdf")


ROUTES: tuple[Route[Any], ...] = (
    Route("POST", "/api/printable-document/notice/{orderId:long}", "Print the notice of an order", notice, PDF),
)
