"""Runs of streams started and cancelled, parked records retried and dismissed, the sending of stock confirmed."""

import strawberry
from strawberry import UNSET

from hub.errors import Conflict, Invalid, NotFound
from hub.services.values import text
from hub.sync import exceptions, inbox, outbound_stock, runs
from hub.sync.pages import RECEIVERS
from schema.answers import Json, Record, Records, Value, answer
from schema.inputs import about, inputs
from schema.planner.fields import ADMINISTRATOR
from schema.writing import USER, Call, Change, mutation

RUNS = answer(
    "SyncStartPayload", runs=Records("SyncRun", "The runs, one per stream; those that were open already stay.")
)
RUN = answer("SyncRunPayload", run=Record("SyncRun", "The run as it is now."))
QUEUED = answer("SyncRecordPayload", job_id=Value(str | None, "The same for the same call while it waits."))
ORDERS = "orders"
EXCEPTION = answer("SyncExceptionPayload", exception=Record("SyncException", "The parked record as it is now."))


@inputs()
class SyncStartInput(Change):
    """What to synchronise."""

    code: str | None = about("The system; the active one when absent, any other is refused.", default=UNSET)
    streams: list[str] | None = about("The streams by name; all that are switched on when absent.", default=UNSET)


@inputs()
class SyncCancelInput(Change):
    """A run to be stopped."""

    id: strawberry.ID = about("The run.", of="SyncRun", called="runId")


@inputs()
class SyncExceptionInput(Change):
    """A parked record."""

    id: strawberry.ID = about("The exception.", of="SyncException", called="exceptionId")


@inputs()
class SyncRecordInput(Change):
    """One record of the active system."""

    stream: str = about("The inbound stream it belongs to: orders, nirs, products …")
    external_key: str = about("Its key in that system.")
    deleted: bool = about("It is gone there: an order that is not picked yet is cancelled.", default=False)


@inputs()
class StockPushConfirmInput(Change):
    """The tenant whose stock shall be sent."""


@mutation(RUNS, needs=ADMINISTRATOR)
async def sync_start(call: Call, input: SyncStartInput) -> Json:
    """Starts a run of each named stream, or of all that are on; a stream that is running keeps its run."""
    given = call.filled(input)
    return {"runs": await runs.start(call.work, registry=call.services.registry, **given)}


@mutation(RUN, needs=ADMINISTRATOR)
async def sync_cancel(call: Call, input: SyncCancelInput) -> Json:
    """Stops a run: at once when nobody works on it, else after the page under way."""
    run_id = call.values(input)["id"]
    return {"run": await runs.cancel(call.work, run_id=run_id, registry=call.services.registry)}


@mutation(QUEUED, needs=USER)
async def sync_record(call: Call, input: SyncRecordInput) -> Json:
    """Has one record taken in as it is outside now; the same call is not queued twice while it waits."""
    active = await runs.active_connection(call.work, call.services.registry)
    if active is None:
        raise Conflict("there is no active integration", hint="activate one first")
    if input.stream not in RECEIVERS or active.connector.stream(input.stream) is None:
        raise NotFound(f"{active.connector.title} has no inbound stream {input.stream}", field="stream")
    if input.deleted and input.stream != ORDERS:
        raise Invalid("only orders can be told to be gone", field="deleted")
    key = text(input.external_key, field="externalKey", longest=255, blank=False)
    topic = f"{inbox.DELETED}{input.stream}" if input.deleted else input.stream
    message_id = await inbox.receive(call.work, code=active.connector.code, topic=topic, key=key)
    return {"job_id": str(message_id)}


@mutation(EXCEPTION, needs=USER)
async def exception_retry(call: Call, input: SyncExceptionInput) -> Json:
    """Has a parked record tried again, as it is outside now."""
    return {"exception": await inbox.retry_exception(call.work, exception_id=call.values(input)["id"])}


@mutation(EXCEPTION, needs=ADMINISTRATOR)
async def exception_dismiss(call: Call, input: SyncExceptionInput) -> Json:
    """Closes a parked record without doing anything about it."""
    return {"exception": await exceptions.dismiss(call.work, exception_id=call.values(input)["id"])}


@mutation(RUN, needs=ADMINISTRATOR)
async def stock_push_confirm(call: Call, input: StockPushConfirmInput) -> Json:
    """Agrees that all stock is sent to the active system now, and its changes from now on."""
    return {"run": await outbound_stock.confirm(call.work, registry=call.services.registry)}
