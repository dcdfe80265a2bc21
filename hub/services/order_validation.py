"""The validation of an order with what the picker really found: 3 when that is everything, else 4."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from sqlalchemy import update
from sqlmodel import col

from hub.context import Level, Permission
from hub.db import UnitOfWork
from hub.errors import Conflict, Invalid, NotFound
from hub.models.orders import Order
from hub.queries.orders import LineRow, OrderRow, find_lines, lock_orders
from hub.queries.places import Place, find_places
from hub.queries.stock import Need
from hub.queries.traceability import BatchKey, KnownBatch, find_batches
from hub.services import order_states
from hub.services.allocation import Allocation, allocate, refuse_missing, splits
from hub.services.order_states import Change
from hub.services.picking import KIND, book_out, goods_of, issue_notes, pick_reserved, require_released
from hub.services.reservations import Holder, Released, release
from hub.services.stock import Movement
from hub.services.values import decimal
from hub.statuses import ORDER, Status, move

PICKS = "picks"


@dataclass(frozen=True, slots=True, kw_only=True)
class PickDraft:
    """So much was picked for a line, and from where; what is not said is taken from what was reserved for it."""

    line_id: int
    quantity: Decimal
    location_code: str | None = None
    batch_code: str | None = None
    serial_numbers: tuple[str, ...] = ()
    sscc: str | None = None


async def validate(
    work: UnitOfWork,
    *,
    order_id: int,
    picks: Sequence[PickDraft] | None = None,
    number_of_packages: int | None = None,
    number_of_envelopes: int | None = None,
) -> int:
    """Book out what was picked (None: everything reserved), release the rest, validate the order; returns its id."""
    work.scope.require(Level.USER, Permission.PROCESS_OUTBOUND)
    packing = {"number_of_packages": number_of_packages, "number_of_envelopes": number_of_envelopes}
    _check(picks or (), packing)
    order = (await lock_orders(work.session, work.tenant_id, [order_id])).get(order_id)
    if order is None:
        raise NotFound(f"{order_id} does not exist", field="orderId")
    lines = (await find_lines(work.session, work.tenant_id, [order_id]))[order_id]
    needs = await _needs(work, order, lines, picks) if picks is not None else None
    picked = _total(picks) if picks is not None else {line.id: line.reserved_quantity for line in lines}
    status = _outcome(order, lines, picked)
    if needs is None:
        await pick_reserved(work, [order])
    else:
        await _book_out(work, order, lines, needs)
        await issue_notes(work, [order])
    await _write_packing(work, order_id, packing)
    await order_states.write(work, [Change(order, replace(order, status=status))])
    return order_id


def _check(picks: Sequence[PickDraft], packing: Mapping[str, int | None]) -> None:
    for position, pick in enumerate(picks):
        path = f"{PICKS}[{position}]"
        decimal(pick.quantity, field=f"{path}.quantity", above=Decimal(0))
        if pick.serial_numbers and len(set(pick.serial_numbers)) != pick.quantity:
            raise Invalid("must be as many different serial numbers as pieces", field=f"{path}.serialNumbers")
    for field, number in (
        ("numberOfPackages", packing["number_of_packages"]),
        ("numberOfEnvelopes", packing["number_of_envelopes"]),
    ):
        if number is not None and number < 0:
            raise Invalid("must not be negative", field=field)


async def _needs(work: UnitOfWork, order: OrderRow, lines: Sequence[LineRow], picks: Sequence[PickDraft]) -> list[Need]:
    """What is taken from where, one need per pick or per serial number."""
    by_id = {line.id: line for line in lines}
    for position, pick in enumerate(picks):
        if pick.line_id not in by_id:
            raise NotFound(f"{order.title} has no line {pick.line_id}", field=f"{PICKS}[{position}].lineId")
    for line_id, quantity in _total(picks).items():
        if quantity > by_id[line_id].quantity:
            raise Invalid(f"more was picked for line {line_id} than was ordered", field=f"{PICKS}.quantity")
    places = await find_places(
        work.session, work.tenant_id, [pick.location_code for pick in picks if pick.location_code]
    )
    keys = [BatchKey(by_id[pick.line_id].product_id, pick.batch_code) for pick in picks if pick.batch_code]
    batches = await find_batches(work.session, work.tenant_id, keys) if keys else {}
    return [
        need
        for position, pick in enumerate(picks)
        for need in _needs_of(order, by_id[pick.line_id], pick, f"{PICKS}[{position}]", places, batches)
    ]


def _needs_of(
    order: OrderRow,
    line: LineRow,
    pick: PickDraft,
    path: str,
    places: Mapping[str, Place],
    batches: Mapping[BatchKey, KnownBatch],
) -> Iterator[Need]:
    place = places.get(pick.location_code) if pick.location_code else None
    if pick.location_code and (place is None or place.warehouse_id != order.warehouse_id):
        raise NotFound(f"no location {pick.location_code} in the order's warehouse", field=f"{path}.locationCode")
    batch = batches.get(BatchKey(line.product_id, pick.batch_code)) if pick.batch_code else None
    if pick.batch_code and batch is None:
        raise NotFound(f"the product has no batch {pick.batch_code}", field=f"{path}.batchCode")
    pieces: Sequence[str | None] = pick.serial_numbers or (None,)
    for serial_number in pieces:
        yield Need(
            product_id=line.product_id,
            warehouse_id=order.warehouse_id,
            quantity=pick.quantity if serial_number is None else Decimal(1),
            line_id=line.id,
            location_id=place.id if place else None,
            batch_id=batch.id if batch else None,
            serial_number=serial_number,
            sscc=pick.sscc,
        )


def _outcome(order: OrderRow, lines: Sequence[LineRow], picked: Mapping[int, Decimal]) -> Status:
    complete = bool(lines) and all(picked.get(line.id) == line.quantity for line in lines)
    status = move(
        ORDER,
        order.status,
        Status.VALIDATED if complete else Status.VALIDATED_WITH_DIFFERENCES,
        document=order.title,
    )
    if order.status is status:
        raise Conflict(f"{order.title} is validated already", field="status")
    require_released(order)
    if not sum(picked.values()):
        raise Conflict(f"nothing is picked for {order.title}", field="status", hint="cancel the order instead")
    return status


def _total(picks: Sequence[PickDraft]) -> dict[int, Decimal]:
    total: dict[int, Decimal] = defaultdict(Decimal)
    for pick in picks:
        total[pick.line_id] += pick.quantity
    return total


async def _book_out(work: UnitOfWork, order: OrderRow, lines: Sequence[LineRow], needs: Sequence[Need]) -> None:
    """Take what was reserved for the lines first; what was picked elsewhere must be free there."""
    promised = await release(work, Holder.ORDER, [line.id for line in lines])
    movements, missing = _from_promised(order, promised, needs)
    await book_out(work, movements)
    elsewhere = await allocate(work, missing) if missing else []
    await refuse_missing(work, missing, elsewhere)
    await book_out(work, [_from_free(order, allocation) for allocation in elsewhere])


def _from_promised(
    order: OrderRow, promised: Sequence[Released], needs: Sequence[Need]
) -> tuple[list[Movement], list[Need]]:
    left = {part: part.quantity for part in promised}
    mine: dict[int | None, list[Released]] = defaultdict(list)
    for part in promised:
        mine[part.line_id].append(part)
    movements, missing = [], []
    for need in needs:
        quantity = need.quantity
        for part in mine[need.line_id]:
            taken = min(quantity, left[part])
            if taken and need.accepts(part) and not splits(part, taken):
                movements.append(goods_of(part, order.id, taken))
                left[part] -= taken
                quantity -= taken
        if quantity:
            missing.append(replace(need, quantity=quantity))
    return movements, missing


def _from_free(order: OrderRow, allocation: Allocation) -> Movement:
    item = allocation.item
    return Movement(
        product_id=item.product_id,
        location_id=item.location_id,
        quantity=-allocation.quantity,
        document_kind=KIND,
        document_id=order.id,
        line_id=allocation.need.line_id,
        batch_id=item.batch_id,
        serial_number=item.serial_number,
        sscc=item.sscc,
    )


async def _write_packing(work: UnitOfWork, order_id: int, packing: Mapping[str, int | None]) -> None:
    given = {name: number for name, number in packing.items() if number is not None}
    if given:
        mine = (col(Order.tenant_id) == work.tenant_id, col(Order.id) == order_id)
        await work.session.execute(update(Order).where(*mine).values(given))
