"""What asks for work on one record: a vendor's call, a trigger, a person's retry. Kept first, worked on by a worker.

The topic of a message is the name of an inbound stream (take the record `key` in), `deleted:` and that name (it is gone
outside), or `retry` (the exception with the id `key`).
"""

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import text

from hub.context import Level, Scope
from hub.db import UnitOfWork
from hub.errors import CallerError, Conflict, HubError, NeedsAttention, NotFound, RecordRejected
from hub.queries.integrations import Connection
from hub.queries.orders import lock_orders
from hub.services import order_moves, outbox
from hub.sync import exceptions, references, retries
from hub.sync.exceptions import Trouble, get_open
from hub.sync.intake_orders import UNPICKED
from hub.sync.outside import Outside
from hub.sync.pages import RECEIVERS
from hub.sync.policy import Next, decide

log = logging.getLogger(__name__)

BELL = "inbox"
RETRY = "retry"
DELETED = "deleted:"

_WAITING = text("""
    SELECT id FROM inbox
    WHERE tenant_id = :tenant AND code = :code AND topic = :topic AND key = :key AND state = 'WAITING'
        AND payload IS NULL
    ORDER BY id LIMIT 1
""")
_TURN = text("SELECT pg_advisory_xact_lock(hashtextextended(:place, 0))")
_KEEP = text("""
    INSERT INTO inbox (tenant_id, id, code, topic, key, payload, state, attempts)
    VALUES (:tenant, :id, :code, :topic, :key, cast(:payload AS jsonb), 'WAITING', 0)
""")
_READ = text("""
    SELECT code, topic, key, payload, attempts FROM inbox WHERE tenant_id = :tenant AND id = :id AND state = 'WAITING'
""")
_CLOSE = text("""
    UPDATE inbox SET state = :state, message = :message, attempts = attempts + 1, finished_at = now()
    WHERE tenant_id = :tenant AND id = :id AND state = 'WAITING'
""")
_PUT_OFF = text("""
    UPDATE inbox SET attempts = attempts + 1, message = :message, available_at = now() + :wait
    WHERE tenant_id = :tenant AND id = :id AND state = 'WAITING'
""")


@dataclass(frozen=True, slots=True)
class Message:
    code: str
    topic: str
    key: str
    payload: Any
    attempts: int


async def receive(work: UnitOfWork, *, code: str, topic: str, key: str = "", payload: Any = None) -> int:
    """Keep a message for the workers; its id. The same call without content that waits already is not kept twice."""
    place = {"tenant": work.tenant_id, "code": code, "topic": topic, "key": key}
    if payload is None:
        await work.session.execute(_TURN, {"place": f"inbox/{work.tenant_id}/{code}/{topic}/{key}"})
        waiting = (await work.session.execute(_WAITING, place)).scalar_one_or_none()
        if waiting is not None:
            return int(waiting)
    id_ = await work.next_id("inbox_message")
    content = None if payload is None else exceptions.json_text(payload)
    await work.session.execute(_KEEP, place | {"id": id_, "payload": content})
    work.ring_after_commit(BELL)
    return id_


async def retry_exception(work: UnitOfWork, *, exception_id: int) -> int:
    """Have a parked record tried again: taken in as it is outside now, or sent again. USER."""
    work.scope.require(Level.USER)
    parked = await get_open(work, exception_id)
    if parked["stream"] in RECEIVERS:
        await receive(work, code=parked["code"], topic=RETRY, key=str(exception_id))
    else:
        await outbox.put(work, parked["code"], parked["stream"], {parked["external_key"]: parked["payload"]})
    work.emit("sync", "exception_retried", subject_id=exception_id, code=parked["code"], stream=parked["stream"])
    return exception_id


async def work_on_message(outside: Outside, *, tenant_id: int, message_id: int) -> None:
    """Work on one waiting message; harmless when several do."""
    scope, place = Scope.of_system(tenant_id), {"tenant": tenant_id, "id": message_id}

    async def find(work: UnitOfWork) -> Message | None:
        row = (await work.session.execute(_READ, place)).one_or_none()
        return Message(*row) if row is not None else None

    message = await outside.database.write(scope, find)
    if message is None:
        return
    try:
        await _work_on(outside, scope, message)
    except HubError as error:
        await _failed(outside, scope, place, message, error)
        return
    except Exception as error:
        log.exception("message %d cannot be worked on", message_id)
        await _failed(outside, scope, place, message, HubError(f"the hub made a mistake ({type(error).__name__})"))
        return
    await _write(outside, scope, _CLOSE, place | {"state": "DONE", "message": None})


async def _work_on(outside: Outside, scope: Scope, message: Message) -> None:
    connection = await outside.database.write(scope, lambda work: outside.connection(work, message.code))
    if not connection.active or connection.stopped_reason:
        raise Conflict(f"{connection.connector.title} is not active", hint="activate it, then retry")
    if message.topic == RETRY:
        await _retry(outside, scope, connection, int(message.key))
    elif message.topic.startswith(DELETED):
        stream = message.topic.removeprefix(DELETED)
        await outside.database.write(scope, lambda work: _cancel(work, connection, stream, message.key))
    else:
        await retries.take_by_key(outside, connection, message.topic, message.key, message.payload)


async def _retry(outside: Outside, scope: Scope, connection: Connection, exception_id: int) -> None:
    try:
        parked = await outside.database.write(scope, lambda work: get_open(work, exception_id))
    except (NotFound, Conflict):
        return  # it was resolved meanwhile
    key, payload, stream = parked["external_key"], parked["payload"], parked["stream"]
    try:
        if key.startswith("?"):  # it came without a key, so it cannot be asked for
            await retries.take_payloads(outside, connection, stream, [payload])
        else:
            await retries.take_by_key(outside, connection, stream, key, payload)
    except (CallerError, RecordRejected) as error:
        await retries.park_failure(outside, connection, stream, key, payload, Trouble.of(error))


async def _cancel(work: UnitOfWork, connection: Connection, stream: str, key: str) -> None:
    """The system deleted an order: cancel it unless it is picked."""
    known = (await references.find(work, connection.connector.code, stream, [key])).get(key)
    if known is None:
        raise NotFound(f"no order was taken in under {key}", field="key")
    order = (await lock_orders(work.session, work.tenant_id, [known.record_id])).get(known.record_id)
    if order is None:
        return
    if order.status not in UNPICKED and order.status:
        raise Conflict(f"{order.title} is {order.status.name} and cannot be cancelled any more")
    await order_moves.cancel(work, order_id=order.id)


async def _failed(outside: Outside, scope: Scope, place: dict[str, int], message: Message, error: HubError) -> None:
    decision = decide(error, attempts=message.attempts)
    reason = {"message": str(error)[:4000]}
    if decision.next is Next.AGAIN:
        wait = max(decision.wait, timedelta(seconds=1))
        await _write(outside, scope, _PUT_OFF, place | reason | {"wait": wait})
        return
    if isinstance(error, NeedsAttention):
        log.warning("%s: %s", message.code, error)
    await _write(outside, scope, _CLOSE, place | reason | {"state": "FAILED"})


async def _write(outside: Outside, scope: Scope, statement: Any, values: dict[str, Any]) -> None:
    async def action(work: UnitOfWork) -> None:
        await work.session.execute(statement, values)

    await outside.database.write(scope, action)
