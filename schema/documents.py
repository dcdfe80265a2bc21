"""What all documents have in common: their life from state to state, and what was counted when they were validated."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from hub.models import orders as models
from hub.models import stock as stock_models
from hub.statuses import Status
from schema.planner.fields import column, one, reads
from schema.planner.types import Node, Owned
from schema.scalars import Long

if TYPE_CHECKING:
    from schema.products import Product
    from schema.stock import Batch
    from schema.warehouses import Location


@reads(models.DocumentChange)
class DocumentChange(Node, Owned):
    """One step in the life of a document."""

    document_kind: str = column("Its kind: order, nir, return, transfer, inventory, purchase_order, production_order.")
    document_id: Long = column("Its id within tenant and kind.")
    status_before: Status | None = column("The state it left; empty when it was added.")
    status_after: Status = column("The state it came to.")
    actor: str = column("Who did it.")
    occurred_at: datetime = column("When.")


@reads(stock_models.Scan)
class Scan(Node, Owned):
    """One counted line at the validation of a document."""

    line_id: Long | None = column("The id of the line of the document.")
    product: Product = one("product_id", "What was counted.")
    location: Location = one("location_id", "Where.")
    batch: Batch | None = one("batch_id", "Of which batch.")
    serial_number: str | None = column("The serial number of the single piece.")
    sscc: str | None = column("The SSCC of the pallet.")
    quantity: Decimal = column("How much.")
    user_id: Long | None = column("The id of the user who counted.")
    username: str = column("The name of who counted.")
    scanned_at: datetime = column("When.")
