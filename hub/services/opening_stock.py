"""The stock that a tenant begins with: booked once, by inventories that count it where nothing was recorded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import insert as insert_rows
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert

from hub.context import Level, Permission
from hub.db import UnitOfWork
from hub.errors import Conflict, HubError
from hub.models.movements import Inventory, InventoryCount
from hub.models.stock import Batch
from hub.queries.traceability import BatchKey, batch_key
from hub.services import document_changes
from hub.services.batch_dates import settle_batches
from hub.services.bookings import Arrival, book_in
from hub.services.document_changes import step
from hub.services.inventory_corrections import KIND
from hub.services.outcomes import Effect, Outcome, in_halves
from hub.services.stock import lock_goods
from hub.statuses import Status

OPENING = "import: opening stock"
"""Who opened the inventories of opening stock; no user's name holds a colon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A part of the goods that is told apart by its serial number or its container."""

    quantity: Decimal
    serial_number: str | None = None
    sscc: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningGoods:
    """What is there of a product at a location in one batch. `batch_id` is the id that a new batch gets."""

    product_id: int
    warehouse_id: int
    location_id: int
    pieces: Sequence[Piece]
    batch_id: int | None = None
    batch_code: str | None = None
    production_date: date | None = None
    expiration_date: date | None = None

    @property
    def quantity(self) -> Decimal:
        return sum((piece.quantity for piece in self.pieces), Decimal(0))

    @property
    def serial_numbers(self) -> list[str]:
        return sorted(piece.serial_number for piece in self.pieces if piece.serial_number is not None)

    @property
    def batch(self) -> BatchKey | None:
        key = batch_key(self.product_id, self.batch_code, self.production_date, self.expiration_date)
        return None if key[1:] == (None, None, None) else key


GoodsKey = tuple[int, BatchKey]
"""Location and what tells batches apart."""

_COUNTED = text("""
    SELECT c.location_id, c.product_id, c.batch_code, c.production_date, c.expiration_date, c.quantity,
           c.serial_numbers
    FROM inventory_counts c
    JOIN inventories v ON v.tenant_id = :tenant AND v.id = c.inventory_id AND v.created_by = :opening
    WHERE c.tenant_id = :tenant AND c.product_id = ANY (cast(:product_ids AS bigint[]))
""")
_PRESENT = text("""
    SELECT i.location_id, i.product_id, b.code, b.production_date, b.expiration_date, sum(i.quantity) AS quantity
    FROM stock_items i
    LEFT JOIN batches b ON b.tenant_id = :tenant AND b.id = i.batch_id
    WHERE i.tenant_id = :tenant AND i.product_id = ANY (cast(:product_ids AS bigint[]))
    GROUP BY 1, 2, 3, 4, 5
""")
_BATCHES = text("""
    SELECT b.id, b.product_id, b.code, b.production_date, b.expiration_date FROM batches b
    WHERE b.tenant_id = :tenant
        AND (b.id = ANY (cast(:ids AS bigint[])) OR b.product_id = ANY (cast(:product_ids AS bigint[])))
""")


async def book(work: UnitOfWork, *, goods: Sequence[OpeningGoods]) -> list[Outcome]:
    """Book goods that were not booked by an earlier call; one outcome per goods, its id is the inventory's.

    Goods that are there by other means, or were booked with another quantity, are a `Conflict`.
    """
    work.scope.require(Level.ADMINISTRATOR, Permission.PROCESS_INVENTORY)
    await lock_goods(work, {one.product_id for one in goods})
    outcomes: list[Outcome | None] = list(await _judged(work, goods))
    pending = [one for one, outcome in zip(goods, outcomes, strict=True) if outcome is None]
    refused = iter(await in_halves(work, pending, lambda part: _write(work, part)))
    return [outcome or _written(next(refused)) for outcome in outcomes]


def _written(error: HubError | None) -> Outcome:
    return Outcome(None, Effect.REFUSED, error) if error else Outcome(None, Effect.ADDED)


async def _judged(work: UnitOfWork, goods: Sequence[OpeningGoods]) -> list[Outcome | None]:
    """What can be said before anything is written; None for goods to be booked."""
    sought = {
        "tenant": work.tenant_id,
        "opening": OPENING,
        "product_ids": list({one.product_id for one in goods}),
        "ids": list({one.batch_id for one in goods if one.batch_id is not None}),
    }
    counted = {_key(*row[:5]): row for row in await work.session.execute(_COUNTED, sought)}
    present = {_key(*row[:5]): row.quantity for row in await work.session.execute(_PRESENT, sought)}
    batches = {row.id: batch_key(*row[1:]) for row in await work.session.execute(_BATCHES, sought)}
    ids = {key: id_ for id_, key in batches.items()}

    def judge(one: OpeningGoods) -> Outcome | None:
        key = _key(one.location_id, one.product_id, one.batch_code, one.production_date, one.expiration_date)
        before = counted.get(key)
        error = None
        if before is not None:
            if (before.quantity, sorted(before.serial_numbers)) == (one.quantity, one.serial_numbers):
                return Outcome(None, Effect.UNCHANGED)
            error = Conflict(
                f"was booked with {before.quantity.normalize():f} already",
                field="quantity",
                hint="correct it in the hub",
            )
        elif key in present:
            error = Conflict(
                f"{present[key].normalize():f} are there already, which no import booked",
                field="quantity",
                hint="count them by an inventory in the hub",
            )
        elif one.batch_id is not None and one.batch is not None:
            owner, known = batches.get(one.batch_id), ids.get(one.batch)
            if (owner is not None and owner != one.batch) or known not in (None, one.batch_id):
                error = Conflict(f"{one.batch_id} is taken, or the batch has another id", field="stockBatchId")
            ids[one.batch] = one.batch_id
            batches[one.batch_id] = one.batch
        return Outcome(None, Effect.REFUSED, error) if error else None

    return [judge(one) for one in goods]


def _key(
    location_id: int, product_id: int, code: str | None, production: date | None, expiration: date | None
) -> GoodsKey:
    return location_id, batch_key(product_id, code, production, expiration)


async def _write(work: UnitOfWork, goods: Sequence[OpeningGoods]) -> None:
    """One validated inventory per warehouse; the goods come in as its corrections."""
    await _insert_batches(work, goods)
    warehouses = sorted({one.warehouse_id for one in goods})
    ids = dict(zip(warehouses, await work.next_ids("inventory", len(warehouses)), strict=True))
    counts = await work.next_ids("inventory_count", len(goods))
    arrivals = [
        arrival
        for one, count_id in zip(goods, counts, strict=True)
        for arrival in _arrivals(one, ids[one.warehouse_id], count_id)
    ]
    batches = await settle_batches(work, arrivals)
    await _insert_inventories(work, ids)
    rows = [
        {
            "tenant_id": work.tenant_id,
            "id": count_id,
            "inventory_id": ids[one.warehouse_id],
            "product_id": one.product_id,
            "location_id": one.location_id,
            "batch_id": batches[one.batch] if one.batch else None,
            "batch_code": one.batch_code,
            "production_date": one.production_date,
            "expiration_date": one.expiration_date,
            "quantity": one.quantity,
            "recorded_quantity": Decimal(0),
            "serial_numbers": one.serial_numbers,
            "recorded_serial_numbers": [],
        }
        for one, count_id in zip(goods, counts, strict=True)
    ]
    await work.session.execute(insert_rows(InventoryCount), rows)
    await book_in(work, arrivals)


async def _insert_inventories(work: UnitOfWork, ids: Mapping[int, int]) -> None:
    status = Status.VALIDATED_WITH_DIFFERENCES
    who = {"created_by": OPENING, "validated_by": work.scope.actor.name, "validated_at": await work.now()}
    rows = [
        who | {"tenant_id": work.tenant_id, "id": id_, "warehouse_id": warehouse_id, "status": int(status)}
        for warehouse_id, id_ in ids.items()
    ]
    await work.session.execute(insert_rows(Inventory), rows)
    await document_changes.record(work, kind=KIND, steps=[step(id_, None, status) for id_ in ids.values()])


async def _insert_batches(work: UnitOfWork, goods: Sequence[OpeningGoods]) -> None:
    """Batches whose ids are kept; the others come into being with their goods."""
    rows = {
        one.batch_id: {
            "tenant_id": work.tenant_id,
            "id": one.batch_id,
            "product_id": one.product_id,
            "code": one.batch_code,
            "production_date": one.production_date,
            "expiration_date": one.expiration_date,
        }
        for one in reversed(goods)
        if one.batch_id is not None and one.batch is not None
    }
    if rows:
        await work.session.execute(insert(Batch).on_conflict_do_nothing(), list(rows.values()))


def _arrivals(one: OpeningGoods, inventory_id: int, count_id: int) -> list[Arrival]:
    """One arrival for all pieces that have their own serial numbers, container by container."""
    by_container: dict[str | None, list[Piece]] = {}
    for piece in one.pieces:
        by_container.setdefault(piece.sscc, []).append(piece)
    return [
        Arrival(
            product_id=one.product_id,
            location_id=one.location_id,
            quantity=sum((piece.quantity for piece in pieces), Decimal(0)),
            document_kind=KIND,
            document_id=inventory_id,
            line_id=count_id,
            batch_code=one.batch_code,
            production_date=one.production_date,
            expiration_date=one.expiration_date,
            serial_numbers=tuple(piece.serial_number for piece in pieces if piece.serial_number is not None),
            sscc=sscc,
            batch_field="stockBatchCode",
        )
        for sscc, pieces in by_container.items()
    ]
