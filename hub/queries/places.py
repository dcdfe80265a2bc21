"""Where goods can be: locations by their codes, and the places a document takes when it names none."""

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import select
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.models.stock import Location, Warehouse
from hub.queries.conditions import among


class Place(NamedTuple):
    """A location and its warehouse."""

    id: int
    warehouse_id: int
    code: str


_PLACE = (col(Location.id), col(Location.warehouse_id), col(Location.code))


async def find_places(session: AsyncSession, tenant_id: int, codes: Collection[str]) -> dict[str, Place]:
    """The locations that exist among `codes`."""
    found = await session.execute(
        select(*_PLACE).where(col(Location.tenant_id) == tenant_id, among(col(Location.code), set(codes)))
    )
    return {row.code: Place(*row) for row in found}


async def find_inbound_place(session: AsyncSession, tenant_id: int, warehouse_id: int) -> Place | None:
    """Where goods of a warehouse arrive when nobody says where."""
    found = await session.execute(
        select(*_PLACE).where(
            col(Location.tenant_id) == tenant_id,
            col(Location.warehouse_id) == warehouse_id,
            col(Location.is_inbound).is_(True),
        )
    )
    row = found.first()
    return Place(*row) if row else None


async def find_warehouse(session: AsyncSession, tenant_id: int, warehouse_id: int | None) -> int | None:
    """The id of that warehouse, or of the default one for None; None when there is none."""
    wanted = col(Warehouse.is_default).is_(True) if warehouse_id is None else col(Warehouse.id) == warehouse_id
    found = await session.execute(select(col(Warehouse.id)).where(col(Warehouse.tenant_id) == tenant_id, wanted))
    id_: int | None = found.scalar_one_or_none()
    return id_
