"""Inbound documents: goods receipts (the local legal word is NIR) and returns from clients."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar

from sqlmodel import Field

from hub.models.columns import (
    Stamped,
    TenantRow,
    belongs,
    big,
    check,
    decimal,
    flag,
    index,
    long_text,
    moment,
    string,
    texts,
    unique,
)


class Nir(TenantRow, Stamped, table=True):
    """A goods receipt: what a supplier delivers to a warehouse."""

    __tablename__ = "nirs"
    __table_args__: ClassVar[Any] = (
        unique("nirs", "external_reference"),
        unique("nirs", "third_party_reference", where="third_party_reference IS NOT NULL"),
        index("nirs", "status"),
        index("nirs", "supplier_id"),
        index("nirs", "warehouse_id"),
        index("nirs", "created_at", "id"),
        belongs("warehouse_id", "warehouses"),
        belongs("supplier_id", "companies"),
        check("status_is_known", "status BETWEEN 0 AND 8"),
    )

    external_reference: str = string()
    third_party_reference: str | None = string(default=None)
    warehouse_id: int = big()
    supplier_id: int | None = big(default=None)
    status: int = Field(default=1)
    requires_validation: bool = flag(True)
    packaging_type: str | None = string(64, default=None)
    comment: str | None = string(4000, default=None)
    validated_at: datetime | None = moment(default=None)
    validated_by_id: int | None = big(default=None)
    validated_by: str | None = string(default=None)
    search: str = long_text(default="")


class NirLine(TenantRow, table=True):
    __tablename__ = "nir_lines"
    __table_args__: ClassVar[Any] = (
        unique("nir_lines", "nir_id", "external_line_id", where="external_line_id IS NOT NULL"),
        index("nir_lines", "nir_id", "position"),
        index("nir_lines", "product_id"),
        belongs("nir_id", "nirs"),
        belongs("product_id", "products"),
        belongs("location_id", "locations"),
        check("quantity_positive", "quantity > 0"),
        check("validated_not_negative", "validated_quantity >= 0"),
    )

    nir_id: int = big()
    position: int = Field(default=0)
    product_id: int = big()
    external_line_id: str | None = string(default=None)
    quantity: Decimal = decimal()
    validated_quantity: Decimal = decimal(default=Decimal(0))
    purchase_price: Decimal | None = decimal(default=None)
    location_id: int | None = big(default=None)
    batch_code: str | None = string(64, default=None)
    production_date: date | None = Field(default=None)
    expiration_date: date | None = Field(default=None)
    serial_numbers: list[str] = texts()


class Return(TenantRow, Stamped, table=True):
    """Goods coming back from a client, with or without the order they left with."""

    __tablename__ = "returns"
    __table_args__: ClassVar[Any] = (
        unique("returns", "external_reference"),
        unique("returns", "third_party_reference", where="third_party_reference IS NOT NULL"),
        index("returns", "company_id"),
        index("returns", "initial_order_id"),
        index("returns", "status"),
        belongs("warehouse_id", "warehouses"),
        belongs("company_id", "companies"),
        belongs("initial_order_id", "orders"),
        check("status_is_known", "status BETWEEN 0 AND 8"),
    )

    external_reference: str = string()
    third_party_reference: str | None = string(default=None)
    warehouse_id: int = big()
    company_id: int = big()
    initial_order_id: int | None = big(default=None)
    status: int = Field(default=1)
    requires_validation: bool = flag(True)
    comment: str | None = string(4000, default=None)
    validated_at: datetime | None = moment(default=None)
    validated_by_id: int | None = big(default=None)
    validated_by: str | None = string(default=None)


class ReturnLine(TenantRow, table=True):
    __tablename__ = "return_lines"
    __table_args__: ClassVar[Any] = (
        unique("return_lines", "return_id", "external_line_id", where="external_line_id IS NOT NULL"),
        index("return_lines", "return_id", "position"),
        index("return_lines", "product_id"),
        belongs("return_id", "returns"),
        belongs("product_id", "products"),
        belongs("location_id", "locations"),
        check("quantity_positive", "quantity > 0"),
        check("validated_not_negative", "validated_quantity >= 0"),
    )

    return_id: int = big()
    position: int = Field(default=0)
    product_id: int = big()
    external_line_id: str | None = string(default=None)
    quantity: Decimal = decimal()
    validated_quantity: Decimal = decimal(default=Decimal(0))
    location_id: int | None = big(default=None)
    batch_code: str | None = string(64, default=None)
    production_date: date | None = Field(default=None)
    expiration_date: date | None = Field(default=None)
    serial_numbers: list[str] = texts()
