"""What left the warehouse: shipments and goods issued notes."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from hub.models import orders as models
from schema.planner.fields import column, one, reads
from schema.planner.types import Node, Owned

if TYPE_CHECKING:
    from schema.orders import Order


@reads(models.Shipment)
class Shipment(Node, Owned):
    """What left the warehouse for an order, and with whom."""

    order: Order = one("order_id", "The order it serves.")
    external_reference: str | None = column("Its key in the system it came from.")
    carrier: str | None = column("Who carries it.")
    tracking_number: str | None = column("The carrier's number of it.")
    tracking_link: str | None = column("Where it can be followed.")
    parcels: int | None = column("How many parcels.")
    weight: Decimal | None = column("What it weighs.")
    shipped_at: datetime | None = column("When it left.")


@reads(models.GoodsIssuedNote)
class GoodsIssuedNote(Node, Owned):
    """The note made when an order is validated."""

    order: Order = one("order_id", "The order whose goods left.")
    number: str = column("Its number.")
    issued_at: datetime = column("When it was made.")
