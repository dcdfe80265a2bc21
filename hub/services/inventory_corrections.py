"""The correction of the stock by counts: what was missing goes out first, then what was too much comes in."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from sqlalchemy import text

from hub.db import UnitOfWork
from hub.queries.stock import Need
from hub.services.bookings import Arrival, Issue, book_in, issue
from hub.services.stock import lock_goods

KIND = "inventory"


@dataclass(frozen=True, slots=True)
class Finding:
    """A count as it was recorded."""

    count_id: int
    inventory_id: int
    product_id: int
    warehouse_id: int
    location_id: int
    batch_id: int | None
    batch_code: str | None
    production_date: date | None
    expiration_date: date | None
    quantity: Decimal
    recorded_quantity: Decimal
    serial_numbers: Sequence[str]
    """Empty: the quantity alone was counted."""
    recorded_serial_numbers: Sequence[str]

    @property
    def difference(self) -> Decimal:
        return self.quantity - self.recorded_quantity

    @property
    def is_as_recorded(self) -> bool:
        same_pieces = not self.serial_numbers or self.serial_numbers == self.recorded_serial_numbers
        return not self.difference and same_pieces


_FREE_WITHOUT_CODE = text("""
    SELECT i.batch_id, sum(i.quantity - i.reserved) AS free
    FROM stock_items i
    LEFT JOIN batches b ON b.tenant_id = i.tenant_id AND b.id = i.batch_id
    WHERE i.tenant_id = :tenant AND i.product_id = :product_id AND i.location_id = :location_id AND b.code IS NULL
    GROUP BY i.batch_id, b.expiration_date
    ORDER BY b.expiration_date NULLS LAST, i.batch_id
""")


async def correct(work: UnitOfWork, findings: Sequence[Finding]) -> dict[int, int]:
    """Book the differences; returns count → batch for the goods that came in.

    Locked batches are corrected too. `Conflict` when less would remain than is reserved.
    """
    await lock_goods(work, {finding.product_id for finding in findings})
    out = [part for finding in findings for part in await _missing(work, finding)]
    if out:
        await issue(work, out, with_locked_batches=True)
    surplus = [part for finding in findings for part in _surplus(finding)]
    movements = await book_in(work, surplus)
    return {moved.line_id: moved.batch_id for moved in movements if moved.line_id and moved.batch_id}


async def _missing(work: UnitOfWork, finding: Finding) -> list[Issue]:
    need = Need(
        product_id=finding.product_id,
        warehouse_id=finding.warehouse_id,
        quantity=-finding.difference,
        line_id=finding.count_id,
        location_id=finding.location_id,
        batch_id=finding.batch_id,
    )
    if finding.serial_numbers:
        gone = sorted(set(finding.recorded_serial_numbers) - set(finding.serial_numbers))
        needs = [replace(need, quantity=Decimal(1), serial_number=serial_number) for serial_number in gone]
    elif need.quantity <= 0:
        needs = []
    else:
        needs = [need] if need.batch_id is not None else await _without_code(work, need)
    return [Issue(need=one, document_kind=KIND, document_id=finding.inventory_id) for one in needs]


async def _without_code(work: UnitOfWork, need: Need) -> list[Need]:
    """The need spread over the goods without a batch code, those that expire first in front."""
    place = {"tenant": work.tenant_id, "product_id": need.product_id, "location_id": need.location_id}
    needs, missing = [], need.quantity
    for row in await work.session.execute(_FREE_WITHOUT_CODE, place):
        quantity = min(missing, row.free)
        missing -= quantity
        if quantity:
            needs.append(replace(need, quantity=quantity, batch_id=row.batch_id, unbatched=row.batch_id is None))
    return [*needs, replace(need, quantity=missing, unbatched=True)] if missing else needs


def _surplus(finding: Finding) -> Iterator[Arrival]:
    new = tuple(sorted(set(finding.serial_numbers) - set(finding.recorded_serial_numbers)))
    quantity = Decimal(len(new)) if finding.serial_numbers else finding.difference
    if quantity > 0:
        yield Arrival(
            product_id=finding.product_id,
            location_id=finding.location_id,
            quantity=quantity,
            document_kind=KIND,
            document_id=finding.inventory_id,
            line_id=finding.count_id,
            batch_code=finding.batch_code,
            production_date=finding.production_date,
            expiration_date=finding.expiration_date,
            serial_numbers=new,
            batch_field="stockBatchCode",
        )
