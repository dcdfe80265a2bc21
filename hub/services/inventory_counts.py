"""One count: which goods it is about, what is recorded of them at that moment, and what was found."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import and_, func, insert, select, update
from sqlmodel import col

from hub.db import UnitOfWork
from hub.errors import Conflict, Invalid, NotFound
from hub.models.movements import InventoryCount
from hub.models.stock import Batch, StockItem
from hub.queries.places import Place, find_places
from hub.queries.traceability import Demands, batch_key, find_batches, find_demands
from hub.services import values
from hub.services.nomenclature import ids_by
from hub.services.products import PRODUCTS


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryCountDraft:
    """What somebody counted at a location; without `inventory_id` a new inventory is opened there.

    `recorded_quantity` is what the caller believes to be there: another present quantity is a `Conflict`.
    """

    location_code: str
    product_code: str
    quantity: Decimal
    inventory_id: int | None = None
    recorded_quantity: Decimal | None = None
    batch_id: int | None = None
    batch_code: str | None = None
    serial_numbers: tuple[str, ...] = ()
    production_date: date | None = None
    expiration_date: date | None = None


@dataclass(frozen=True, slots=True)
class CountedBatch:
    """All None for goods without a batch code, whatever their dates; `id` alone is None for a batch not known yet."""

    id: int | None = None
    code: str | None = None
    production_date: date | None = None
    expiration_date: date | None = None

    @property
    def is_new(self) -> bool:
        return self.id is None and (self.code, self.production_date, self.expiration_date) != (None, None, None)


@dataclass(frozen=True, slots=True)
class Goods:
    """What a count is about."""

    product_id: int
    place: Place
    batch: CountedBatch


def check(draft: InventoryCountDraft) -> None:
    """What can be said of a count without looking at anything."""
    values.decimal(draft.quantity, field="quantity")
    if draft.recorded_quantity is not None:
        values.decimal(draft.recorded_quantity, field="recordedQuantity")
    if len(set(draft.serial_numbers)) != len(draft.serial_numbers):
        raise Invalid("a serial number is given twice", field="snList")
    if draft.serial_numbers and len(draft.serial_numbers) != draft.quantity:
        raise Invalid(f"must name {draft.quantity.normalize():f} serial numbers, one for each piece", field="snList")


async def identify(work: UnitOfWork, draft: InventoryCountDraft) -> Goods:
    products = await ids_by(work, PRODUCTS, "code", [draft.product_code])
    product_id = products.get(draft.product_code)
    if product_id is None:
        raise NotFound(f"product {draft.product_code} does not exist", field="model")
    _check_traceability(draft, (await find_demands(work.session, work.tenant_id, [product_id]))[product_id])
    place = (await find_places(work.session, work.tenant_id, [draft.location_code])).get(draft.location_code)
    if place is None:
        raise NotFound(f"location {draft.location_code} does not exist", field="locationCode")
    return Goods(product_id, place, await _batch(work, draft, product_id))


async def record(work: UnitOfWork, inventory_id: int, draft: InventoryCountDraft, goods: Goods) -> int:
    """Write a count beside what is recorded now; a second count of the same goods replaces the first."""
    quantity, serial_numbers = await _present(work, goods)
    if draft.recorded_quantity is not None and draft.recorded_quantity != quantity:
        raise Conflict(
            f"{quantity.normalize():f} are there now, not {draft.recorded_quantity.normalize():f}",
            field="recordedQuantity",
            hint="count again",
        )
    if draft.serial_numbers and len(serial_numbers) != quantity:
        raise Conflict("pieces without a serial number are there", field="snList", hint="count them without snList")
    found = {
        "batch_id": goods.batch.id,
        "production_date": goods.batch.production_date,
        "expiration_date": goods.batch.expiration_date,
        "quantity": draft.quantity,
        "recorded_quantity": quantity,
        "serial_numbers": sorted(draft.serial_numbers),
        "recorded_serial_numbers": serial_numbers,
    }
    replaced = await work.session.execute(
        update(InventoryCount)
        .where(*_same(work, inventory_id, goods))
        .values(found | {"updated_at": func.now()})
        .returning(col(InventoryCount.id))
    )
    id_: int | None = replaced.scalar_one_or_none()
    if id_ is None:
        id_ = await work.next_id("inventory_count")
        key = {"tenant_id": work.tenant_id, "id": id_, "inventory_id": inventory_id, "product_id": goods.product_id}
        place = {"location_id": goods.place.id, "batch_code": goods.batch.code}
        await work.session.execute(insert(InventoryCount), [key | place | found])
    return id_


def _check_traceability(draft: InventoryCountDraft, demands: Demands) -> None:
    if demands.batch_code and draft.batch_id is None and draft.batch_code is None:
        raise Invalid(f"required for product {demands.code}, or stockBatchId", field="stockBatchCode")
    if demands.serial_number and len(draft.serial_numbers) != draft.quantity:
        raise Invalid(
            f"product {demands.code} has serial numbers: name one for each of the pieces counted", field="snList"
        )


async def _batch(work: UnitOfWork, draft: InventoryCountDraft, product_id: int) -> CountedBatch:
    """The batch that was counted, with its own dates where it is known."""
    key = batch_key(product_id, draft.batch_code, draft.production_date, draft.expiration_date)
    batch = CountedBatch(None, draft.batch_code)
    if draft.batch_id is not None:
        batch = await _batch_by_id(work, draft, product_id)
    elif key[1:] != (None, None, None):
        known = (await find_batches(work.session, work.tenant_id, [key])).get(key)
        if known is not None:
            batch = CountedBatch(known.id, draft.batch_code, known.production_date, known.expiration_date)
    for given, own, field in (
        (draft.production_date, batch.production_date, "productionDate"),
        (draft.expiration_date, batch.expiration_date, "expirationDate"),
    ):
        if given is not None and own is not None and given != own:
            raise Conflict(f"batch {batch.code} is known with {own}, not {given}", field=field)
    production_date = batch.production_date or draft.production_date
    return CountedBatch(batch.id, batch.code, production_date, batch.expiration_date or draft.expiration_date)


async def _batch_by_id(work: UnitOfWork, draft: InventoryCountDraft, product_id: int) -> CountedBatch:
    found = await work.session.execute(
        select(col(Batch.id), col(Batch.code), col(Batch.production_date), col(Batch.expiration_date)).where(
            col(Batch.tenant_id) == work.tenant_id,
            col(Batch.id) == draft.batch_id,
            col(Batch.product_id) == product_id,
        )
    )
    row = found.first()
    if row is None:
        raise NotFound(f"product {draft.product_code} has no batch {draft.batch_id}", field="stockBatchId")
    if draft.batch_code is not None and draft.batch_code != row.code:
        raise Invalid(f"is not the code of batch {draft.batch_id}", field="stockBatchCode")
    return CountedBatch(*row)


async def _present(work: UnitOfWork, goods: Goods) -> tuple[Decimal, list[str]]:
    """The physical quantity of these goods, and their serial numbers."""
    if goods.batch.is_new:
        return Decimal(0), []
    same_batch = and_(col(Batch.tenant_id) == work.tenant_id, col(Batch.id) == col(StockItem.batch_id))
    found = await work.session.execute(
        select(col(StockItem.quantity), col(StockItem.serial_number))
        .outerjoin(Batch, same_batch)
        .where(
            col(StockItem.tenant_id) == work.tenant_id,
            col(StockItem.product_id) == goods.product_id,
            col(StockItem.location_id) == goods.place.id,
            col(Batch.code).is_(None) if goods.batch.id is None else col(StockItem.batch_id) == goods.batch.id,
        )
    )
    items = found.all()
    numbers = sorted(item.serial_number for item in items if item.serial_number is not None)
    return sum((item.quantity for item in items), Decimal(0)), numbers


def _same(work: UnitOfWork, inventory_id: int, goods: Goods) -> Sequence[Any]:
    """The count of the same goods in the same inventory: batches are told apart by code, else by their dates."""
    batch: list[Any] = [col(InventoryCount.batch_code) == goods.batch.code]
    if goods.batch.code is None:
        batch = [
            col(InventoryCount.batch_code).is_(None),
            col(InventoryCount.production_date).is_not_distinct_from(goods.batch.production_date),
            col(InventoryCount.expiration_date).is_not_distinct_from(goods.batch.expiration_date),
        ]
    return [
        col(InventoryCount.tenant_id) == work.tenant_id,
        col(InventoryCount.inventory_id) == inventory_id,
        col(InventoryCount.product_id) == goods.product_id,
        col(InventoryCount.location_id) == goods.place.id,
        *batch,
    ]
