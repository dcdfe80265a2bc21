"""The only writer of physical stock: balance, ledger and summary change together or not at all."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import text

from hub.context import Level
from hub.db import UnitOfWork
from hub.errors import Conflict
from hub.queries.sets import arrays
from hub.queries.stock import HeldItem, ItemKey, find_items, lock_products, names_of_item
from hub.services import outbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """So much of a stock item comes (+) or goes (−) because of one line of a document.

    `received_at` keeps the age of goods that only change their place; it is now for goods that come in.
    """

    product_id: int
    location_id: int
    quantity: Decimal
    document_kind: str
    document_id: int
    line_id: int | None = None
    batch_id: int | None = None
    serial_number: str | None = None
    sscc: str | None = None
    received_at: datetime | None = None

    @property
    def key(self) -> ItemKey:
        return ItemKey(self.product_id, self.location_id, self.batch_id, self.serial_number, self.sscc)


@dataclass(frozen=True, slots=True)
class _Balance:
    """What a set of movements makes of one stock item."""

    id: int
    key: ItemKey
    quantity: Decimal
    received_at: datetime | None


_UPDATE = text("""
    UPDATE stock_items i
    SET quantity = n.quantity, received_at = least(i.received_at, n.received_at)
    FROM unnest(cast(:id AS bigint[]), cast(:quantity AS numeric[]), cast(:received_at AS timestamptz[]))
         AS n (id, quantity, received_at)
    WHERE i.tenant_id = :tenant AND i.id = n.id
""")
_DELETE = text("DELETE FROM stock_items WHERE tenant_id = :tenant AND id = ANY (cast(:ids AS bigint[]))")
_INSERT = """
    INSERT INTO stock_items AS i (tenant_id, id, product_id, warehouse_id, location_id, batch_id, serial_number, sscc,
                                  quantity, reserved, received_at)
    SELECT :tenant, n.id, n.product_id, l.warehouse_id, n.location_id, n.batch_id, n.serial_number, n.sscc,
           n.quantity, 0, coalesce(n.received_at, now())
    FROM unnest(cast(:id AS bigint[]), cast(:product_id AS bigint[]), cast(:location_id AS bigint[]),
                cast(:batch_id AS bigint[]), cast(:serial_number AS text[]), cast(:sscc AS text[]),
                cast(:quantity AS numeric[]), cast(:received_at AS timestamptz[]))
         AS n (id, product_id, location_id, batch_id, serial_number, sscc, quantity, received_at)
    LEFT JOIN locations l ON l.tenant_id = :tenant AND l.id = n.location_id
    ORDER BY n.product_id, n.location_id, n.batch_id, n.serial_number, n.sscc
"""
_ADD = text(
    _INSERT
    + """
    ON CONFLICT (tenant_id, product_id, location_id, batch_id, serial_number, sscc) DO UPDATE
    SET quantity = i.quantity + excluded.quantity, received_at = least(i.received_at, excluded.received_at)
"""
)
_ADD_PIECES = text(_INSERT + " ON CONFLICT DO NOTHING RETURNING i.id")
_LEDGER = text("""
    WITH moved AS (
        SELECT m.*, l.warehouse_id
        FROM unnest(cast(:id AS bigint[]), cast(:product_id AS bigint[]), cast(:location_id AS bigint[]),
                    cast(:batch_id AS bigint[]), cast(:serial_number AS text[]), cast(:sscc AS text[]),
                    cast(:quantity AS numeric[]), cast(:document_kind AS text[]), cast(:document_id AS bigint[]),
                    cast(:line_id AS bigint[]))
             AS m (id, product_id, location_id, batch_id, serial_number, sscc, quantity,
                   document_kind, document_id, line_id)
        LEFT JOIN locations l ON l.tenant_id = :tenant AND l.id = m.location_id
    ), ledger AS (
        INSERT INTO stock_movements (tenant_id, id, product_id, warehouse_id, location_id, batch_id, serial_number,
                                     sscc, quantity, document_kind, document_id, line_id, actor)
        SELECT :tenant, id, product_id, warehouse_id, location_id, batch_id, serial_number,
               sscc, quantity, document_kind, document_id, line_id, :actor
        FROM moved
    )
    INSERT INTO stock_deltas (tenant_id, product_id, warehouse_id, quantity, reserved)
    SELECT :tenant, product_id, warehouse_id, sum(quantity), 0
    FROM moved
    GROUP BY product_id, warehouse_id
    HAVING sum(quantity) <> 0
""")


async def apply(work: UnitOfWork, movements: Sequence[Movement]) -> None:
    """Book a set of movements; raises `Conflict` when an item would fall below zero or below what is reserved of it.

    Movements of the same item count together. A serial number is one piece in one place of the tenant.
    """
    work.scope.require(Level.USER)
    movements = [movement for movement in movements if movement.quantity]
    if not movements:
        return
    products = {movement.product_id for movement in movements}
    await lock_goods(work, products)
    changes = _changes(movements)
    held = await find_items(work.session, work.tenant_id, changes)
    await _refuse_shortage(work, changes, held)
    await _write_kept(work, [_after(held[key], change) for key, change in changes.items() if key in held])
    await _write_new(work, {key: change for key, change in changes.items() if key not in held and change.quantity})
    await _write_ledger(work, movements)
    touched(work, products)


async def lock_goods(work: UnitOfWork, product_ids: Collection[int]) -> None:
    """Let nobody else change stock or reservations of these products until the end of the unit of work.

    Whoever touches several products in more than one step locks all of them first: the ascending order of ids is
    what keeps transactions from waiting for each other in a circle.
    """
    wanted = {("product", id_) for id_ in product_ids} - work.locked
    if wanted:
        await lock_products(work.session, work.tenant_id, [id_ for _, id_ in wanted])
        work.locked |= wanted


def touched(work: UnitOfWork, product_ids: set[int]) -> None:
    """Have the world told, once at the end of the unit of work, that the stock of these products changed."""
    work.at_end(_tell, product_ids)


async def _tell(work: UnitOfWork, product_ids: list[int]) -> None:
    await outbox.stock_changed(work, product_ids)
    for product_id in product_ids:
        work.emit("stock", "changed", subject_id=product_id)


@dataclass(slots=True)
class _Change:
    quantity: Decimal = Decimal(0)
    received_at: datetime | None = None


def _changes(movements: Sequence[Movement]) -> dict[ItemKey, _Change]:
    changes: dict[ItemKey, _Change] = {}
    for movement in movements:
        change = changes.setdefault(movement.key, _Change())
        change.quantity += movement.quantity
        if movement.received_at and (change.received_at is None or movement.received_at < change.received_at):
            change.received_at = movement.received_at
    return changes


def _after(item: HeldItem, change: _Change) -> _Balance:
    return _Balance(item.id, item.key, item.quantity + change.quantity, change.received_at)


async def _refuse_shortage(
    work: UnitOfWork, changes: Mapping[ItemKey, _Change], held: Mapping[ItemKey, HeldItem]
) -> None:
    for key, change in changes.items():
        item = held.get(key)
        present, reserved = (item.quantity, item.reserved) if item else (Decimal(0), Decimal(0))
        if change.quantity < 0 and present + change.quantity < reserved:
            product, location = await names_of_item(work.session, work.tenant_id, key)
            raise Conflict(
                f"stock insufficient: {-change.quantity.normalize():f} of product {product} are to leave {location}, "
                f"{(present - reserved).normalize():f} of {present.normalize():f} there are free"
            )
        if key.serial_number is not None and present + change.quantity > 1:
            await _refuse_serial(work, key)


async def _refuse_serial(work: UnitOfWork, key: ItemKey) -> None:
    product, _ = await names_of_item(work.session, work.tenant_id, key)
    raise Conflict(f"serial number {key.serial_number} of product {product} is already in stock")


async def _write_kept(work: UnitOfWork, balances: Sequence[_Balance]) -> None:
    gone = [balance.id for balance in balances if not balance.quantity]
    if gone:
        await work.session.execute(_DELETE, {"tenant": work.tenant_id, "ids": gone})
    kept = [balance for balance in balances if balance.quantity]
    if kept:
        columns = arrays(kept, "id", "quantity", "received_at")
        await work.session.execute(_UPDATE, {"tenant": work.tenant_id, **columns})


async def _write_new(work: UnitOfWork, changes: Mapping[ItemKey, _Change]) -> None:
    if not changes:
        return
    ids = await work.next_ids("stock_item", len(changes))
    new = [_Balance(id_, key, c.quantity, c.received_at) for id_, (key, c) in zip(ids, changes.items(), strict=True)]
    goods = [balance for balance in new if balance.key.serial_number is None]
    pieces = [balance for balance in new if balance.key.serial_number is not None]
    if goods:
        await work.session.execute(_ADD, _columns(work, goods))
    if pieces:
        added = set((await work.session.execute(_ADD_PIECES, _columns(work, pieces))).scalars())
        for piece in pieces:
            if piece.id not in added:
                await _refuse_serial(work, piece.key)


def _columns(work: UnitOfWork, balances: Sequence[_Balance]) -> dict[str, object]:
    keys = arrays((balance.key for balance in balances), *ItemKey._fields)
    return {"tenant": work.tenant_id, **keys, **arrays(balances, "id", "quantity", "received_at")}


async def _write_ledger(work: UnitOfWork, movements: Sequence[Movement]) -> None:
    origin = ("document_kind", "document_id", "line_id")
    columns = {
        "tenant": work.tenant_id,
        "actor": work.scope.actor.name,
        "id": await work.next_ids("stock_movement", len(movements)),
        **arrays(movements, *ItemKey._fields, "quantity", *origin),
    }
    await work.session.execute(_LEDGER, columns)
