"""Small worlds for the synchronisation's tests: a tenant with a warehouse, and the rows that a rule is about."""

from dataclasses import dataclass
from itertools import count
from typing import Any

from sqlalchemy import insert, text

from hub.context import Scope
from hub.db import Database
from hub.models.integrations import Integration
from hub.models.products import Product
from hub.models.stock import Location, Warehouse
from hub.models.tenants import Tenant

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class World:
    """One tenant with the warehouse MAIN and its locations RECEPTION and A-01."""

    database: Database
    tenant_id: int
    slug: str

    @property
    def scope(self) -> Scope:
        return Scope.of_system(self.tenant_id)

    async def rows(self, statement: str, **values: Any) -> list[dict[str, Any]]:
        """Read as the tenant."""
        async with self.database.unit_of_work(self.scope) as work:
            return [dict(row) for row in (await work.session.execute(text(statement), values)).mappings()]

    async def value(self, statement: str, **values: Any) -> Any:
        found = await self.rows(statement, **values)
        return next(iter(found[0].values())) if found else None

    async def run(self, statement: str, **values: Any) -> None:
        async with self.database.unit_of_work(self.scope) as work:
            await work.session.execute(text(statement), values)

    async def connect(self, code: str, *, active: bool = True, **columns: Any) -> None:
        """Configure a connection."""
        async with self.database.unit_of_work(self.scope) as work:
            row = {"tenant_id": self.tenant_id, "code": code, "active": active, "fields": {}, "mappings": {}} | columns
            await work.session.execute(insert(Integration), [{"options": {}} | row])

    async def add_product(self, code: str, **columns: Any) -> int:
        async with self.database.unit_of_work(self.scope) as work:
            id_ = await work.next_id("product")
            row = {"tenant_id": self.tenant_id, "id": id_, "code": code, "name": f"Product {code}"} | columns
            await work.session.execute(insert(Product), [row])
        return id_


async def new_world(database: Database) -> World:
    slug = f"t{next(_numbers)}"
    async with database.system_work() as session:
        found = await session.execute(insert(Tenant).values(slug=slug, name=slug).returning(Tenant.__table__.c.id))  # type: ignore[attr-defined]
        tenant_id = int(found.scalar_one())
    async with database.unit_of_work(Scope.of_system(tenant_id)) as work:
        warehouse = {"tenant_id": tenant_id, "id": 1, "code": "MAIN", "name": "Main", "is_default": True}
        await work.session.execute(insert(Warehouse), [warehouse])
        place = {"tenant_id": tenant_id, "warehouse_id": 1}
        locations = [
            place | {"id": 1, "code": "RECEPTION", "name": "Reception", "is_inbound": True},
            place | {"id": 2, "code": "A-01", "name": "A-01", "is_inbound": False},
        ]
        await work.session.execute(insert(Location), locations)
    return World(database, tenant_id, slug)
