"""A tenant with two warehouses to book, reserve and pick in, and the balance sheet that must hold after each test."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import insert

from hub.context import Actor, Grant, Level, Permission, Scope
from hub.db import Database
from hub.models.stock import Location, Warehouse
from hub.services.bookings import Arrival, book_in
from hub.services.stock import Movement, apply
from tests.hub.sync.worlds import World, new_world

RECEPTION, A01, A02, B01 = 1, 2, 3, 4
MAIN, SOUTH = 1, 2


@dataclass(frozen=True, slots=True)
class Stockroom:
    """MAIN with RECEPTION, A-01 (first in turn) and A-02; SOUTH with B-01."""

    world: World

    @property
    def database(self) -> Database:
        return self.world.database

    @property
    def tenant_id(self) -> int:
        return self.world.tenant_id

    @property
    def scope(self) -> Scope:
        """A picker: user 7 of the tenant."""
        grant = Grant(Level.USER, frozenset(Permission))
        return Scope({self.tenant_id: grant}, Actor("user", 7, "paula"))

    async def do(self, service: Any, *arguments: Any, **named: Any) -> Any:
        """Run one service in a unit of work of its own."""
        return await self.database.write(self.scope, lambda work: service(work, *arguments, **named))

    async def receive(
        self,
        product_id: int,
        quantity: int | str,
        location_id: int = A01,
        *,
        batch: str | None = None,
        expires: str | None = None,
        made: str | None = None,
        serials: tuple[str, ...] = (),
    ) -> list[Movement]:
        arrival = Arrival(
            product_id=product_id,
            location_id=location_id,
            quantity=Decimal(quantity),
            document_kind="nir",
            document_id=1,
            batch_code=batch,
            production_date=date.fromisoformat(made) if made else None,
            expiration_date=date.fromisoformat(expires) if expires else None,
            serial_numbers=serials,
            field="nirProducts[0]",
        )
        movements: list[Movement] = await self.do(book_in, [arrival])
        return movements

    async def take(self, product_id: int, quantity: int | str, location_id: int = A01, **key: Any) -> None:
        movement = Movement(
            product_id=product_id,
            location_id=location_id,
            quantity=-Decimal(quantity),
            document_kind="order",
            document_id=1,
            **key,
        )
        await self.do(apply, [movement])

    async def stock(self, product_id: int) -> list[tuple[str, str | None, Decimal, Decimal]]:
        """(location, batch or serial number, quantity, reserved) of every item."""
        rows = await self.world.rows(
            "SELECT l.code, coalesce(b.code, i.serial_number) AS name, i.quantity, i.reserved FROM stock_items i "
            "JOIN locations l USING (tenant_id) LEFT JOIN batches b ON b.tenant_id = i.tenant_id AND b.id = i.batch_id "
            "WHERE l.id = i.location_id AND i.product_id = :product ORDER BY 1, 2",
            product=product_id,
        )
        return [(row["code"], row["name"], row["quantity"], row["reserved"]) for row in rows]

    async def balance(self) -> None:
        """Every figure that is kept twice agrees with its other half."""
        for statement in SHEET:
            differing = await self.world.rows(statement)
            assert differing == [], statement


SHEET = (
    # the ledger explains every balance
    """SELECT * FROM (
         SELECT product_id, location_id, batch_id, serial_number, sscc, sum(quantity) AS quantity FROM (
           SELECT product_id, location_id, batch_id, serial_number, sscc, quantity FROM stock_movements
           UNION ALL SELECT product_id, location_id, batch_id, serial_number, sscc, -quantity FROM stock_items) q
         GROUP BY 1, 2, 3, 4, 5) d WHERE quantity <> 0""",
    # items and lines know what is reserved
    """SELECT i.id, i.reserved, coalesce(sum(r.quantity), 0) AS held FROM stock_items i
       LEFT JOIN reservations r ON r.tenant_id = i.tenant_id AND r.stock_item_id = i.id
       GROUP BY i.id, i.reserved HAVING i.reserved <> coalesce(sum(r.quantity), 0)""",
    """SELECT l.id, l.reserved_quantity, coalesce(sum(r.quantity), 0) AS held FROM order_lines l
       LEFT JOIN reservations r ON r.tenant_id = l.tenant_id AND r.order_line_id = l.id
       GROUP BY l.id, l.reserved_quantity HAVING l.reserved_quantity <> coalesce(sum(r.quantity), 0)""",
    # the appended deltas sum up to the stock
    """SELECT * FROM (
         SELECT product_id, warehouse_id, sum(quantity) AS quantity, sum(reserved) AS reserved FROM (
           SELECT product_id, warehouse_id, quantity, reserved FROM stock_deltas
           UNION ALL SELECT product_id, warehouse_id, quantity, reserved FROM stock_summaries
           UNION ALL SELECT product_id, warehouse_id, -quantity, -reserved FROM stock_items) q
         GROUP BY 1, 2) d WHERE quantity <> 0 OR reserved <> 0""",
    # and so do those of the orders
    """SELECT * FROM (
         SELECT warehouse_id, status, day, sum(orders) AS orders FROM (
           SELECT warehouse_id, status, day, orders FROM order_deltas
           UNION ALL SELECT warehouse_id, status, day, orders FROM order_summaries
           UNION ALL SELECT warehouse_id, status, (created_at AT TIME ZONE 'UTC')::date, -1 FROM orders) q
         GROUP BY 1, 2, 3) d WHERE orders <> 0""",
    # nothing stays at zero
    "SELECT id FROM stock_items WHERE quantity = 0",
)


async def new_stockroom(database: Database) -> Stockroom:
    world = await new_world(database)
    async with database.unit_of_work(world.scope) as work:
        tenant = {"tenant_id": world.tenant_id, "is_inbound": False}
        south = {"tenant_id": world.tenant_id, "id": SOUTH, "code": "SOUTH", "name": "South", "is_default": False}
        await work.session.execute(insert(Warehouse), [south])
        await work.session.execute(
            insert(Location),
            [
                tenant | {"id": A02, "warehouse_id": MAIN, "code": "A-02", "name": "A-02"},
                tenant | {"id": B01, "warehouse_id": SOUTH, "code": "B-01", "name": "B-01"},
            ],
        )
        await work.ids.keep_clear_of(world.tenant_id, "location", B01)
        await work.ids.keep_clear_of(world.tenant_id, "warehouse", SOUTH)
    await world.run("UPDATE locations SET priority = 10 WHERE code = 'A-01'")
    return Stockroom(world)
