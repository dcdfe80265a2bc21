"""Locations: the places of a warehouse, kept by administrators. Each warehouse has exactly one where goods arrive."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy import update as update_rows
from sqlmodel import col

from hub.context import Level
from hub.db import UnitOfWork
from hub.errors import Conflict, HubError, Invalid, NotFound
from hub.models.movements import InventoryCount, TransferLine
from hub.models.nirs import NirLine, ReturnLine
from hub.models.orders import OrderLine
from hub.models.stock import Location, Scan, StockItem, StockMovement, Warehouse
from hub.queries.conditions import among
from hub.queries.places import find_inbound_place
from hub.services import audit, nomenclature, storing
from hub.services.nomenclature import Change, Nomenclature, Targets

USERS = {
    "stock": (col(StockItem.location_id), col(StockMovement.location_id), col(Scan.location_id)),
    "an order": (col(OrderLine.location_id),),
    "a NIR": (col(NirLine.location_id),),
    "a return": (col(ReturnLine.location_id),),
    "a transfer": (col(TransferLine.source_location_id), col(TransferLine.destination_location_id)),
    "an inventory": (col(InventoryCount.location_id),),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LocationDraft:
    """A location to be added; a lower `priority` is emptied first; `is_inbound` takes over from the present one."""

    code: str
    warehouse_id: int
    name: str | None = None
    priority: int = 100
    is_inbound: bool = False
    active: bool = True


async def add(work: UnitOfWork, *, locations: Sequence[LocationDraft]) -> list[int]:
    """Add all locations, or none; the first one of a warehouse is its inbound location."""
    work.scope.require(Level.ADMINISTRATOR)
    ids = await store_new(work, locations)
    for draft in locations:
        await audit.record(work, "location.add", draft.code)
    return ids


async def store_new(work: UnitOfWork, locations: Sequence[LocationDraft]) -> list[int]:
    """Add locations for somebody who has been permitted and is audited already."""
    await _lock_warehouses(work, {draft.warehouse_id for draft in locations})
    ids = []
    for draft in locations:
        row = asdict(draft) | {"name": draft.code if draft.name is None else draft.name}
        row["is_inbound"] = draft.is_inbound or (
            await find_inbound_place(work.session, work.tenant_id, draft.warehouse_id) is None
        )
        if row["is_inbound"]:
            await _hand_over(work, draft.warehouse_id)
        ids += await storing.add(work, LOCATIONS, [row])
    return ids


async def update(work: UnitOfWork, *, targets: Targets, changes: Mapping[str, Any]) -> list[int]:
    """Change name, code, priority, `active`, or make a location (by `id`, `code`) the inbound one."""
    work.scope.require(Level.ADMINISTRATOR)
    if "warehouse_id" in changes:
        raise Invalid("a location stays in its warehouse", field="warehouseId", hint="add another location there")
    ids = await nomenclature.meant(work, LOCATIONS, targets, dict(changes))
    if changes.get("is_inbound"):
        if len(ids) > 1:
            raise Invalid("fits one location only", field="isInbound", hint="name one location at a time")
        await _move_inbound(work, ids[0])
    await storing.store(work, LOCATIONS, [(id_, dict(changes)) for id_ in ids])
    for id_ in ids:
        await audit.record(work, "location.update", str(id_), {"fields": sorted(changes)})
    return ids


async def delete(work: UnitOfWork, *, targets: Targets) -> list[int]:
    """Delete locations that nothing was ever put on and no document names; never the inbound one."""
    work.scope.require(Level.ADMINISTRATOR)
    ids = await nomenclature.find(work, LOCATIONS, targets)
    for row in (await nomenclature.lock(work, LOCATIONS, ids, against_use=True)).values():
        if row["is_inbound"]:
            raise Conflict(
                f"goods arrive at {row['code']}", field="isInbound", hint="make another location the inbound one first"
            )
    await nomenclature.refuse_used(work, LOCATIONS, ids, USERS)
    for id_ in ids:
        await audit.record(work, "location.delete", str(id_))
    return await nomenclature.erase(work, LOCATIONS, ids)


async def _lock_warehouses(work: UnitOfWork, ids: set[int]) -> None:
    """Whoever changes where goods of a warehouse arrive comes one after the other."""
    found = await work.session.execute(
        select(col(Warehouse.id))
        .where(col(Warehouse.tenant_id) == work.tenant_id, among(col(Warehouse.id), ids))
        .order_by(col(Warehouse.id))
        .with_for_update(key_share=True)
    )
    for id_ in sorted(ids - set(found.scalars())):
        raise NotFound(f"no warehouse has the id {id_}", field="warehouseId")


async def _move_inbound(work: UnitOfWork, id_: int) -> None:
    row = (await nomenclature.lock(work, LOCATIONS, [id_]))[id_]
    await _lock_warehouses(work, {row["warehouse_id"]})
    if not row["is_inbound"]:
        await _hand_over(work, row["warehouse_id"])


async def _hand_over(work: UnitOfWork, warehouse_id: int) -> None:
    """The present inbound location gives the mark away."""
    await work.session.execute(
        update_rows(Location)
        .where(
            col(Location.tenant_id) == work.tenant_id,
            col(Location.warehouse_id) == warehouse_id,
            col(Location.is_inbound).is_(True),
        )
        .values(is_inbound=False)
        .execution_options(synchronize_session=False)
    )


async def _review(work: UnitOfWork, changes: Sequence[Change]) -> list[HubError | None]:
    def rule(change: Change) -> HubError | None:
        before, after = change.before, change.after
        if before and before["is_inbound"] and not (after["is_inbound"] and after["active"]):
            return Conflict(
                f"goods arrive at {before['code']}", field="isInbound", hint="make another location the inbound one"
            )
        return None

    return [rule(change) for change in changes]


LOCATIONS = Nomenclature(model=Location, noun="location", keys=("code",), review=_review)
