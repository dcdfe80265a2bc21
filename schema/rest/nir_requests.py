"""What callers ask of goods receipts."""

from typing import Annotated, ClassVar

from pydantic import model_validator

from hub.models.nirs import Nir
from schema.planner.stored import Condition
from schema.rest.filters import equal
from schema.rest.receipts import LineRequest
from schema.rest.requests import Changes, PagedRequest, Patch, Request, refusal
from schema.rest.values import Amount, Flag, Int, Listed, Long, LongText, Reference, ShortText, Text


class NirProductApiInfo(LineRequest):
    purchasePrice: Amount | None = None


class NirFields(Request):
    """What an open NIR can change."""

    warehouseId: Long | None = None
    supplierId: Long | None = None
    thirdPartyReference: Reference | None = None
    comment: LongText | None = None
    nirProducts: Listed[NirProductApiInfo] = []
    validationRequired: Flag = True


class CreateNirApiRequest(NirFields):
    externalReference: Reference
    packagingType: ShortText | None = None


class NirTarget(Request):
    """A NIR by its id or its reference; both must mean the same one."""

    needs_one_of: ClassVar[tuple[str, ...]] = ("nirId", "externalReference")
    nirId: Long | None = None
    externalReference: Reference | None = None

    @model_validator(mode="after")
    def _names_a_nir(self) -> "NirTarget":
        if self.nirId is None and self.externalReference is None:
            raise refusal("is required, or externalReference", field="nirId")
        return self

    @property
    def where(self) -> list[Condition]:
        return [*equal(Nir.id, self.nirId), *equal(Nir.external_reference, self.externalReference)]


class UpdateNirApiRequest(NirTarget):
    updateFields: Annotated[Patch, Changes(NirFields)]


class NirValidationInfoApiRequest(NirTarget):
    pass


class ReadNirsFilterRequest(PagedRequest):
    nirIds: Listed[Long] = []
    externalOrderIds: Listed[Text] = []
    externalClientIds: Listed[Text] = []
    warehouseIds: Listed[Long] = []
    thirdPartyReferenceIds: Listed[Text] = []
    statuses: Listed[Int] = []


class DeleteNirApiRequest(Request):
    needs_one_of: ClassVar[tuple[str, ...]] = ("nirIds", "externalReferences")
    nirIds: Listed[Long] = []
    externalReferences: Listed[Reference] = []


class UpdateNirReferenceApiRequest(Request):
    nirId: Long
    externalReference: Reference


class UpdateNirPackagingApiRequest(NirTarget):
    packagingType: ShortText
