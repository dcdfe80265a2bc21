"""Warehouses, kept by administrators: exactly one of a tenant is the default, each has a place where goods arrive."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy import update as update_rows
from sqlmodel import col

from hub.context import Level
from hub.db import UnitOfWork
from hub.errors import Conflict, HubError, Invalid
from hub.models.movements import Inventory, ProductionOrder, PurchaseOrder
from hub.models.nirs import Nir, Return
from hub.models.orders import Order
from hub.models.stock import Location, StockItem, StockMovement, Warehouse
from hub.queries.conditions import among
from hub.services import audit, locations, nomenclature, storing
from hub.services.locations import LocationDraft
from hub.services.nomenclature import Change, Nomenclature, Targets

USERS = {
    "stock": (col(StockItem.warehouse_id), col(StockMovement.warehouse_id)),
    "an order": (col(Order.warehouse_id),),
    "a NIR": (col(Nir.warehouse_id),),
    "a return": (col(Return.warehouse_id),),
    "an inventory": (col(Inventory.warehouse_id),),
    "a purchase order": (col(PurchaseOrder.warehouse_id),),
    "a production order": (col(ProductionOrder.warehouse_id),),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class WarehouseDraft:
    """A warehouse to be added; goods arrive at `inbound_location_code`, by default `CODE-RECEPTION`."""

    code: str
    name: str
    is_default: bool = False
    active: bool = True
    inbound_location_code: str | None = None


async def add(work: UnitOfWork, *, warehouses: Sequence[WarehouseDraft]) -> list[int]:
    """Add all warehouses, or none, each with its inbound location; a default one takes over from the present one."""
    work.scope.require(Level.ADMINISTRATOR)
    if sum(draft.is_default for draft in warehouses) > 1:
        raise Invalid("fits one warehouse only", field="isDefault")
    await _lock_all(work)
    ids = []
    for draft in warehouses:
        if draft.is_default:
            await _hand_over(work)
        row = {"code": draft.code, "name": draft.name, "is_default": draft.is_default, "active": draft.active}
        (id_,) = await storing.add(work, WAREHOUSES, [row])
        code = draft.inbound_location_code or f"{draft.code}-RECEPTION"
        await locations.store_new(work, [LocationDraft(code=code, name="Reception", warehouse_id=id_)])
        await audit.record(work, "warehouse.add", draft.code)
        ids.append(id_)
    return ids


async def update(work: UnitOfWork, *, targets: Targets, changes: Mapping[str, Any]) -> list[int]:
    """Change name, code, `active`, or make a warehouse (by `id`, `code`) the default one."""
    work.scope.require(Level.ADMINISTRATOR)
    ids = await nomenclature.meant(work, WAREHOUSES, targets, dict(changes))
    await _lock_all(work)
    if changes.get("is_default"):
        if len(ids) > 1:
            raise Invalid("fits one warehouse only", field="isDefault", hint="name one warehouse at a time")
        if not (await nomenclature.lock(work, WAREHOUSES, ids))[ids[0]]["is_default"]:
            await _hand_over(work)
    await storing.store(work, WAREHOUSES, [(id_, dict(changes)) for id_ in ids])
    for id_ in ids:
        await audit.record(work, "warehouse.update", str(id_), {"fields": sorted(changes)})
    return ids


async def delete(work: UnitOfWork, *, targets: Targets) -> list[int]:
    """Delete warehouses that no document names, with their locations; never the default one."""
    work.scope.require(Level.ADMINISTRATOR)
    ids = await nomenclature.find(work, WAREHOUSES, targets)
    for row in (await nomenclature.lock(work, WAREHOUSES, ids, against_use=True)).values():
        if row["is_default"]:
            raise Conflict(
                f"{row['code']} is the default warehouse", field="isDefault", hint="make another one the default first"
            )
    await nomenclature.refuse_used(work, WAREHOUSES, ids, USERS)
    places = await _places(work, ids)
    await nomenclature.refuse_used(work, locations.LOCATIONS, places, locations.USERS)
    await nomenclature.erase(work, locations.LOCATIONS, places)
    for id_ in ids:
        await audit.record(work, "warehouse.delete", str(id_))
    return await nomenclature.erase(work, WAREHOUSES, ids)


async def _places(work: UnitOfWork, warehouse_ids: Sequence[int]) -> list[int]:
    found = await work.session.execute(
        select(col(Location.id))
        .where(col(Location.tenant_id) == work.tenant_id, among(col(Location.warehouse_id), warehouse_ids))
        .order_by(col(Location.id))
        .with_for_update()
    )
    return list(found.scalars())


async def _lock_all(work: UnitOfWork) -> None:
    """Whoever changes which warehouse is the default comes one after the other."""
    await work.session.execute(
        select(col(Warehouse.id))
        .where(col(Warehouse.tenant_id) == work.tenant_id)
        .order_by(col(Warehouse.id))
        .with_for_update(key_share=True)
    )


async def _hand_over(work: UnitOfWork) -> None:
    """The present default warehouse gives the mark away."""
    await work.session.execute(
        update_rows(Warehouse)
        .where(col(Warehouse.tenant_id) == work.tenant_id, col(Warehouse.is_default).is_(True))
        .values(is_default=False)
        .execution_options(synchronize_session=False)
    )


async def _review(work: UnitOfWork, changes: Sequence[Change]) -> list[HubError | None]:
    def rule(change: Change) -> HubError | None:
        before, after = change.before, change.after
        if before and before["is_default"] and not (after["is_default"] and after["active"]):
            return Conflict(
                f"{before['code']} is the default warehouse", field="isDefault", hint="make another one the default"
            )
        return None

    return [rule(change) for change in changes]


WAREHOUSES = Nomenclature(model=Warehouse, noun="warehouse", keys=("code",), review=_review)
