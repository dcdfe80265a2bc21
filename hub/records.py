"""What connectors hand to the hub and receive from it: plain, validated by types, free of any vendor's words.

Keys are the external system's own (opaque text). Times are aware UTC, quantities and money `Decimal`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

Payload = Mapping[str, Any]
"""One raw record as the external system sent it (decoded JSON or XML)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryRecord:
    external_key: str
    name: str
    details: str | None = None
    active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyRecord:
    """A client or supplier; `external_key` may be empty for buyers that the system keeps without an id."""

    name: str
    external_key: str = ""
    type: str = "CLIENT"
    cui: str | None = None
    reg_no: str | None = None
    bank: str | None = None
    iban: str | None = None
    address: str | None = None
    phone: str | None = None
    email: str | None = None
    website: str | None = None
    active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductRecord:
    """A product; `code` becomes the unique product code (the SKU or code, else the vendor's id)."""

    external_key: str
    code: str
    name: str
    sku: str | None = None
    category: CategoryRecord | None = None
    unit_code: str | None = None
    vat_percentage: Decimal | None = None
    purchase_price: Decimal | None = None
    selling_price: Decimal | None = None
    weight: Decimal | None = None
    requires_serial_number: bool = False
    requires_batch_code: bool = False
    active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductRef:
    """How a line names its product: by the vendor's id first, else by code or SKU."""

    external_key: str | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLineRecord:
    product: ProductRef
    quantity: Decimal
    external_line_id: str | None = None
    location_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRecord:
    """An outbound document: a client's order (type 1) or an expenditure receipt (type 2).

    `external_key` is the system's internal id, `number` what its user or the buyer sees, `status_id` the system's
    status, on which the hub's status mappings decide.
    """

    external_key: str
    number: str
    status_id: str
    lines: tuple[OrderLineRecord, ...]
    order_type: int = 1
    company: CompanyRecord | None = None
    comment: str | None = None
    warehouse_code: str | None = None
    awb_link: str | None = None
    invoice_link: str | None = None
    requirements: tuple[tuple[str, str], ...] = ()
    placed_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptLineRecord:
    product: ProductRef
    quantity: Decimal
    external_line_id: str | None = None
    location_code: str | None = None
    purchase_price: Decimal | None = None
    batch_code: str | None = None
    production_date: date | None = None
    expiration_date: date | None = None
    serial_numbers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NirRecord:
    """A goods receipt; `validated` books it at once (the system has already received the goods)."""

    external_key: str
    number: str
    status_id: str
    lines: tuple[ReceiptLineRecord, ...]
    supplier: CompanyRecord | None = None
    warehouse_code: str | None = None
    comment: str | None = None
    validated: bool = False
    purchase_order_number: str | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StockLevel:
    """A product's free quantity for the outside; `external_key` is the vendor's id of the product when it is known."""

    product_id: int
    code: str
    quantity: Decimal
    sku: str | None = None
    external_key: str | None = None
    cost: Decimal | None = None
    by_warehouse: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChange:
    """A document reached a state that the external system shall know; `status_id` is already the system's own.

    `document` is order, expenditure_receipt, nir or return; a return is told of under the key of its order.
    """

    document: str
    external_key: str
    status_id: str
    number: str | None = None
    awb_link: str | None = None
    document_id: int | None = None
