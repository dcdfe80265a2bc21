"""Measurement units: added, changed, deleted, alone and up to 250 at once."""

import strawberry
from strawberry import UNSET

from hub.services import measurement_units as units
from hub.services.measurement_units import MeasurementUnitDraft
from schema.answers import Deleted, Json, Record, answer, answer_by_row
from schema.inputs import about, inputs
from schema.mutations.rows import delete_rows, found_rows
from schema.products import MeasurementUnit
from schema.writing import USER, BulkChange, Call, Change, mutation

NOW = Record("MeasurementUnit", "The measurement unit as it is now.")
GONE = Deleted("MeasurementUnit", "The id of the measurement unit that is gone.")
MEASUREMENT_UNIT = answer("MeasurementUnitPayload", measurement_unit=NOW)
MEASUREMENT_UNIT_DELETED = answer("MeasurementUnitDeletePayload", deleted_id=GONE)
MEASUREMENT_UNITS = answer_by_row("MeasurementUnitsPayload", "MeasurementUnitsRow", measurement_unit=NOW)
MEASUREMENT_UNITS_DELETED = answer_by_row("MeasurementUnitsDeletePayload", "MeasurementUnitsDeleteRow", deleted_id=GONE)


@inputs(one_of=True, like=MeasurementUnit)
class MeasurementUnitKey:
    """Names one measurement unit by one of its keys."""

    id: strawberry.ID | None = about(default=UNSET, of="MeasurementUnit")
    code: str | None = UNSET
    third_party_reference: str | None = UNSET


@inputs(like=MeasurementUnit)
class MeasurementUnitInput:
    """A measurement unit to be added."""

    name: str
    code: str
    details: str | None = UNSET
    third_party_reference: str | None = UNSET
    active: bool = True


@inputs()
class MeasurementUnitAddInput(Change, MeasurementUnitInput):
    """A measurement unit to be added."""


@inputs(changes=MeasurementUnitInput)
class MeasurementUnitUpdateInput(Change):
    """New values of a measurement unit: what is absent stays, null clears."""

    measurement_unit: MeasurementUnitKey = about("Which measurement unit.", called="measurementUnitId")


@inputs()
class MeasurementUnitDeleteInput(Change):
    """A measurement unit to be deleted."""

    measurement_unit: MeasurementUnitKey = about("Which measurement unit.", called="measurementUnitId")


@inputs()
class MeasurementUnitsAddInput(BulkChange):
    """Measurement units to be added."""

    measurement_units: list[MeasurementUnitInput] = about("1 to 250 measurement units.")


@inputs(changes=MeasurementUnitInput)
class MeasurementUnitChanges:
    """New values of one measurement unit: what is absent stays, null clears."""

    measurement_unit: MeasurementUnitKey = about("Which measurement unit.", called="measurementUnitId")


@inputs()
class MeasurementUnitsUpdateInput(BulkChange):
    """Measurement units to be changed."""

    measurement_units: list[MeasurementUnitChanges] = about("1 to 250 measurement units with their new values.")


@inputs()
class MeasurementUnitsDeleteInput(BulkChange):
    """Measurement units to be deleted."""

    measurement_units: list[MeasurementUnitKey] = about("1 to 250 measurement units.")


@mutation(MEASUREMENT_UNIT, needs=USER)
async def measurement_unit_add(call: Call, input: MeasurementUnitAddInput) -> Json:
    """Adds a measurement unit."""
    [unit_id] = await units.add(call.work, units=[MeasurementUnitDraft(**call.filled(input))])
    return {"measurement_unit": unit_id}


@mutation(MEASUREMENT_UNIT, needs=USER)
async def measurement_unit_update(call: Call, input: MeasurementUnitUpdateInput) -> Json:
    """Changes a measurement unit; what is absent stays, null clears."""
    key, changes = call.targets(input.measurement_unit, "measurementUnit"), call.values(input, "measurement_unit")
    [unit_id] = await units.update(call.work, targets=key, changes=changes)
    return {"measurement_unit": unit_id}


@mutation(MEASUREMENT_UNIT_DELETED, needs=USER)
async def measurement_unit_delete(call: Call, input: MeasurementUnitDeleteInput) -> Json:
    """Deletes a measurement unit that no product uses."""
    [unit_id] = await units.delete(call.work, targets=call.targets(input.measurement_unit, "measurementUnit"))
    return {"deleted_id": unit_id}


@mutation(MEASUREMENT_UNITS, needs=USER)
async def measurement_units_add(call: Call, input: MeasurementUnitsAddInput) -> Json:
    """Adds up to 250 measurement units."""
    return await call.each(
        "measurementUnits",
        input.measurement_units,
        lambda row: (None, call.filled(row)),
        lambda rows: units.upsert(call.work, units=rows),
    )


@mutation(MEASUREMENT_UNITS, needs=USER)
async def measurement_units_update(call: Call, input: MeasurementUnitsUpdateInput) -> Json:
    """Changes up to 250 measurement units; what is absent stays, null clears."""
    found = await found_rows(
        call, "measurementUnits", [row.measurement_unit for row in input.measurement_units], units.ids_by
    )
    return await call.each(
        "measurementUnits",
        input.measurement_units,
        lambda row: (found.id(row.measurement_unit, "measurementUnit"), call.values(row, "measurement_unit")),
        lambda rows: units.upsert(call.work, units=rows),
    )


@mutation(MEASUREMENT_UNITS_DELETED, needs=USER)
async def measurement_units_delete(call: Call, input: MeasurementUnitsDeleteInput) -> Json:
    """Deletes up to 250 measurement units that no product uses."""
    return await delete_rows(call, "measurementUnits", input.measurement_units, units.ids_by, units.delete)
