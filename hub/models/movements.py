"""Documents that move or count goods inside the house: transfers, inventories, purchase and production orders."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Index, text
from sqlmodel import Field, SQLModel

from hub.models.columns import (
    Stamped,
    TenantRow,
    belongs,
    big,
    check,
    decimal,
    index,
    moment,
    string,
    texts,
    unique,
)


class Transfer(TenantRow, Stamped, table=True):
    """Goods moved from location to location; the total stays unchanged."""

    __tablename__ = "transfers"
    __table_args__: ClassVar[Any] = (
        index("transfers", "status"),
        check("status_is_known", "status BETWEEN 0 AND 8"),
    )

    status: int = Field(default=1)
    created_by: str = string(default="")
    validated_at: datetime | None = moment(default=None)
    validated_by: str | None = string(default=None)


class TransferLine(TenantRow, table=True):
    __tablename__ = "transfer_lines"
    __table_args__: ClassVar[Any] = (
        index("transfer_lines", "transfer_id"),
        index("transfer_lines", "product_id"),
        belongs("transfer_id", "transfers"),
        belongs("product_id", "products"),
        belongs("source_location_id", "locations"),
        belongs("destination_location_id", "locations"),
        check("quantity_positive", "quantity > 0"),
        check("locations_differ", "source_location_id <> destination_location_id"),
    )

    transfer_id: int = big()
    product_id: int = big()
    quantity: Decimal = decimal()
    source_location_id: int = big()
    destination_location_id: int = big()
    batch_code: str | None = string(64, default=None)
    serial_number: str | None = string(64, default=None)
    sscc: str | None = string(64, default=None)


class Inventory(TenantRow, Stamped, table=True):
    """A count of what is really there."""

    __tablename__ = "inventories"
    __table_args__: ClassVar[Any] = (
        index("inventories", "status"),
        belongs("warehouse_id", "warehouses"),
        check("status_is_known", "status BETWEEN 0 AND 8"),
    )

    warehouse_id: int = big()
    status: int = Field(default=1)
    created_by: str = string(default="")
    validated_at: datetime | None = moment(default=None)
    validated_by: str | None = string(default=None)


class InventoryCount(TenantRow, Stamped, table=True):
    """The counted quantity of one product, location and batch; a second count of the same key replaces the first.

    Goods without a batch code are told apart by their dates, as batches are.
    """

    __tablename__ = "inventory_counts"
    __table_args__: ClassVar[Any] = (
        Index(
            "uq_inventory_counts_key",
            "tenant_id",
            "inventory_id",
            "product_id",
            "location_id",
            "batch_code",
            "production_date",
            "expiration_date",
            unique=True,
            postgresql_where=text("batch_code IS NULL"),
            postgresql_nulls_not_distinct=True,
        ),
        unique(
            "inventory_counts",
            "inventory_id",
            "product_id",
            "location_id",
            "batch_code",
            where="batch_code IS NOT NULL",
            name="uq_inventory_counts_batch",
        ),
        index("inventory_counts", "product_id"),
        belongs("inventory_id", "inventories"),
        belongs("product_id", "products"),
        belongs("location_id", "locations"),
        belongs("batch_id", "batches"),
        check("quantity_not_negative", "quantity >= 0"),
        check("recorded_not_negative", "recorded_quantity >= 0"),
    )

    inventory_id: int = big()
    product_id: int = big()
    location_id: int = big()
    batch_code: str | None = string(64, default=None)
    batch_id: int | None = big(default=None)
    quantity: Decimal = decimal()
    recorded_quantity: Decimal = decimal()
    production_date: date | None = Field(default=None)
    expiration_date: date | None = Field(default=None)
    serial_numbers: list[str] = texts()
    recorded_serial_numbers: list[str] = texts()


class PurchaseOrder(TenantRow, Stamped, table=True):
    """An order to a supplier; received quantities come from linked, validated NIRs."""

    __tablename__ = "purchase_orders"
    __table_args__: ClassVar[Any] = (
        index("purchase_orders", "status"),
        index("purchase_orders", "supplier_id"),
        belongs("supplier_id", "companies"),
        belongs("warehouse_id", "warehouses"),
        check("status_is_known", "status BETWEEN 0 AND 8"),
        check("arrival_not_before_date", "arrival_date IS NULL OR arrival_date >= ordered_on"),
    )

    ordered_on: date = Field()
    arrival_date: date | None = Field(default=None)
    supplier_id: int = big()
    warehouse_id: int = big()
    status: int = Field(default=1)
    comment: str | None = string(4000, default=None)
    document_number: str | None = string(64, default=None)


class PurchaseOrderLine(TenantRow, table=True):
    __tablename__ = "purchase_order_lines"
    __table_args__: ClassVar[Any] = (
        index("purchase_order_lines", "purchase_order_id"),
        index("purchase_order_lines", "product_id"),
        belongs("purchase_order_id", "purchase_orders"),
        belongs("product_id", "products"),
        check("quantity_positive", "quantity > 0"),
        check("received_not_negative", "received_quantity >= 0"),
    )

    purchase_order_id: int = big()
    product_id: int = big()
    quantity: Decimal = decimal()
    received_quantity: Decimal = decimal(default=Decimal(0))
    price: Decimal | None = decimal(default=None)


class PurchaseOrderNir(SQLModel, table=True):
    """Which NIRs deliver which purchase order."""

    __tablename__ = "purchase_order_nirs"
    __table_args__: ClassVar[Any] = (
        index("purchase_order_nirs", "nir_id"),
        belongs("purchase_order_id", "purchase_orders", ondelete="CASCADE"),
        belongs("nir_id", "nirs", ondelete="CASCADE"),
    )

    tenant_id: int = Field(sa_type=BigInteger, primary_key=True, foreign_key="tenants.id")
    purchase_order_id: int = Field(sa_type=BigInteger, primary_key=True)
    nir_id: int = Field(sa_type=BigInteger, primary_key=True)


class ProductionOrder(TenantRow, Stamped, table=True):
    """An order to make a product from components."""

    __tablename__ = "production_orders"
    __table_args__: ClassVar[Any] = (
        unique("production_orders", "third_party_reference"),
        index("production_orders", "status"),
        index("production_orders", "product_id"),
        belongs("product_id", "products"),
        belongs("warehouse_id", "warehouses"),
        check("status_is_known", "status BETWEEN 0 AND 8"),
        check("quantity_positive", "quantity > 0"),
    )

    third_party_reference: str = string()
    product_id: int = big()
    quantity: Decimal = decimal()
    produced_quantity: Decimal = decimal(default=Decimal(0))
    warehouse_id: int = big()
    status: int = Field(default=2)
    comment: str | None = string(4000, default=None)
    batch_code: str | None = string(64, default=None)
    closed_at: datetime | None = moment(default=None)


class ProductionComponent(TenantRow, table=True):
    """What one production order uses up, for the whole order."""

    __tablename__ = "production_components"
    __table_args__: ClassVar[Any] = (
        index("production_components", "production_order_id"),
        index("production_components", "product_id"),
        belongs("production_order_id", "production_orders"),
        belongs("product_id", "products"),
        check("quantity_positive", "quantity > 0"),
    )

    production_order_id: int = big()
    product_id: int = big()
    quantity: Decimal = decimal()
