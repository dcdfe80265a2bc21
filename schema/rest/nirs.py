"""`/api/nir`: goods receipts."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import model_validator

from hub.context import Level
from hub.db import UnitOfWork
from hub.errors import NotFound
from hub.models.companies import Company
from hub.models.movements import PurchaseOrderNir
from hub.models.nirs import Nir, NirLine
from hub.services import nirs
from hub.services.nirs import NirDraft
from hub.services.nomenclature import Targets
from hub.services.receipt_lines import ReceiptLineDraft
from schema.planner.fields import column, many, reads, sql, via
from schema.planner.stored import Stored
from schema.rest.answers import listing, one
from schema.rest.filters import Condition, equal, named_by, one_of
from schema.rest.receipts import LineRequest, ScanInfo, drafts, is_validated
from schema.rest.requests import Changes, PagedRequest, Patch, Request, refusal
from schema.rest.routes import RestCall, Route
from schema.rest.values import Amount, Flag, Int, Listed, Long, LongText, Reference, ShortText, Text


@reads(NirLine)
class NirProductInfo:
    """A line of a NIR: announced and, once validated, counted."""

    nirProductId: int = column(name="id")
    productId: int = column(name="product_id")
    code: str = via("product_id", "code")
    name: str = via("product_id", "name")
    quantity: Decimal
    validatedQuantity: Decimal = column(name="validated_quantity")
    externalLineId: str | None = column(name="external_line_id")
    purchasePrice: Decimal | None = column(name="purchase_price")
    locationCode: str | None = via("location_id", "code")
    batchCode: str | None = column(name="batch_code")
    productionDate: date | None = column(name="production_date")
    expirationDate: date | None = column(name="expiration_date")
    snList: list[str] = column(name="serial_numbers")


@reads(PurchaseOrderNir)
class NirPurchaseOrderInfo:
    """A purchase order that the NIR delivers."""

    purchaseOrderId: int = column(name="purchase_order_id")
    documentNumber: str | None = via("purchase_order_id", "document_number")


@reads(Nir)
class NirInfo:
    """A goods receipt."""

    nirId: int = column(name="id")
    externalReference: str = column(name="external_reference")
    warehouseId: int = column(name="warehouse_id")
    validated: bool = sql(is_validated)
    status: int
    nirProducts: list[NirProductInfo] = many("nir_id", order=("position",))
    thirdPartyReference: str | None = column(name="third_party_reference")
    purchaseOrders: list[NirPurchaseOrderInfo] = many("nir_id", order=("purchase_order_id",))
    supplierId: int | None = column(name="supplier_id")
    supplierName: str | None = via("supplier_id", "name")
    packagingType: str | None = column(name="packaging_type")
    comment: str | None
    dateAdded: datetime = column(name="created_at")
    dateValidated: datetime | None = column(name="validated_at")


@reads(Nir)
class NirValidationInfo:
    """When and by whom a NIR was validated, and what was counted."""

    nirId: int = column(name="id")
    externalReference: str = column(name="external_reference")
    validated: bool = sql(is_validated)
    validationDate: datetime | None = column(name="validated_at")
    userId: int | None = column(name="validated_by_id")
    userUsername: str | None = column(name="validated_by")
    scanInfoList: list[ScanInfo] = many("document_id", where=lambda scan: scan.c.document_kind == "nir", order=("id",))


NIRS, VALIDATIONS = Stored(NirInfo), Stored(NirValidationInfo)


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
    nirIds: Listed[Long] = []
    externalReferences: Listed[Reference] = []


class UpdateNirReferenceApiRequest(Request):
    nirId: Long
    externalReference: Reference


class UpdateNirPackagingApiRequest(NirTarget):
    packagingType: ShortText


async def add(call: RestCall[CreateNirApiRequest]) -> bytes:
    body = call.body
    draft = NirDraft(
        external_reference=body.externalReference,
        third_party_reference=body.thirdPartyReference,
        warehouse_id=body.warehouseId,
        supplier_id=body.supplierId,
        lines=_lines(body.nirProducts),
        validation_required=body.validationRequired,
        packaging_type=body.packagingType,
        comment=body.comment,
    )
    ids = await call.database.write(call.scope, lambda work: nirs.add(work, nirs=[draft]))
    return await NIRS.by_ids(call.database, call.scope, ids)


async def update(call: RestCall[UpdateNirApiRequest]) -> bytes:
    changes = call.body.updateFields.changes({"nirProducts": "lines", "validationRequired": "requires_validation"})
    if "lines" in changes:
        changes["lines"] = _lines(changes["lines"])
    return await _change(call, call.body, lambda work, id_: nirs.update(work, nir_id=id_, changes=changes))


async def update_packaging_type(call: RestCall[UpdateNirPackagingApiRequest]) -> bytes:
    kind = call.body.packagingType
    return await _change(
        call, call.body, lambda work, id_: nirs.update_packaging_type(work, nir_id=id_, packaging_type=kind)
    )


async def update_external_reference(call: RestCall[UpdateNirReferenceApiRequest]) -> bytes:
    id_, reference = call.body.nirId, call.body.externalReference
    await call.database.write(
        call.scope, lambda work: nirs.update_external_reference(work, nir_id=id_, external_reference=reference)
    )
    return await NIRS.by_ids(call.database, call.scope, [id_])


async def read(call: RestCall[ReadNirsFilterRequest]) -> bytes:
    wanted, tenant_id = call.body, call.scope.tenant_id
    where = [
        *one_of(Nir.id, wanted.nirIds),
        *one_of(Nir.external_reference, wanted.externalOrderIds),
        *named_by(Nir.supplier_id, Company, Company.external_reference, wanted.externalClientIds, tenant_id),
        *one_of(Nir.warehouse_id, wanted.warehouseIds),
        *one_of(Nir.third_party_reference, wanted.thirdPartyReferenceIds),
        *one_of(Nir.status, wanted.statuses),
    ]
    return await NIRS.page(call.database, call.scope, where=where, limit=wanted.rows, offset=wanted.offset)


async def read_validation(call: RestCall[NirValidationInfoApiRequest]) -> bytes:
    found = await VALIDATIONS.page(call.database, call.scope, where=call.body.where, limit=1)
    if found == b"[]":
        raise NotFound("no such NIR", field="externalReference" if call.body.nirId is None else "nirId")
    return found[1:-1]


async def delete(call: RestCall[DeleteNirApiRequest]) -> list[int]:
    targets: Targets = {"id": call.body.nirIds, "external_reference": call.body.externalReferences}
    return await call.database.write(call.scope, lambda work: nirs.delete(work, targets=targets))


async def _change(call: RestCall[Any], target: NirTarget, action: Callable[[UnitOfWork, int], Awaitable[int]]) -> bytes:
    """Run one change of the NIR that `target` means, and answer with it."""

    async def change(work: UnitOfWork) -> int:
        id_ = await nirs.find_one(work, nir_id=target.nirId, external_reference=target.externalReference)
        return await action(work, id_)

    return await NIRS.by_ids(call.database, call.scope, [await call.database.write(call.scope, change)])


def _lines(lines: Sequence[NirProductApiInfo]) -> list[ReceiptLineDraft]:
    return drafts(lines, purchase_price=lambda line: line.purchasePrice)


ANSWER = listing(NirInfo)
ROUTES: tuple[Route[Any], ...] = (
    Route(
        "PUT",
        "/api/nir/add",
        "Add a NIR",
        add,
        ANSWER,
        level=Level.USER,
        body=CreateNirApiRequest,
        description="Without `validationRequired` the goods are booked into stock at once.",
    ),
    Route(
        "PATCH",
        "/api/nir/update",
        "Update a NIR",
        update,
        ANSWER,
        level=Level.USER,
        body=UpdateNirApiRequest,
        description="Only in statuses 1 and 2 (409). `nirProducts` replaces all lines.",
    ),
    Route(
        "POST",
        "/api/nir/read",
        "List NIRs with filters",
        read,
        ANSWER,
        body=ReadNirsFilterRequest,
        body_optional=True,
        replaced_by="nirs",
    ),
    Route(
        "POST",
        "/api/nir/validation-info",
        "Validation information",
        read_validation,
        one(NirValidationInfo),
        body=NirValidationInfoApiRequest,
        replaced_by="nir",
    ),
    Route(
        "DELETE",
        "/api/nir/delete",
        "Delete NIRs",
        delete,
        listing(int),
        level=Level.USER,
        body=DeleteNirApiRequest,
        description="Only in statuses 0, 1 and 2 (409).",
    ),
    Route(
        "PATCH",
        "/api/nir/update-external-reference",
        "Update the external reference",
        update_external_reference,
        ANSWER,
        level=Level.USER,
        body=UpdateNirReferenceApiRequest,
    ),
    Route(
        "PATCH",
        "/api/nir/update-packaging-type",
        "Update the packaging type",
        update_packaging_type,
        ANSWER,
        level=Level.USER,
        body=UpdateNirPackagingApiRequest,
    ),
)
