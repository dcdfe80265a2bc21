"""Products with their categories, measurement units and prices."""

from datetime import date
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
    not_negative,
    sort_key,
    string,
    unique,
)


class Category(TenantRow, Stamped, table=True):
    __tablename__ = "categories"
    __table_args__: ClassVar[Any] = (
        unique("categories", "external_reference", where="external_reference IS NOT NULL"),
        unique("categories", "third_party_reference", where="third_party_reference IS NOT NULL"),
        index("categories", "sort_key", "id"),
    )

    name: str = string()
    details: str | None = string(4000, default=None)
    external_reference: str | None = string(default=None)
    third_party_reference: str | None = string(default=None)
    active: bool = flag(True)
    search: str = long_text(default="")
    sort_key: str = sort_key()


class MeasurementUnit(TenantRow, Stamped, table=True):
    __tablename__ = "measurement_units"
    __table_args__: ClassVar[Any] = (
        unique("measurement_units", "code"),
        unique("measurement_units", "third_party_reference", where="third_party_reference IS NOT NULL"),
    )

    name: str = string()
    code: str = string(128)
    details: str | None = string(4000, default=None)
    third_party_reference: str | None = string(default=None)
    active: bool = flag(True)


class Product(TenantRow, Stamped, table=True):
    """A thing the warehouse buys, keeps, makes or sells."""

    __tablename__ = "products"
    __table_args__: ClassVar[Any] = (
        unique("products", "code"),
        unique("products", "sku", where="sku IS NOT NULL"),
        unique("products", "third_party_reference", where="third_party_reference IS NOT NULL"),
        index("products", "name"),
        index("products", "sort_key", "id"),
        index("products", "category_id"),
        index("products", "updated_at"),
        belongs("category_id", "categories"),
        belongs("measurement_unit_id", "measurement_units"),
        check("serial_or_batch", "NOT (requires_serial_number AND requires_batch_code)"),
        *not_negative("minimum_stock", "purchase_price", "selling_price", "weight"),
    )

    name: str = string()
    code: str = string(128)
    sku: str | None = string(128, default=None)
    third_party_reference: str | None = string(default=None)
    category_id: int | None = big(default=None)
    measurement_unit_id: int | None = big(default=None)
    vat_id: int | None = big(default=None)
    vat_percentage: Decimal | None = decimal(default=None)
    purchase_price: Decimal | None = decimal(default=None)
    selling_price: Decimal | None = decimal(default=None)
    minimum_stock: Decimal = decimal(default=Decimal(0))
    requires_serial_number: bool = flag()
    requires_batch_code: bool = flag()
    requires_batch_details: bool = flag()
    requires_production_date: bool = flag()
    requires_expiration_date: bool = flag()
    width: Decimal | None = decimal(default=None)
    height: Decimal | None = decimal(default=None)
    length: Decimal | None = decimal(default=None)
    weight: Decimal | None = decimal(default=None)
    volume: Decimal | None = decimal(default=None)
    diameter: Decimal | None = decimal(default=None)
    material: str | None = string(128, default=None)
    color: str | None = string(128, default=None)
    active: bool = flag(True)
    send_to_external: bool = flag(True)
    search: str = long_text(default="")
    sort_key: str = sort_key()


class PriceList(TenantRow, Stamped, table=True):
    __tablename__ = "price_lists"
    __table_args__: ClassVar[Any] = (unique("price_lists", "external_reference"),)

    external_reference: str = string()
    name: str = string()
    currency: str = string(3, default="RON")


class Price(TenantRow, Stamped, table=True):
    """The net price of one product in one price list from a day on."""

    __tablename__ = "prices"
    __table_args__: ClassVar[Any] = (
        unique("prices", "price_list_id", "product_id", "valid_from"),
        belongs("price_list_id", "price_lists", ondelete="CASCADE"),
        belongs("product_id", "products", ondelete="CASCADE"),
        *not_negative("net_price"),
    )

    price_list_id: int = big()
    product_id: int = big()
    net_price: Decimal = decimal()
    valid_from: date = Field()
