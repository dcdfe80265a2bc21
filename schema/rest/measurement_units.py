"""`/api/measurement-unit`: the units in which products are counted."""

from typing import Annotated, Any, ClassVar

from hub.context import Level
from hub.models.products import MeasurementUnit
from hub.services import measurement_units
from hub.services.measurement_units import MeasurementUnitDraft
from hub.services.nomenclature import Targets
from schema.planner.fields import column, reads
from schema.planner.stored import Stored
from schema.rest.answers import listing
from schema.rest.filters import equal, one_of
from schema.rest.requests import Changes, PagedRequest, Patch, Request
from schema.rest.routes import RestCall, Route
from schema.rest.values import Code, Flag, Listed, Long, LongText, Name, Reference, Text

COLUMNS = {"status": "active"}


@reads(MeasurementUnit)
class MeasurementUnitInfo:
    """A measurement unit; `status` = active."""

    muId: int = column(name="id")
    name: str
    code: str
    details: str | None
    status: bool = column(name="active")
    thirdPartyReference: str | None = column(name="third_party_reference")


UNITS = Stored(MeasurementUnitInfo)


class MeasurementUnitTargets(Request):
    needs_one_of: ClassVar[tuple[str, ...]] = ("muIds", "codes", "thirdPartyReferenceIds")
    muIds: Listed[Long] = []
    codes: Listed[Code] = []
    thirdPartyReferenceIds: Listed[Reference] = []

    @property
    def targets(self) -> Targets:
        return {"id": self.muIds, "code": self.codes, "third_party_reference": self.thirdPartyReferenceIds}


class ReadMeasurementUnitsFilterRequest(PagedRequest):
    muIds: Listed[Long] = []
    codes: Listed[Text] = []
    thirdPartyReferenceIds: Listed[Text] = []
    status: Flag | None = None


class AddMeasurementUnitApiRequest(Request):
    name: Name
    code: Code
    details: LongText | None = None
    status: Flag = True
    thirdPartyReference: Reference | None = None


class EditMeasurementUnitApiRequest(MeasurementUnitTargets):
    updateFields: Annotated[Patch, Changes(AddMeasurementUnitApiRequest)]


class DeleteMeasurementUnitApiRequest(MeasurementUnitTargets):
    pass


async def read(call: RestCall[ReadMeasurementUnitsFilterRequest]) -> bytes:
    wanted = call.body
    where = [
        *one_of(MeasurementUnit.id, wanted.muIds),
        *one_of(MeasurementUnit.code, wanted.codes),
        *one_of(MeasurementUnit.third_party_reference, wanted.thirdPartyReferenceIds),
        *equal(MeasurementUnit.active, wanted.status),
    ]
    return await UNITS.page(call.database, call.scope, where=where, limit=wanted.rows, offset=wanted.offset)


async def add(call: RestCall[AddMeasurementUnitApiRequest]) -> bytes:
    draft = MeasurementUnitDraft(
        name=call.body.name,
        code=call.body.code,
        details=call.body.details,
        third_party_reference=call.body.thirdPartyReference,
        active=call.body.status,
    )
    ids = await call.database.write(call.scope, lambda work: measurement_units.add(work, units=[draft]))
    return await UNITS.by_ids(call.database, call.scope, ids)


async def update(call: RestCall[EditMeasurementUnitApiRequest]) -> bytes:
    targets, changes = call.body.targets, call.body.updateFields.changes(COLUMNS)
    ids = await call.database.write(
        call.scope, lambda work: measurement_units.update(work, targets=targets, changes=changes)
    )
    return await UNITS.by_ids(call.database, call.scope, ids)


async def delete(call: RestCall[DeleteMeasurementUnitApiRequest]) -> list[int]:
    targets = call.body.targets
    return await call.database.write(call.scope, lambda work: measurement_units.delete(work, targets=targets))


ROUTES: tuple[Route[Any], ...] = (
    Route(
        "PUT",
        "/api/measurement-unit/add",
        "Add a measurement unit",
        add,
        listing(MeasurementUnitInfo),
        level=Level.USER,
        body=AddMeasurementUnitApiRequest,
        replaced_by="measurementUnitAdd",
    ),
    Route(
        "POST",
        "/api/measurement-unit/read",
        "List measurement units",
        read,
        listing(MeasurementUnitInfo),
        body=ReadMeasurementUnitsFilterRequest,
        body_optional=True,
        replaced_by="measurementUnits",
    ),
    Route(
        "POST",
        "/api/measurement-unit/update",
        "Update measurement units",
        update,
        listing(MeasurementUnitInfo),
        level=Level.USER,
        body=EditMeasurementUnitApiRequest,
        replaced_by="measurementUnitsUpdate",
    ),
    Route(
        "DELETE",
        "/api/measurement-unit/delete",
        "Delete measurement units",
        delete,
        listing(int),
        level=Level.USER,
        body=DeleteMeasurementUnitApiRequest,
        description="A unit that a product uses cannot be deleted (409).",
        replaced_by="measurementUnitsDelete",
    ),
)
