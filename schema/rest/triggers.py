"""`/softone/trigger`: SoftOne asks for one of its documents to be taken in, or tells that it is gone."""

from typing import Any, TypedDict

from hub.context import Level
from hub.db import UnitOfWork
from hub.errors import Conflict
from hub.queries.integrations import active_integration
from hub.sync import inbox
from schema.rest.answers import one
from schema.rest.routes import RestCall, Route

CODE = "SOFTONE"
STREAMS = {"order": "orders", "nir": "nirs"}


class TriggerInfo(TypedDict):
    """A queued job; the same one is told again while it waits."""

    jobId: str
    entity: str
    action: str
    externalId: str


async def take_order(call: RestCall[None]) -> TriggerInfo:
    return await _queued(call, entity="order", action="sync")


async def take_nir(call: RestCall[None]) -> TriggerInfo:
    return await _queued(call, entity="nir", action="sync")


async def delete_order(call: RestCall[None]) -> TriggerInfo:
    return await _queued(call, entity="order", action="delete")


async def _queued(call: RestCall[None], *, entity: str, action: str) -> TriggerInfo:
    key = call.path["id"]
    topic = STREAMS[entity] if action == "sync" else f"{inbox.DELETED}{STREAMS[entity]}"

    async def put(work: UnitOfWork) -> int:
        work.scope.require(Level.USER)
        if await active_integration(work.session, work.tenant_id) != CODE:
            raise Conflict("SoftOne is not the active integration", hint="activate it first")
        return await inbox.receive(work, code=CODE, topic=topic, key=key)

    job_id = await call.database.write(call.scope, put)
    return {"jobId": str(job_id), "entity": entity, "action": action, "externalId": key}


RIGHTS: dict[str, Any] = {"level": Level.USER, "description": "Queued; answered before the work is done."}
ANSWER = one(TriggerInfo)
ROUTES: tuple[Route[Any], ...] = (
    Route("GET", "/softone/trigger/order/{id:text}", "Have an order of SoftOne taken in", take_order, ANSWER, **RIGHTS),
    Route("GET", "/softone/trigger/nir/{id:text}", "Have a NIR of SoftOne taken in", take_nir, ANSWER, **RIGHTS),
    Route(
        "GET",
        "/softone/trigger/delete/order/{id:text}",
        "Have an order cancelled that SoftOne deleted",
        delete_order,
        ANSWER,
        **RIGHTS,
    ),
)
