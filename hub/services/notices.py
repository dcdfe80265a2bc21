"""The notice: the paper that goes with an order, as a PDF."""

import asyncio

from hub.context import Level, Scope
from hub.db import Database
from hub.errors import NotFound
from hub.notice_pdf import notice_pdf
from hub.queries.notices import get_notice


async def pdf(database: Database, scope: Scope, *, order_id: int) -> bytes:
    """The notice of an order; drawn beside the event loop."""
    scope.require(Level.VIEWER)
    async with database.reading(scope) as connection:
        notice = await get_notice(connection, scope.tenant_id, order_id)
    if notice is None:
        raise NotFound(f"order {order_id} does not exist", field="orderId")
    return await asyncio.to_thread(notice_pdf, notice)
