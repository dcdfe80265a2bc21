"""The warehouse and the locations that a tenant begins with make room for imported ones while nothing uses them."""

from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlmodel import col

from hub.db import UnitOfWork
from hub.errors import Conflict
from hub.importing.entries import Entry
from hub.importing.noun import Noun
from hub.importing.nouns import WAREHOUSE
from hub.models.stock import Location
from hub.services import locations, nomenclature, warehouses
from hub.services import tenants as tenants_service
from hub.services.locations import LOCATIONS
from hub.services.nomenclature import Nomenclature
from hub.services.warehouses import WAREHOUSES

CODES = {
    "warehouse": frozenset({tenants_service.WAREHOUSE}),
    "location": frozenset(code for code, _, _ in tenants_service.LOCATIONS),
}


async def give_way(work: UnitOfWork, noun: Noun, what: Nomenclature, entries: Sequence[Entry]) -> None:
    """Erase what came with the tenant, is unused, and has the id or the code that another imported record has."""
    wanted = {(entry.main.id, entry.main.columns.get("code")) for entry in entries if entry.main.id is not None}
    for id_ in await _in_the_way(work, what, wanted):
        if noun is WAREHOUSE:
            await _erase_warehouse(work, id_)
        elif await _is_unused(work, LOCATIONS, [id_]):
            await nomenclature.erase(work, LOCATIONS, [id_])


async def _in_the_way(work: UnitOfWork, what: Nomenclature, wanted: Collection[tuple[int | None, object]]) -> list[int]:
    ids, codes = {id_ for id_, _ in wanted}, {code for _, code in wanted}
    table = what.table
    found = await work.session.execute(
        select(table.c.id, table.c.code).where(table.c.tenant_id == work.tenant_id, table.c.code.in_(CODES[what.noun]))
    )
    return [id_ for id_, code in found if (id_, code) not in wanted and (id_ in ids or code in codes)]


async def _erase_warehouse(work: UnitOfWork, warehouse_id: int) -> None:
    """With its locations, all of which must be those that came with it."""
    found = await work.session.execute(
        select(col(Location.id), col(Location.code)).where(
            col(Location.tenant_id) == work.tenant_id, col(Location.warehouse_id) == warehouse_id
        )
    )
    places = {row.id: row.code for row in found}
    if not CODES["location"].issuperset(places.values()):
        return
    if await _is_unused(work, LOCATIONS, list(places)) and await _is_unused(work, WAREHOUSES, [warehouse_id]):
        await nomenclature.erase(work, LOCATIONS, sorted(places))
        await nomenclature.erase(work, WAREHOUSES, [warehouse_id])


async def _is_unused(work: UnitOfWork, what: Nomenclature, ids: Sequence[int]) -> bool:
    await nomenclature.lock(work, what, ids, against_use=True)
    try:
        await nomenclature.refuse_used(work, what, ids, (locations if what is LOCATIONS else warehouses).USERS)
    except Conflict:
        return False
    return True
