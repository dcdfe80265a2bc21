"""Batches locked and unlocked."""

import strawberry
from strawberry import UNSET

from hub.services import batches
from schema.answers import Json, Records, answer
from schema.inputs import about, inputs, limited
from schema.writing import USER, Call, Change, mutation

BATCHES = answer("BatchesPayload", batches=Records("Batch", "The batches as they are now."))
IDS = "1 to 250 batches."
REASON = "Why; kept in the history of the batch."


@inputs()
class BatchLockInput(Change):
    """Batches whose goods shall not be reserved."""

    batch_ids: list[strawberry.ID] = about(IDS, of="Batch")
    days: int | None = about("For how many days, 1 to 36500; until somebody unlocks them when absent.", default=UNSET)
    reason: str | None = about(REASON, default=UNSET)


@inputs()
class BatchUnlockInput(Change):
    """Batches whose goods may be reserved again."""

    batch_ids: list[strawberry.ID] = about(IDS, of="Batch")
    reason: str | None = about(REASON, default=UNSET)


@mutation(BATCHES, needs=USER)
async def batch_lock(call: Call, input: BatchLockInput) -> Json:
    """Keeps goods of these batches from being reserved; what is reserved already stays so."""
    limited(input.batch_ids, field="batchIds")
    return {"batches": await batches.lock(call.work, **call.filled(input))}


@mutation(BATCHES, needs=USER)
async def batch_unlock(call: Call, input: BatchUnlockInput) -> Json:
    """Lets goods of these batches be reserved again; those that are not locked stay as they are."""
    limited(input.batch_ids, field="batchIds")
    return {"batches": await batches.unlock(call.work, **call.filled(input))}
