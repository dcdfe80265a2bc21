"""Transfers: goods moved from location to location inside a tenant."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from hub.models import movements as models
from hub.models import products as product_models
from hub.statuses import Status
from schema.planner.fields import column, many, one, reads
from schema.planner.inputs import Ids, Moment, Text, Whole, filters, ids, related, some, where
from schema.planner.types import Connection, Node, Owned, orders
from schema.products import ProductFilter
from schema.statuses import DocumentStatuses

if TYPE_CHECKING:
    from schema.documents import DocumentChange
    from schema.products import Product
    from schema.stock import Reservation
    from schema.warehouses import Location


@filters
class TransferLineFilter:
    """Which transfer lines; all questions must be answered with yes."""

    id: Ids | None = ids("TransferLine", "By global id.")
    product: ProductFilter | None = related("product_id", product_models.Product, "By its product.")
    product_id: Ids | None = ids("Product", "By the global id of its product.", key="product_id")
    batch_code: Text | None = where("By its batch code.")


@filters
class TransferFilter:
    """Which transfers; all questions must be answered with yes."""

    id: Ids | None = ids("Transfer", "By global id.")
    internal_id: Whole | None = where("By the id within the tenant.", column="id")
    status: DocumentStatuses | None = where("By its state.")
    created_by: Text | None = where("By who opened it.")
    lines: TransferLineFilter | None = some("transfer_id", models.TransferLine, "At least one of its lines is such.")
    created_at: Moment | None = where("By when it was opened.")
    validated_at: Moment | None = where("By when the goods were moved.")


TransferOrder = orders("TransferOrder", "Orders of transfers.", id="id")


@reads(models.Transfer, filter=TransferFilter, order=TransferOrder)
class Transfer(Node, Owned):
    """Goods moved from location to location; the total stays unchanged."""

    status: Status = column("Its state.")
    created_by: str = column("Who opened it.")
    validated_at: datetime | None = column("When the goods were moved.")
    validated_by: str | None = column("Who moved them.")
    created_at: datetime = column("When it was opened.")
    updated_at: datetime = column("When it was changed last.")
    lines: Connection[TransferLine] = many("transfer_id", "What is moved.")
    history: Connection[DocumentChange] = many(
        "document_id", "Its life from state to state.", where=lambda change: change.c.document_kind == "transfer"
    )


@reads(models.TransferLine, filter=TransferLineFilter)
class TransferLine(Node, Owned):
    """How much of one product goes from where to where."""

    transfer: Transfer = one("transfer_id", "The transfer it stands in.")
    product: Product = one("product_id", "What is moved.")
    quantity: Decimal = column("How much.")
    source_location: Location = one("source_location_id", "From where.")
    destination_location: Location = one("destination_location_id", "To where.")
    batch_code: str | None = column("Only of this batch.")
    serial_number: str | None = column("Only this piece.")
    sscc: str | None = column("Only of this pallet.")
    reservations: Connection[Reservation] = many("transfer_line_id", "What is promised to it.")
