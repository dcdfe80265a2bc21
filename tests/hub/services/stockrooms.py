"""A tenant with two warehouses to book, reserve and pick in, and the balance sheet that must hold after each test."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import insert

from hub.context import Actor, Grant, Level, Permission, Scope
from hub.db import Database
from hub.models.stock import Location, Warehouse
from hub.services import orders
from hub.services.bookings import Arrival, book_in
from hub.services.order_drafts import OrderDraft, OrderLineDraft
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

    async def order(self, number: str, *lines: tuple[str, int | str] | OrderLineDraft, **columns: Any) -> int:
        """Add an order with lines of (product code, quantity)."""
        drafts = [
            line
            if isinstance(line, OrderLineDraft)
            else OrderLineDraft(product_code=line[0], quantity=Decimal(line[1]))
            for line in lines
        ]
        draft = OrderDraft(external_order_id=number, lines=drafts, **columns)
        [id_] = await self.do(orders.add, orders=[draft])
        return int(id_)

    async def status(self, order_id: int) -> int:
        return int(await self.world.value("SELECT status FROM orders WHERE id = :id", id=order_id))

    async def lines(self, order_id: int) -> list[tuple[Decimal, Decimal, Decimal]]:
        """(quantity, reserved, picked) of each line."""
        rows = await self.world.rows(
            "SELECT quantity, reserved_quantity, picked_quantity FROM order_lines "
            "WHERE order_id = :id ORDER BY position",
            id=order_id,
        )
        return [(row["quantity"], row["reserved_quantity"], row["picked_quantity"]) for row in rows]

    async def line_ids(self, order_id: int) -> list[int]:
        rows = await self.world.rows("SELECT id FROM order_lines WHERE order_id = :id ORDER BY position", id=order_id)
        return [row["id"] for row in rows]

    async def balance(self, *, orders: bool = False) -> None:
        """Every figure that is kept twice agrees with its other half; with `orders`, every state with its lines."""
        for statement in (*SHEET, *(ORDER_SHEET if orders else ())):
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
ORDER_SHEET = (
    # the state follows from what is covered
    """SELECT o.id, o.status FROM orders o CROSS JOIN LATERAL (
         SELECT count(*) AS lines, coalesce(sum(l.quantity - l.reserved_quantity), 0) AS missing,
                coalesce(sum(l.reserved_quantity), 0) AS reserved
         FROM order_lines l WHERE l.tenant_id = o.tenant_id AND l.order_id = o.id) l
       WHERE CASE o.status WHEN 1 THEN l.lines > 0 WHEN 2 THEN l.lines = 0 OR l.missing > 0 WHEN 7 THEN l.missing > 0
             WHEN 6 THEN l.missing = 0 ELSE l.reserved > 0 END""",
    # what was picked is what the ledger says, and what was scanned
    """SELECT l.id FROM order_lines l WHERE l.picked_quantity <> (
         SELECT coalesce(-sum(m.quantity), 0) FROM stock_movements m WHERE m.tenant_id = l.tenant_id
         AND m.document_kind = 'order' AND m.document_id = l.order_id AND m.line_id = l.id)
       OR l.picked_quantity <> (
         SELECT coalesce(sum(s.quantity), 0) FROM scans s WHERE s.tenant_id = l.tenant_id
         AND s.document_kind = 'order' AND s.document_id = l.order_id AND s.line_id = l.id)""",
    # every validated order has one note
    """SELECT o.id FROM orders o LEFT JOIN goods_issued_notes n ON n.tenant_id = o.tenant_id AND n.order_id = o.id
       WHERE (o.status IN (3, 4, 5, 8)) <> (n.id IS NOT NULL)""",
    # the history of an order leads to its state
    """SELECT o.id FROM orders o WHERE o.status <> (
         SELECT c.status_after FROM document_changes c WHERE c.tenant_id = o.tenant_id AND c.document_kind = 'order'
         AND c.document_id = o.id ORDER BY c.occurred_at DESC, c.id DESC LIMIT 1)""",
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
