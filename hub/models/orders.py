"""Outbound documents: orders with lines and requirements, shipments, goods issued notes, invoices, print jobs."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Identity, LargeBinary
from sqlmodel import Field, SQLModel

from hub.models.columns import (
    Stamped,
    TenantRow,
    belongs,
    big,
    check,
    decimal,
    document,
    flag,
    index,
    long_text,
    moment,
    not_negative,
    now,
    string,
    unique,
)


class Order(TenantRow, Stamped, table=True):
    """An outbound document: a client's order (type 1) or an expenditure receipt (type 2)."""

    __tablename__ = "orders"
    __table_args__: ClassVar[Any] = (
        unique("orders", "external_order_id"),
        unique("orders", "third_party_reference", where="third_party_reference IS NOT NULL"),
        index("orders", "status", "created_at"),
        index("orders", "created_at", "id"),
        index("orders", "company_id"),
        index("orders", "warehouse_id"),
        belongs("warehouse_id", "warehouses"),
        belongs("company_id", "companies"),
        check("status_is_known", "status BETWEEN 0 AND 8"),
        check("type_is_known", "order_type IN (1, 2)"),
        *not_negative("number_of_envelopes", "number_of_packages"),
    )

    external_order_id: str = string()
    third_party_reference: str | None = string(default=None)
    warehouse_id: int = big()
    company_id: int | None = big(default=None)
    status: int = Field(default=1)
    order_type: int = Field(default=1)
    requires_validation: bool = flag(True)
    released: bool = flag(True)
    comment: str | None = string(4000, default=None)
    awb_external_link: str | None = string(2048, default=None)
    invoice_external_link: str | None = string(2048, default=None)
    number_of_envelopes: int | None = Field(default=None)
    number_of_packages: int | None = Field(default=None)
    picker_id: int | None = big(default=None)
    picker_username: str | None = string(default=None)
    placed_at: datetime | None = moment(default=None)
    validated_at: datetime | None = moment(default=None)
    search: str = long_text(default="")


class OrderLine(TenantRow, table=True):
    __tablename__ = "order_lines"
    __table_args__: ClassVar[Any] = (
        unique("order_lines", "order_id", "external_line_id", where="external_line_id IS NOT NULL"),
        index("order_lines", "order_id", "position"),
        index("order_lines", "product_id"),
        belongs("order_id", "orders"),
        belongs("product_id", "products"),
        belongs("location_id", "locations"),
        check("quantity_positive", "quantity > 0"),
        check("picked_within_quantity", "picked_quantity >= 0 AND picked_quantity <= quantity"),
        check(
            "reserved_within_quantity",
            "reserved_quantity >= 0 AND reserved_quantity + picked_quantity <= quantity",
        ),
    )

    order_id: int = big()
    position: int = Field(default=0)
    product_id: int = big()
    external_line_id: str | None = string(default=None)
    quantity: Decimal = decimal()
    reserved_quantity: Decimal = decimal(default=Decimal(0))
    picked_quantity: Decimal = decimal(default=Decimal(0))
    location_id: int | None = big(default=None)


class OrderRequirement(TenantRow, table=True):
    """A named wish of the client, shown to the picker."""

    __tablename__ = "order_requirements"
    __table_args__: ClassVar[Any] = (
        index("order_requirements", "order_id", "position"),
        belongs("order_id", "orders", ondelete="CASCADE"),
    )

    order_id: int = big()
    position: int = Field(default=0)
    name: str = string()
    value: str = string(4000)


class OrderDelta(SQLModel, table=True):
    """A change of the order summary, appended by the writer and folded into it by a job: no hot row."""

    __tablename__ = "order_deltas"

    tenant_id: int = Field(sa_type=BigInteger, primary_key=True, foreign_key="tenants.id")
    id: int = Field(default=None, sa_type=BigInteger, primary_key=True, sa_column_args=[Identity(always=True)])
    warehouse_id: int = big()
    status: int = Field()
    day: date = Field()
    orders: int = Field(default=0)


class OrderSummary(SQLModel, table=True):
    """Folded number of orders by warehouse, status and day of creation."""

    __tablename__ = "order_summaries"

    tenant_id: int = Field(sa_type=BigInteger, primary_key=True, foreign_key="tenants.id")
    warehouse_id: int = Field(sa_type=BigInteger, primary_key=True)
    status: int = Field(primary_key=True)
    day: date = Field(primary_key=True)
    orders: int = Field(default=0)


class DocumentChange(TenantRow, table=True):
    """One step in the life of a document: who moved it from which state to which."""

    __tablename__ = "document_changes"
    __table_args__: ClassVar[Any] = (index("document_changes", "document_kind", "document_id"),)

    document_kind: str = string(32)
    document_id: int = big()
    status_before: int | None = Field(default=None)
    status_after: int = Field()
    actor: str = string()
    occurred_at: datetime = now()


class Shipment(TenantRow, Stamped, table=True):
    """What left the warehouse for an order, and with whom."""

    __tablename__ = "shipments"
    __table_args__: ClassVar[Any] = (
        unique("shipments", "external_reference", where="external_reference IS NOT NULL"),
        index("shipments", "order_id"),
        belongs("order_id", "orders", ondelete="CASCADE"),
        *not_negative("parcels", "weight"),
    )

    order_id: int = big()
    external_reference: str | None = string(default=None)
    carrier: str | None = string(default=None)
    tracking_number: str | None = string(default=None)
    tracking_link: str | None = string(2048, default=None)
    parcels: int | None = Field(default=None)
    weight: Decimal | None = decimal(default=None)
    shipped_at: datetime | None = moment(default=None)


class GoodsIssuedNote(TenantRow, Stamped, table=True):
    """Made when an order is validated; its PDF is the order's notice."""

    __tablename__ = "goods_issued_notes"
    __table_args__: ClassVar[Any] = (
        unique("goods_issued_notes", "order_id"),
        belongs("order_id", "orders", ondelete="CASCADE"),
    )

    order_id: int = big()
    number: str = string()
    issued_at: datetime = now()


class Invoice(TenantRow, Stamped, table=True):
    __tablename__ = "invoices"
    __table_args__: ClassVar[Any] = (
        unique("invoices", "external_reference"),
        index("invoices", "company_id"),
        index("invoices", "order_id"),
        belongs("company_id", "companies"),
        belongs("order_id", "orders"),
    )

    external_reference: str = string()
    number: str = string()
    company_id: int = big()
    order_id: int | None = big(default=None)
    issued_on: date = Field()
    due_on: date | None = Field(default=None)
    currency: str = string(3, default="RON")
    status: str = string(32, default="OPEN")
    net: Decimal = decimal(default=Decimal(0))
    tax: Decimal = decimal(default=Decimal(0))
    gross: Decimal = decimal(default=Decimal(0))
    paid: Decimal = decimal(default=Decimal(0))
    pdf: bytes | None = Field(default=None, sa_type=LargeBinary)


class InvoiceLine(TenantRow, table=True):
    __tablename__ = "invoice_lines"
    __table_args__: ClassVar[Any] = (
        index("invoice_lines", "invoice_id", "position"),
        index("invoice_lines", "product_id"),
        belongs("invoice_id", "invoices", ondelete="CASCADE"),
        belongs("product_id", "products"),
    )

    invoice_id: int = big()
    position: int = Field(default=0)
    product_id: int | None = big(default=None)
    description: str = string(4000, default="")
    quantity: Decimal = decimal()
    net_price: Decimal = decimal()
    vat_percentage: Decimal | None = decimal(default=None)


class PrintJob(TenantRow, Stamped, table=True):
    """A document to be printed in the warehouse: QUEUED, then DONE or FAILED by the print station."""

    __tablename__ = "print_jobs"
    __table_args__: ClassVar[Any] = (
        index("print_jobs", "state"),
        belongs("order_id", "orders", ondelete="CASCADE"),
        check("copies_in_range", "copies BETWEEN 1 AND 100"),
        check("state_is_known", "state IN ('QUEUED', 'DONE', 'FAILED')"),
    )

    order_id: int = big()
    document_type: str = string(16, default="NOTICE")
    copies: int = Field(default=1)
    state: str = string(16, default="QUEUED")
    message: str | None = string(4000, default=None)
    requested_by: str = string()
    settings: dict[str, Any] = document()


class Notification(TenantRow, table=True):
    """A message for one user, or for all users of the tenant."""

    __tablename__ = "notifications"
    __table_args__: ClassVar[Any] = (belongs("recipient_id", "users", ondelete="CASCADE"),)

    title: str = string()
    message: str = string(4000)
    recipient_id: int | None = big(default=None)
    created_at: datetime = now()
