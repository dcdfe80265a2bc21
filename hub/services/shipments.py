"""Shipments: what left the warehouse for an order, and with whom; taken in as sets keyed by external reference."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from hub.context import Level
from hub.db import UnitOfWork
from hub.errors import HubError, Invalid, NotFound
from hub.models.orders import Order, Shipment
from hub.services import nomenclature, storing
from hub.services.designations import Designated, designated
from hub.services.nomenclature import Change, Nomenclature, Row, Targets
from hub.services.outcomes import OnError, Outcome

ORDERS = Nomenclature(model=Order, noun="order", keys=("external_order_id",))


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipmentDraft:
    """A shipment of an order, which is named by its id or its external order id."""

    external_reference: str
    order_id: int | None = None
    external_order_id: str | None = None
    carrier: str | None = None
    tracking_number: str | None = None
    tracking_link: str | None = None
    parcels: int | None = None
    weight: Decimal | None = None
    shipped_at: datetime | None = None


async def upsert(work: UnitOfWork, *, shipments: Sequence[ShipmentDraft], on_error: OnError = "raise") -> list[Outcome]:
    """Add the shipments whose reference is new, change the others."""
    work.scope.require(Level.USER)
    orders = await designated(
        work,
        ORDERS,
        "external_order_id",
        ids=[draft.order_id for draft in shipments],
        keys=[draft.external_order_id for draft in shipments],
    )
    rows = [_row(draft, orders) for draft in shipments]
    return await storing.store_by(work, SHIPMENTS, "external_reference", rows, on_error=on_error)


async def delete(work: UnitOfWork, *, targets: Targets) -> list[int]:
    """Forget shipments (by `id`, `external_reference`)."""
    work.scope.require(Level.USER)
    return await nomenclature.erase(work, SHIPMENTS, await nomenclature.find(work, SHIPMENTS, targets))


def _row(draft: ShipmentDraft, orders: Designated) -> Row | HubError:
    row = asdict(draft)
    del row["external_order_id"]
    try:
        return row | {"order_id": orders.require(draft.order_id, draft.external_order_id)}
    except (Invalid, NotFound) as error:
        return error


async def _review(work: UnitOfWork, changes: Sequence[Change]) -> list[HubError | None]:
    return [_rule(change.after) for change in changes]


def _rule(row: Mapping[str, Any]) -> HubError | None:
    if row["parcels"] is not None and row["parcels"] < 0:
        return Invalid("must not be negative", field="parcels")
    if row["shipped_at"] is not None and row["shipped_at"].tzinfo is None:
        return Invalid("must be a time with its zone", field="shippedAt")
    return None


SHIPMENTS = Nomenclature(model=Shipment, noun="shipment", keys=("external_reference",), review=_review)
