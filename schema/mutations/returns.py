"""Returns: goods that come back from a client, announced, validated into stock, cancelled, deleted."""

from typing import Any

import strawberry
from strawberry import UNSET

from hub.context import Permission
from hub.services import returns
from hub.services.returns import ReturnDraft
from schema.answers import Deleted, Json, Record, answer, answer_by_row
from schema.inputs import about, inputs
from schema.mutations.receipts import ReturnCountInput, ReturnLineInput, count_drafts, line_drafts
from schema.returns import Return
from schema.writing import USER, BulkChange, Call, Change, mutation, user_with

NOW = Record("Return", "The return as it is now.")
RETURN = answer("ReturnPayload", return_=NOW)
RETURN_DELETED = answer("ReturnDeletePayload", deleted_id=Deleted("Return", "The id of the return that is gone."))
RETURNS = answer_by_row("ReturnsPayload", "ReturnsRow", return_=NOW)
WHICH = "Which return."


@inputs(one_of=True, like=Return)
class ReturnKey:
    """Names one return by one of its keys."""

    id: strawberry.ID | None = about(default=UNSET, of="Return")
    external_reference: str | None = UNSET


@inputs(like=Return)
class ReturnInput:
    """A return to be added; the client by its id, by its external reference, or by both when they agree."""

    external_reference: str
    third_party_reference: str | None = UNSET
    company_id: strawberry.ID | None = about("The client, by its global id.", default=UNSET, of="Company")
    company_external_reference: str | None = about(
        "The client, by its external reference.", default=UNSET, called="externalClientId"
    )
    initial_order_id: strawberry.ID | None = about(
        "The picked order that the goods left with, by its global id.", default=UNSET, of="Order"
    )
    initial_external_order_id: str | None = about("That order, by the number the buyer knows.", default=UNSET)
    warehouse_id: strawberry.ID | None = about(
        "Where the goods come in; the default warehouse when absent.", default=UNSET, of="Warehouse"
    )
    lines: list[ReturnLineInput] = about("What comes back.", default=[], called="returnedProducts")
    requires_validation: bool = about(default=True, called="validationRequired")
    comment: str | None = UNSET


@inputs()
class ReturnAddInput(Change, ReturnInput):
    """A return to be added; the client by its id, by its external reference, or by both when they agree."""


@inputs()
class ReturnTargetInput(Change):
    """A return to be cancelled or deleted."""

    return_: ReturnKey = about(WHICH, called="returnId")


@inputs()
class ReturnValidateInput(Change):
    """What was counted when the goods came back."""

    return_: ReturnKey = about(WHICH, called="returnId")
    counts: list[ReturnCountInput] = about("One entry per line, batch and place; each becomes a scan.")


@inputs()
class ReturnsAddInput(BulkChange):
    """Returns to be added."""

    returns: list[ReturnInput] = about("1 to 250 returns.")


@mutation(RETURN, needs=USER)
async def return_add(call: Call, input: ReturnAddInput) -> Json:
    """Adds a return; of an order, at most what was picked can come back."""
    [return_id] = await returns.add(call.work, returns=[_draft(call.filled(input))])
    return {"return_": return_id}


@mutation(RETURNS, needs=USER)
async def returns_add(call: Call, input: ReturnsAddInput) -> Json:
    """Adds up to 250 returns."""
    return await call.each(
        "returns",
        input.returns,
        lambda row: _draft(call.filled(row)),
        lambda drafts: returns.add_each(call.work, returns=drafts),
    )


@mutation(RETURN, needs=user_with(Permission.PROCESS_NIRS))
async def return_validate(call: Call, input: ReturnValidateInput) -> Json:
    """Books into stock what was counted; an order of which everything came back is RETURNED."""
    return_id = await _id_of(call, input.return_)
    counts = count_drafts(call.filled(input, "return_")["counts"])
    return {"return_": await returns.validate(call.work, return_id=return_id, counts=counts)}


@mutation(RETURN, needs=USER)
async def return_cancel(call: Call, input: ReturnTargetInput) -> Json:
    """Cancels a return that is not validated."""
    [return_id] = await returns.cancel(call.work, ids=[await _id_of(call, input.return_)])
    return {"return_": return_id}


@mutation(RETURN_DELETED, needs=USER)
async def return_delete(call: Call, input: ReturnTargetInput) -> Json:
    """Deletes a return that is not validated."""
    [return_id] = await returns.delete(call.work, targets=call.targets(input.return_, "return"))
    return {"deleted_id": return_id}


async def _id_of(call: Call, key: ReturnKey) -> int:
    targets = call.targets(key, "return")
    return_id, reference = targets.get("id", [None])[0], targets.get("external_reference", [None])[0]
    return await returns.find_one(call.work, return_id=return_id, external_reference=reference)


def _draft(columns: dict[str, Any]) -> ReturnDraft:
    renamed = {"company_external_reference": "external_client_id", "requires_validation": "validation_required"}
    draft = {renamed.get(name, name): value for name, value in columns.items()}
    return ReturnDraft(**draft | {"lines": line_drafts(draft["lines"])})
