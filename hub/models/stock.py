"""Warehouses, locations, batches, stock items, reservations and the ledger of every movement."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Identity, Index, text
from sqlmodel import Field, SQLModel

from hub.models.columns import (
    Stamped,
    TenantRow,
    belongs,
    big,
    check,
    decimal,
    flag,
    index,
    moment,
    now,
    string,
    unique,
)


class Warehouse(TenantRow, Stamped, table=True):
    __tablename__ = "warehouses"
    __table_args__: ClassVar[Any] = (
        unique("warehouses", "code"),
        Index("uq_warehouses_one_default", "tenant_id", unique=True, postgresql_where=text("is_default")),
    )

    code: str = string(128)
    name: str = string()
    is_default: bool = flag()
    active: bool = flag(True)


class Location(TenantRow, Stamped, table=True):
    """A place in a warehouse; a lower `priority` is taken first when goods are reserved."""

    __tablename__ = "locations"
    __table_args__: ClassVar[Any] = (
        unique("locations", "code"),
        unique("locations", "warehouse_id", where="is_inbound", name="uq_locations_one_inbound"),
        index("locations", "warehouse_id"),
        belongs("warehouse_id", "warehouses"),
    )

    warehouse_id: int = big()
    code: str = string(128)
    name: str = string()
    priority: int = Field(default=100)
    is_inbound: bool = flag()
    active: bool = flag(True)


class Batch(TenantRow, Stamped, table=True):
    """Goods of one product made together; its dates are fixed by the first receipt that names them.

    Without a code it stands for goods that are told apart by their dates alone.
    """

    __tablename__ = "batches"
    __table_args__: ClassVar[Any] = (
        unique("batches", "product_id", "code"),
        Index(
            "uq_batches_dates",
            "tenant_id",
            "product_id",
            "production_date",
            "expiration_date",
            unique=True,
            postgresql_where=text("code IS NULL"),
            postgresql_nulls_not_distinct=True,
        ),
        belongs("product_id", "products"),
        belongs("supplier_id", "companies"),
    )

    product_id: int = big()
    code: str | None = string(64, default=None)
    production_date: date | None = Field(default=None)
    expiration_date: date | None = Field(default=None)
    nir_id: int | None = big(default=None)
    supplier_id: int | None = big(default=None)
    locked: bool = flag()
    locked_until: datetime | None = moment(default=None)


class BatchLock(TenantRow, table=True):
    """One locking or unlocking of a batch."""

    __tablename__ = "batch_locks"
    __table_args__: ClassVar[Any] = (index("batch_locks", "batch_id"), belongs("batch_id", "batches"))

    batch_id: int = big()
    locked: bool = flag()
    until: datetime | None = moment(default=None)
    reason: str | None = string(4000, default=None)
    actor: str = string()
    occurred_at: datetime = now()


class StockItem(TenantRow, table=True):
    """A physical quantity of (product, location, batch or none, serial number or none, SSCC or none); gone at zero."""

    __tablename__ = "stock_items"
    __table_args__: ClassVar[Any] = (
        Index(
            "uq_stock_items_identity",
            "tenant_id",
            "product_id",
            "location_id",
            "batch_id",
            "serial_number",
            "sscc",
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
        unique("stock_items", "product_id", "serial_number", where="serial_number IS NOT NULL"),
        index("stock_items", "location_id"),
        index("stock_items", "warehouse_id", "product_id"),
        belongs("product_id", "products"),
        belongs("warehouse_id", "warehouses"),
        belongs("location_id", "locations"),
        belongs("batch_id", "batches"),
        check("quantity_not_negative", "quantity >= 0"),
        check("reserved_not_negative", "reserved >= 0"),
        check("reserved_within_quantity", "reserved <= quantity"),
        check("serial_is_one_piece", "serial_number IS NULL OR quantity <= 1"),
    )

    product_id: int = big()
    warehouse_id: int = big()
    location_id: int = big()
    batch_id: int | None = big(default=None)
    serial_number: str | None = string(64, default=None)
    sscc: str | None = string(64, default=None)
    quantity: Decimal = decimal()
    reserved: Decimal = decimal(default=Decimal(0))
    received_at: datetime = now()


class Reservation(TenantRow, table=True):
    """A part of one stock item promised to one order line or transfer line."""

    __tablename__ = "reservations"
    __table_args__: ClassVar[Any] = (
        unique("reservations", "order_line_id", "stock_item_id", where="order_line_id IS NOT NULL"),
        unique("reservations", "transfer_line_id", "stock_item_id", where="transfer_line_id IS NOT NULL"),
        index("reservations", "stock_item_id"),
        belongs("stock_item_id", "stock_items"),
        belongs("order_line_id", "order_lines"),
        belongs("transfer_line_id", "transfer_lines"),
        check("one_holder", "num_nonnulls(order_line_id, transfer_line_id) = 1"),
        check("quantity_positive", "quantity > 0"),
    )

    stock_item_id: int = big()
    order_line_id: int | None = big(default=None)
    transfer_line_id: int | None = big(default=None)
    quantity: Decimal = decimal()
    created_at: datetime = now()


class StockMovement(TenantRow, table=True):
    """The ledger: every change of physical stock, written with the balance; never changed, never deleted."""

    __tablename__ = "stock_movements"
    __table_args__: ClassVar[Any] = (
        index("stock_movements", "product_id", "occurred_at"),
        index("stock_movements", "document_kind", "document_id"),
        belongs("product_id", "products"),
        belongs("location_id", "locations"),
        belongs("warehouse_id", "warehouses"),
        belongs("batch_id", "batches"),
        check("quantity_not_zero", "quantity <> 0"),
    )

    product_id: int = big()
    warehouse_id: int = big()
    location_id: int = big()
    batch_id: int | None = big(default=None)
    serial_number: str | None = string(64, default=None)
    sscc: str | None = string(64, default=None)
    quantity: Decimal = decimal()
    document_kind: str = string(32)
    document_id: int = big()
    line_id: int | None = big(default=None)
    actor: str = string()
    occurred_at: datetime = now()


class StockDelta(SQLModel, table=True):
    """A change of the stock summary, appended by the writer and folded into it by a job: no hot row."""

    __tablename__ = "stock_deltas"
    __table_args__: ClassVar[Any] = (index("stock_deltas", "warehouse_id", "product_id"),)

    tenant_id: int = Field(sa_type=BigInteger, primary_key=True, foreign_key="tenants.id")
    id: int = Field(default=None, sa_type=BigInteger, primary_key=True, sa_column_args=[Identity(always=True)])
    product_id: int = big()
    warehouse_id: int = big()
    quantity: Decimal = decimal(default=Decimal(0))
    reserved: Decimal = decimal(default=Decimal(0))


class StockSummary(SQLModel, table=True):
    """Folded stock by product and warehouse; the truth now is this plus the deltas."""

    __tablename__ = "stock_summaries"
    __table_args__: ClassVar[Any] = (
        # No CHECK: a folded delta is negative on its way in, and the balances it comes from are checked already.
        index("stock_summaries", "warehouse_id"),
    )

    tenant_id: int = Field(sa_type=BigInteger, primary_key=True, foreign_key="tenants.id")
    product_id: int = Field(sa_type=BigInteger, primary_key=True)
    warehouse_id: int = Field(sa_type=BigInteger, primary_key=True)
    quantity: Decimal = decimal(default=Decimal(0))
    reserved: Decimal = decimal(default=Decimal(0))


class StockTotal(SQLModel, table=True):
    """Folded stock by warehouse, all products together; the truth now is this plus the deltas."""

    __tablename__ = "stock_totals"

    tenant_id: int = Field(sa_type=BigInteger, primary_key=True, foreign_key="tenants.id")
    warehouse_id: int = Field(sa_type=BigInteger, primary_key=True)
    quantity: Decimal = decimal(default=Decimal(0))
    reserved: Decimal = decimal(default=Decimal(0))


class Scan(TenantRow, table=True):
    """One counted line at the validation of a NIR, a return or an order: what, how much, where, by whom."""

    __tablename__ = "scans"
    __table_args__: ClassVar[Any] = (
        index("scans", "document_kind", "document_id"),
        belongs("product_id", "products"),
        belongs("location_id", "locations"),
        belongs("batch_id", "batches"),
        check("quantity_positive", "quantity > 0"),
    )

    document_kind: str = string(16)
    document_id: int = big()
    line_id: int | None = big(default=None)
    product_id: int = big()
    location_id: int = big()
    batch_id: int | None = big(default=None)
    serial_number: str | None = string(64, default=None)
    sscc: str | None = string(64, default=None)
    quantity: Decimal = decimal()
    user_id: int | None = big(default=None)
    username: str = string()
    scanned_at: datetime = now()
