"""What `/api/order` is asked: filters, orders to add or change, and the keys that name one order."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

from pydantic import model_validator

from hub.errors import NotFound
from hub.models.orders import Order
from hub.services.buyers import BuyerDraft
from hub.services.nomenclature import Targets
from hub.services.order_drafts import OrderLineDraft
from schema.planner.stored import Condition
from schema.rest.filters import equal
from schema.rest.kinds import RefusedKind, TextKind
from schema.rest.requests import Changes, PagedRequest, Patch, Request, refusal, snake
from schema.rest.values import (
    Address,
    Code,
    Copies,
    Count,
    DocumentType,
    FlagOrBit,
    Int,
    Link,
    Listed,
    Long,
    LongText,
    Name,
    OrderType,
    Quantity,
    Reference,
    StatusCode,
    Text,
)

RENAMED = {
    "validationRequired": "requires_validation",
    "orderProducts": "lines",
    "orderRequirements": "requirements",
}
"""Fields whose column has another name."""


class ReadOrdersFilterRequest(PagedRequest):
    orderIds: Listed[Long] = []
    externalOrderIds: Listed[Text] = []
    companyExternalReferences: Listed[Text] = []
    warehouseIds: Listed[Long] = []
    statuses: Listed[Int] = []
    orderType: Int | None = None
    thirdPartyReferenceIds: Listed[Text] = []


class OrderCompanyRequest(Request):
    """The client: found by its id, its references or its `cui`, else created."""

    companyId: Long | None = None
    externalReference: Reference | None = None
    thirdPartyReference: Reference | None = None
    name: Text | None = None
    cui: Text | None = None
    regNo: Text | None = None
    bank: Text | None = None
    iban: Text | None = None
    address: Address | None = None
    phone: Text | None = None
    email: Text | None = None
    website: Text | None = None


class CreateOrderProductApiRequest(Request):
    """A line; the product by its code or its id."""

    needs_one_of: ClassVar[tuple[str, ...]] = ("productModel", "productId")
    productModel: Code | None = None
    productId: Long | None = None
    quantity: Quantity
    externalLineId: Reference | None = None
    locationCode: Code | None = None


class OrderRequirementRequest(Request):
    name: Name
    value: Name


class CreateOrderApiRequest(Request):
    externalOrderId: Reference
    thirdPartyReference: Reference | None = None
    warehouseId: Long | None = None
    orderType: OrderType = 1
    validationRequired: FlagOrBit = True
    comment: LongText | None = None
    awbExternalLink: Link | None = None
    invoiceExternalLink: Link | None = None
    numberOfEnvelopes: Count | None = None
    numberOfPackages: Count | None = None
    company: OrderCompanyRequest | None = None
    orderProducts: Listed[CreateOrderProductApiRequest] = []
    orderRequirements: Listed[OrderRequirementRequest] = []


class OrderChanges(CreateOrderApiRequest):
    """What an update may set."""

    status: Annotated[None, RefusedKind("use /api/order/update-status")] = None


class OrderTargets(Request):
    needs_one_of: ClassVar[tuple[str, ...]] = ("orderIds", "externalOrderIds", "thirdPartyReferenceIds")
    orderIds: Listed[Long] = []
    externalOrderIds: Listed[Reference] = []
    thirdPartyReferenceIds: Listed[Reference] = []

    @property
    def targets(self) -> Targets:
        return {
            "id": self.orderIds,
            "external_order_id": self.externalOrderIds,
            "third_party_reference": self.thirdPartyReferenceIds,
        }


class UpdateOrderApiRequest(OrderTargets):
    updateFields: Annotated[Patch, Changes(OrderChanges)]


class DeleteOrderApiRequest(OrderTargets):
    pass


class OrderKeyRequest(Request):
    """One order, by its id, by the caller's key, or by both when they agree."""

    needs_one_of: ClassVar[tuple[str, ...]] = ("orderId", "externalOrderId")
    orderId: Long | None = None
    externalOrderId: Reference | None = None

    @model_validator(mode="after")
    def _named(self) -> "OrderKeyRequest":
        if self.orderId is None and self.externalOrderId is None:
            raise refusal("name the order by orderId or externalOrderId", field="orderId")
        return self

    @property
    def where(self) -> list[Condition]:
        return [*equal(Order.id, self.orderId), *equal(Order.external_order_id, self.externalOrderId)]

    @property
    def unknown(self) -> NotFound:
        if self.orderId is None:
            return NotFound(f"no order has externalOrderId {self.externalOrderId}", field="externalOrderId")
        if self.externalOrderId is None:
            return NotFound(f"no order has orderId {self.orderId}", field="orderId")
        return NotFound(
            f"no order has orderId {self.orderId} and externalOrderId {self.externalOrderId}", field="orderId"
        )


class PrintDocumentRequest(OrderKeyRequest):
    documentType: DocumentType = "NOTICE"
    copies: Copies = 1


class UpdateOrderStatusRequest(Request):
    orderId: Long
    status: StatusCode
    awbExternalLink: Link | None = None


class UpdateAwbLinkRequest(OrderKeyRequest):
    awbExternalLink: Annotated[str, TextKind(2048, blank=False)]


class CheckWaitingOrdersRequest(Request):
    orderIds: Listed[Long] = []


def buyer_draft(company: OrderCompanyRequest) -> BuyerDraft:
    return BuyerDraft(**{snake(name): value for name, value in company})


def line_drafts(lines: Sequence[CreateOrderProductApiRequest]) -> list[OrderLineDraft]:
    return [
        OrderLineDraft(
            product_id=line.productId,
            product_code=line.productModel,
            quantity=line.quantity,
            external_line_id=line.externalLineId,
            location_code=line.locationCode,
        )
        for line in lines
    ]


def drafted(columns: Mapping[str, Any]) -> dict[str, Any]:
    """The nested parts of a request as the services take them."""
    drafts = dict(columns)
    if drafts.get("company") is not None:
        drafts["company"] = buyer_draft(drafts["company"])
    if "lines" in drafts:
        drafts["lines"] = line_drafts(drafts["lines"])
    if "requirements" in drafts:
        drafts["requirements"] = [(wish.name, wish.value) for wish in drafts["requirements"]]
    return drafts
