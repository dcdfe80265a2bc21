"""Stock: items by place and batch, reservations, batches with their locks, and the ledger of every movement."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from hub.models import products as product_models
from hub.models import stock as models
from schema.planner.fields import column, many, one, reads, sql
from schema.planner.inputs import Day, Ids, Moment, Number, Text, Whole, filters, ids, related, where
from schema.planner.types import Connection, Node, Owned, orders
from schema.products import ProductFilter
from schema.scalars import Long
from schema.stock_totals import free_of, is_locked
from schema.warehouses import LocationFilter, WarehouseFilter

if TYPE_CHECKING:
    from schema.companies import Company
    from schema.nirs import Nir
    from schema.orders import OrderLine
    from schema.products import Product
    from schema.transfers import TransferLine
    from schema.warehouses import Location, Warehouse


@filters
class BatchFilter:
    """Which batches; all questions must be answered with yes."""

    id: Ids | None = ids("Batch", "By global id.")
    internal_id: Whole | None = where("By the id within the tenant.", column="id")
    code: Text | None = where("By its code.")
    product: ProductFilter | None = related("product_id", product_models.Product, "By its product.")
    product_id: Ids | None = ids("Product", "By the global id of its product.", key="product_id")
    supplier_id: Ids | None = ids("Company", "By the global id of its supplier.", key="supplier_id")
    production_date: Day | None = where("By the day it was made.")
    expiration_date: Day | None = where("By the last day it may be used.")
    is_locked: bool | None = where(
        "Only those that may not be given out at present, or all others.", expression=is_locked
    )


BatchOrder = orders(
    "BatchOrder",
    "Orders of batches; those without a date come last.",
    id="id",
    code="code",
    expiration_date="expiration_date",
)


@reads(models.Batch, filter=BatchFilter, order=BatchOrder)
class Batch(Node, Owned):
    """Goods of one product made together; its dates are fixed by the first receipt."""

    product: Product = one("product_id", "What it is a batch of.")
    code: str | None = column("Its code, unique for the product; null for goods told apart by their dates alone.")
    production_date: date | None = column("The day it was made.")
    expiration_date: date | None = column("The last day it may be used.")
    nir: Nir | None = one("nir_id", "The goods receipt it came with first.")
    supplier: Company | None = one("supplier_id", "Who delivered it first.")
    is_locked: bool = sql(is_locked, "It may not be given out at present.")
    locked_until: datetime | None = column("When the lock ends by itself; without it the lock stays.")
    locks: Connection[BatchLock] = many("batch_id", "When it was locked and unlocked, and why.")
    stock: Connection[StockItem] = many("batch_id", "What is left of it.")


@reads(models.BatchLock)
class BatchLock(Node, Owned):
    """One locking or unlocking of a batch."""

    batch: Batch = one("batch_id", "The batch.")
    locked: bool = column("True: locked; false: unlocked.")
    until: datetime | None = column("When the lock ends by itself.")
    reason: str | None = column("Why.")
    actor: str = column("Who did it.")
    occurred_at: datetime = column("When.")


@filters
class StockItemFilter:
    """Which stock items; all questions must be answered with yes."""

    id: Ids | None = ids("StockItem", "By global id.")
    product: ProductFilter | None = related("product_id", product_models.Product, "By its product.")
    product_id: Ids | None = ids("Product", "By the global id of its product.", key="product_id")
    warehouse: WarehouseFilter | None = related("warehouse_id", models.Warehouse, "By its warehouse.")
    warehouse_id: Ids | None = ids("Warehouse", "By the global id of its warehouse.", key="warehouse_id")
    location: LocationFilter | None = related("location_id", models.Location, "By its location.")
    location_id: Ids | None = ids("Location", "By the global id of its location.", key="location_id")
    batch: BatchFilter | None = related("batch_id", models.Batch, "By its batch.")
    serial_number: Text | None = where("By its serial number.")
    sscc: Text | None = where("By the SSCC of its pallet.")
    quantity: Number | None = where("By how much there is.")
    reserved_quantity: Number | None = where("By how much of it is reserved.", column="reserved")
    free_quantity: Number | None = where("By how much of it is free.", expression=free_of)
    received_at: Moment | None = where("By when it came in.")


StockItemOrder = orders("StockItemOrder", "Orders of stock items.", id="id", received_at="received_at")


@reads(models.StockItem, filter=StockItemFilter, order=StockItemOrder)
class StockItem(Node, Owned):
    """A physical quantity of one product in one place: by location, batch, serial number and SSCC."""

    product: Product = one("product_id", "What it is.")
    warehouse: Warehouse = one("warehouse_id", "The warehouse it is in.")
    location: Location = one("location_id", "The place it lies.")
    batch: Batch | None = one("batch_id", "The batch it belongs to.")
    serial_number: str | None = column("The serial number of the single piece.")
    sscc: str | None = column("The SSCC of the pallet it is on.")
    quantity: Decimal = column("How much there is.")
    reserved_quantity: Decimal = column("How much of it is promised to documents.", name="reserved")
    free_quantity: Decimal = sql(free_of, "What is neither reserved nor in a locked batch.")
    received_at: datetime = column("When it came in.")
    reservations: Connection[Reservation] = many("stock_item_id", "To whom it is promised.")


@filters
class ReservationFilter:
    """Which reservations; all questions must be answered with yes."""

    id: Ids | None = ids("Reservation", "By global id.")
    stock_item: StockItemFilter | None = related("stock_item_id", models.StockItem, "By what is reserved.")
    created_at: Moment | None = where("By when it was made.")


ReservationOrder = orders("ReservationOrder", "Orders of reservations.", id="id")


@reads(models.Reservation, filter=ReservationFilter, order=ReservationOrder)
class Reservation(Node, Owned):
    """A part of one stock item promised to one order line or transfer line."""

    stock_item: StockItem = one("stock_item_id", "What is promised.")
    order_line: OrderLine | None = one("order_line_id", "The order line it is promised to.")
    transfer_line: TransferLine | None = one("transfer_line_id", "The transfer line it is promised to.")
    quantity: Decimal = column("How much.")
    created_at: datetime = column("When it was promised.")


@filters
class StockMovementFilter:
    """Which movements; all questions must be answered with yes."""

    id: Ids | None = ids("StockMovement", "By global id.")
    product: ProductFilter | None = related("product_id", product_models.Product, "By its product.")
    product_id: Ids | None = ids("Product", "By the global id of its product.", key="product_id")
    warehouse_id: Ids | None = ids("Warehouse", "By the global id of its warehouse.", key="warehouse_id")
    location_id: Ids | None = ids("Location", "By the global id of its location.", key="location_id")
    document_kind: Text | None = where("By the kind of its document: order, nir, return, transfer, inventory …")
    document_id: Whole | None = where("By the id of its document within tenant and kind.")
    quantity: Number | None = where("By the quantity; outgoing ones are negative.")
    occurred_at: Moment | None = where("By when it happened.")


StockMovementOrder = orders("StockMovementOrder", "Orders of movements.", id="id", occurred_at="occurred_at")


@reads(models.StockMovement, filter=StockMovementFilter, order=StockMovementOrder)
class StockMovement(Node, Owned):
    """One entry of the ledger: a change of physical stock, written with the balance and never changed."""

    product: Product = one("product_id", "What moved.")
    warehouse: Warehouse = one("warehouse_id", "In which warehouse.")
    location: Location = one("location_id", "At which place.")
    batch: Batch | None = one("batch_id", "Of which batch.")
    serial_number: str | None = column("The serial number of the single piece.")
    sscc: str | None = column("The SSCC of the pallet.")
    quantity: Decimal = column("How much; negative when it left.")
    document_kind: str = column("The kind of document that moved it: order, nir, return, transfer, inventory …")
    document_id: Long = column("The id of that document within tenant and kind.")
    line_id: Long | None = column("The id of the line of that document.")
    actor: str = column("Who did it.")
    occurred_at: datetime = column("When.")
