"""The correction of the stock by counts: what was missing goes out first, then what was too much comes in."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from hub.db import UnitOfWork
from hub.queries.stock import Need
from hub.services.bookings import Arrival, Issue, book_in, issue

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


async def correct(work: UnitOfWork, findings: Sequence[Finding]) -> dict[int, int]:
    """Book the differences; returns count → batch for the goods that came in.

    Locked batches are corrected too. `Conflict` when less would remain than is reserved.
    """
    out = [part for finding in findings for part in _missing(finding)]
    if out:
        await issue(work, out, with_locked_batches=True)
    surplus = [part for finding in findings for part in _surplus(finding)]
    movements = await book_in(work, surplus)
    return {moved.line_id: moved.batch_id for moved in movements if moved.line_id and moved.batch_id}


def _missing(finding: Finding) -> Iterator[Issue]:
    need = Need(
        product_id=finding.product_id,
        warehouse_id=finding.warehouse_id,
        quantity=-finding.difference,
        line_id=finding.count_id,
        location_id=finding.location_id,
        batch_id=finding.batch_id,
        unbatched=finding.batch_id is None,
    )
    if not finding.serial_numbers:
        if need.quantity > 0:
            yield Issue(need=need, document_kind=KIND, document_id=finding.inventory_id)
        return
    for serial_number in sorted(set(finding.recorded_serial_numbers) - set(finding.serial_numbers)):
        piece = replace(need, quantity=Decimal(1), serial_number=serial_number)
        yield Issue(need=piece, document_kind=KIND, document_id=finding.inventory_id)


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
