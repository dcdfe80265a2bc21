"""`/api/nir`: goods receipts."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

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
from schema.rest.filters import named_by, one_of
from schema.rest.nir_requests import (
    CreateNirApiRequest,
    DeleteNirApiRequest,
    NirProductApiInfo,
    NirTarget,
    NirValidationInfoApiRequest,
    ReadNirsFilterRequest,
    UpdateNirApiRequest,
    UpdateNirPackagingApiRequest,
    UpdateNirReferenceApiRequest,
)
from schema.rest.receipts import ScanInfo, drafts, is_validated
from schema.rest.routes import RestCall, Route


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
    wanted = call.body
    where = [
        *one_of(Nir.id, wanted.nirIds),
        *one_of(Nir.external_reference, wanted.externalOrderIds),
        *named_by(Nir.supplier_id, Company, Company.external_reference, wanted.externalClientIds),
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
        replaced_by="nirAdd",
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
        replaced_by="nirUpdate",
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
        replaced_by="nirsDelete",
    ),
    Route(
        "PATCH",
        "/api/nir/update-external-reference",
        "Update the external reference",
        update_external_reference,
        ANSWER,
        level=Level.USER,
        body=UpdateNirReferenceApiRequest,
        replaced_by="nirExternalReferenceUpdate",
    ),
    Route(
        "PATCH",
        "/api/nir/update-packaging-type",
        "Update the packaging type",
        update_packaging_type,
        ANSWER,
        level=Level.USER,
        body=UpdateNirPackagingApiRequest,
        replaced_by="nirPackagingTypeUpdate",
    ),
)
