"""Goods receipts (NIRs): announced, changed, validated into stock, cancelled, deleted."""

from typing import Any

import strawberry
from strawberry import UNSET

from hub.context import Permission
from hub.services import nirs
from hub.services.nirs import NirDraft
from hub.services.outcomes import Effect, one_by_one
from schema.answers import Deleted, Json, Record, answer, answer_by_row
from schema.inputs import about, inputs
from schema.mutations.receipts import NirCountInput, NirLineInput, count_drafts, line_drafts
from schema.nirs import Nir
from schema.writing import USER, BulkChange, Call, Change, mutation, user_with

NOW = Record("Nir", "The NIR as it is now.")
GONE = Deleted("Nir", "The id of the NIR that is gone.")
NIR = answer("NirPayload", nir=NOW)
NIR_DELETED = answer("NirDeletePayload", deleted_id=GONE)
NIRS = answer_by_row("NirsPayload", "NirsRow", nir=NOW)
NIRS_DELETED = answer_by_row("NirsDeletePayload", "NirsDeleteRow", deleted_id=GONE)
WHICH = "Which NIR."


@inputs(one_of=True, like=Nir)
class NirKey:
    """Names one NIR by one of its keys."""

    id: strawberry.ID | None = about(default=UNSET, of="Nir")
    external_reference: str | None = UNSET


@inputs(like=Nir)
class NirInput:
    """A goods receipt to be added."""

    external_reference: str
    third_party_reference: str | None = UNSET
    warehouse_id: strawberry.ID | None = about(
        "Where the goods come in; a new NIR without it is for the default warehouse.", default=UNSET, of="Warehouse"
    )
    supplier_id: strawberry.ID | None = about("Who delivers; no mere client.", default=UNSET, of="Company")
    lines: list[NirLineInput] = about("What is delivered.", default=[], called="nirProducts")
    requires_validation: bool = about(default=True, called="validationRequired")
    packaging_type: str | None = UNSET
    comment: str | None = UNSET


@inputs()
class NirAddInput(Change, NirInput):
    """A goods receipt to be added."""

    purchase_order_ids: list[strawberry.ID] = about("The purchase orders it delivers.", default=[], of="PurchaseOrder")


@inputs(changes=NirInput)
class NirUpdateInput(Change):
    """New values of an open NIR: what is absent stays, null clears, lines are replaced as a whole."""

    nir: NirKey = about(WHICH, called="nirId")


@inputs()
class NirTargetInput(Change):
    """A NIR to be cancelled or deleted."""

    nir: NirKey = about(WHICH, called="nirId")


@inputs()
class NirReferenceInput(Change):
    """Another external reference for a NIR."""

    nir: NirKey = about(WHICH, called="nirId")
    external_reference: str = about("The new reference; unique.")


@inputs()
class NirPackagingInput(Change):
    """How the goods of a NIR are packed."""

    nir: NirKey = about(WHICH, called="nirId")
    packaging_type: str | None = about("The kind of packaging; null: unknown.")


@inputs()
class NirValidateInput(Change):
    """What was counted when the goods came."""

    nir: NirKey = about(WHICH, called="nirId")
    counts: list[NirCountInput] = about("One entry per line, batch and place; each becomes a scan.")


@inputs()
class NirsAddInput(BulkChange):
    """Goods receipts to be added."""

    nirs: list[NirInput] = about("1 to 250 NIRs.")


@inputs()
class NirsDeleteInput(BulkChange):
    """Goods receipts to be deleted."""

    nirs: list[NirKey] = about("1 to 250 NIRs.")


@mutation(NIR, needs=USER)
async def nir_add(call: Call, input: NirAddInput) -> Json:
    """Adds a NIR; without validation its goods are booked into stock at once."""
    [nir_id] = await nirs.add(call.work, nirs=[_draft(call.filled(input))])
    return {"nir": nir_id}


@mutation(NIRS, needs=USER)
async def nirs_add(call: Call, input: NirsAddInput) -> Json:
    """Adds up to 250 NIRs."""
    return await call.each(
        "nirs", input.nirs, lambda row: _draft(call.filled(row)), lambda drafts: nirs.add_each(call.work, nirs=drafts)
    )


@mutation(NIR, needs=USER)
async def nir_update(call: Call, input: NirUpdateInput) -> Json:
    """Changes a NIR that is not validated; `requiresValidation: false` books it into stock at once."""
    nir_id = await _id_of(call, input.nir)
    changes = call.values(input, "nir")
    if "lines" in changes:
        changes["lines"] = line_drafts(changes["lines"])
    return {"nir": await nirs.update(call.work, nir_id=nir_id, changes=changes)}


@mutation(NIR, needs=user_with(Permission.PROCESS_NIRS))
async def nir_validate(call: Call, input: NirValidateInput) -> Json:
    """Books into stock what was counted: VALIDATED when every line came as announced, else with differences."""
    nir_id = await _id_of(call, input.nir)
    counts = count_drafts(call.filled(input, "nir")["counts"])
    return {"nir": await nirs.validate(call.work, nir_id=nir_id, counts=counts)}


@mutation(NIR, needs=USER)
async def nir_cancel(call: Call, input: NirTargetInput) -> Json:
    """Cancels a NIR that is not validated."""
    [nir_id] = await nirs.cancel(call.work, ids=[await _id_of(call, input.nir)])
    return {"nir": nir_id}


@mutation(NIR_DELETED, needs=USER)
async def nir_delete(call: Call, input: NirTargetInput) -> Json:
    """Deletes a NIR that is not validated."""
    [nir_id] = await nirs.delete(call.work, targets=call.targets(input.nir, "nir"))
    return {"deleted_id": nir_id}


@mutation(NIRS_DELETED, needs=USER)
async def nirs_delete(call: Call, input: NirsDeleteInput) -> Json:
    """Deletes up to 250 NIRs that are not validated."""

    async def delete(targets: dict[str, Any]) -> int:
        [nir_id] = await nirs.delete(call.work, targets=targets)
        return nir_id

    return await call.each(
        "nirs",
        input.nirs,
        lambda key: call.targets(key, ""),
        lambda rows: one_by_one(call.work, rows, delete, effect=Effect.DELETED),
    )


@mutation(NIR, needs=USER)
async def nir_external_reference_update(call: Call, input: NirReferenceInput) -> Json:
    """Gives a NIR another external reference, whatever its state."""
    nir_id, reference = await _id_of(call, input.nir), input.external_reference
    return {"nir": await nirs.update_external_reference(call.work, nir_id=nir_id, external_reference=reference)}


@mutation(NIR, needs=USER)
async def nir_packaging_type_update(call: Call, input: NirPackagingInput) -> Json:
    """Notes how the goods of a NIR are packed, whatever its state."""
    nir_id, packaging = await _id_of(call, input.nir), input.packaging_type
    return {"nir": await nirs.update_packaging_type(call.work, nir_id=nir_id, packaging_type=packaging)}


async def _id_of(call: Call, key: NirKey) -> int:
    targets = call.targets(key, "nir")
    nir_id, reference = targets.get("id", [None])[0], targets.get("external_reference", [None])[0]
    return await nirs.find_one(call.work, nir_id=nir_id, external_reference=reference)


def _draft(columns: dict[str, Any]) -> NirDraft:
    columns["validation_required"] = columns.pop("requires_validation")
    columns["lines"] = line_drafts(columns["lines"])
    return NirDraft(**columns)
