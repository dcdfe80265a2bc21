"""`/api/return`: goods that come back from clients."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar

from pydantic import model_validator

from hub.context import Level
from hub.errors import NotFound
from hub.models.companies import Company
from hub.models.nirs import Return, ReturnLine
from hub.models.orders import Order
from hub.services import returns
from hub.services.returns import ReturnDraft
from schema.planner.fields import column, many, reads, sql, via
from schema.planner.stored import Stored
from schema.rest.answers import listing, one
from schema.rest.filters import equal, named_by, one_of
from schema.rest.receipts import LineRequest, ScanInfo, drafts, is_validated
from schema.rest.requests import PagedRequest, Request, refusal
from schema.rest.routes import RestCall, Route
from schema.rest.values import Flag, Int, Listed, Long, LongText, Reference, Text


@reads(ReturnLine)
class ReturnProductInfo:
    """A line of a return: announced and, once validated, counted."""

    returnProductId: int = column(name="id")
    productId: int = column(name="product_id")
    code: str = via("product_id", "code")
    name: str = via("product_id", "name")
    quantity: Decimal
    validatedQuantity: Decimal = column(name="validated_quantity")
    externalLineId: str | None = column(name="external_line_id")
    locationCode: str | None = via("location_id", "code")
    batchCode: str | None = column(name="batch_code")
    productionDate: date | None = column(name="production_date")
    expirationDate: date | None = column(name="expiration_date")
    snList: list[str] = column(name="serial_numbers")


@reads(Return)
class ReturnInfo:
    """Goods that come back. `externalClientId` is null once the client has lost its external reference."""

    returnId: int = column(name="id")
    externalReference: str = column(name="external_reference")
    thirdPartyReference: str | None = column(name="third_party_reference")
    externalClientId: str | None = via("company_id", "external_reference")
    companyId: int = column(name="company_id")
    companyName: str = via("company_id", "name")
    warehouseId: int = column(name="warehouse_id")
    initialExternalOrderId: str | None = via("initial_order_id", "external_order_id")
    status: int
    validated: bool = sql(is_validated)
    comment: str | None
    dateAdded: datetime = column(name="created_at")
    dateValidated: datetime | None = column(name="validated_at")
    returnedProducts: list[ReturnProductInfo] = many("return_id", order=("position",))


@reads(Return)
class ReturnValidationInfo:
    """When and by whom a return was validated, and what was counted."""

    returnId: int = column(name="id")
    externalReference: str = column(name="external_reference")
    validated: bool = sql(is_validated)
    validationDate: datetime | None = column(name="validated_at")
    userId: int | None = column(name="validated_by_id")
    userUsername: str | None = column(name="validated_by")
    scanInfoList: list[ScanInfo] = many(
        "document_id", where=lambda scan: scan.c.document_kind == "return", order=("id",)
    )


RETURNS, VALIDATIONS = Stored(ReturnInfo), Stored(ReturnValidationInfo)


class ReturnProductApiInfo(LineRequest):
    pass


class CreateReturnApiRequest(Request):
    externalReference: Reference
    externalClientId: Reference
    warehouseId: Long | None = None
    initialExternalOrderId: Reference | None = None
    returnedProducts: Listed[ReturnProductApiInfo] = []
    thirdPartyReference: Reference | None = None
    comment: LongText | None = None
    validationRequired: Flag = True


class ReadReturnsFilterRequest(PagedRequest):
    returnIds: Listed[Long] = []
    externalReferences: Listed[Text] = []
    externalClientIds: Listed[Text] = []
    initialExternalOrderIds: Listed[Text] = []
    warehouseIds: Listed[Long] = []
    thirdPartyReferenceIds: Listed[Text] = []
    statuses: Listed[Int] = []


class ReturnValidationInfoApiRequest(Request):
    """A return by its id or its reference; both must mean the same one."""

    needs_one_of: ClassVar[tuple[str, ...]] = ("returnId", "externalReference")
    returnId: Long | None = None
    externalReference: Reference | None = None

    @model_validator(mode="after")
    def _names_a_return(self) -> "ReturnValidationInfoApiRequest":
        if self.returnId is None and self.externalReference is None:
            raise refusal("is required, or externalReference", field="returnId")
        return self


async def add(call: RestCall[CreateReturnApiRequest]) -> bytes:
    body = call.body
    draft = ReturnDraft(
        external_reference=body.externalReference,
        external_client_id=body.externalClientId,
        initial_external_order_id=body.initialExternalOrderId,
        third_party_reference=body.thirdPartyReference,
        warehouse_id=body.warehouseId,
        lines=drafts(body.returnedProducts),
        validation_required=body.validationRequired,
        comment=body.comment,
    )
    ids = await call.database.write(call.scope, lambda work: returns.add(work, returns=[draft]))
    return await RETURNS.by_ids(call.database, call.scope, ids)


async def read(call: RestCall[ReadReturnsFilterRequest]) -> bytes:
    wanted = call.body
    where = [
        *one_of(Return.id, wanted.returnIds),
        *one_of(Return.external_reference, wanted.externalReferences),
        *named_by(Return.company_id, Company, Company.external_reference, wanted.externalClientIds),
        *named_by(Return.initial_order_id, Order, Order.external_order_id, wanted.initialExternalOrderIds),
        *one_of(Return.warehouse_id, wanted.warehouseIds),
        *one_of(Return.third_party_reference, wanted.thirdPartyReferenceIds),
        *one_of(Return.status, wanted.statuses),
    ]
    return await RETURNS.page(call.database, call.scope, where=where, limit=wanted.rows, offset=wanted.offset)


async def read_validation(call: RestCall[ReturnValidationInfoApiRequest]) -> bytes:
    wanted = call.body
    where = [*equal(Return.id, wanted.returnId), *equal(Return.external_reference, wanted.externalReference)]
    found = await VALIDATIONS.page(call.database, call.scope, where=where, limit=1)
    if found == b"[]":
        raise NotFound("no such return", field="externalReference" if wanted.returnId is None else "returnId")
    return found[1:-1]


ANSWER = listing(ReturnInfo)
ROUTES: tuple[Route[Any], ...] = (
    Route(
        "PUT",
        "/api/return/add",
        "Add a return",
        add,
        ANSWER,
        level=Level.USER,
        body=CreateReturnApiRequest,
        description="Without `validationRequired` the goods are booked into stock at once.",
        replaced_by="returnAdd",
    ),
    Route(
        "POST",
        "/api/return/read",
        "List returns with filters",
        read,
        ANSWER,
        body=ReadReturnsFilterRequest,
        body_optional=True,
        replaced_by="returns",
    ),
    Route(
        "POST",
        "/api/return/validation-info",
        "Return validation information",
        read_validation,
        one(ReturnValidationInfo),
        body=ReturnValidationInfoApiRequest,
        replaced_by="return",
    ),
)
