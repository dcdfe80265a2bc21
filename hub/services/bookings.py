"""Goods that come in, with the traceability that their products ask for, and free goods that go out at once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from hub.context import Level
from hub.db import UnitOfWork
from hub.errors import Invalid
from hub.queries.stock import Need
from hub.queries.traceability import BatchKey, Demands, KnownBatch, batch_key, find_batches, find_demands
from hub.services.allocation import allocate, refuse_missing
from hub.services.batch_dates import settle_batches
from hub.services.stock import Movement, apply


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """Goods that one line of a document brings to a location.

    `field` is the path of the line in the caller's request ("nirProducts[0]"), `batch_field` its name for the batch.
    """

    product_id: int
    location_id: int
    quantity: Decimal
    document_kind: str
    document_id: int
    line_id: int | None = None
    batch_code: str | None = None
    production_date: date | None = None
    expiration_date: date | None = None
    serial_numbers: tuple[str, ...] = ()
    sscc: str | None = None
    nir_id: int | None = None
    supplier_id: int | None = None
    field: str = ""
    batch_field: str = "batchCode"

    @property
    def batch(self) -> BatchKey | None:
        """None for goods that nothing tells apart."""
        if self.batch_code is None and self.production_date is None and self.expiration_date is None:
            return None
        return batch_key(self.product_id, self.batch_code, self.production_date, self.expiration_date)

    def path(self, name: str) -> str:
        return f"{self.field}.{name}" if self.field else name


async def book_in(work: UnitOfWork, arrivals: Sequence[Arrival]) -> list[Movement]:
    """Book goods into stock: one movement per arrival, or one per serial number, in the order of `arrivals`.

    Raises `Invalid` when something that the product asks for is missing, `Conflict` when a batch is known with other
    dates or a serial number is in stock already.
    """
    work.scope.require(Level.USER)
    if not arrivals:
        return []
    await check_arrivals(work, arrivals)
    batches = await settle_batches(work, arrivals) if any(arrival.batch for arrival in arrivals) else {}
    movements = [movement for arrival in arrivals for movement in _movements(arrival, batches)]
    await apply(work, movements)
    return movements


async def check_arrivals(work: UnitOfWork, arrivals: Sequence[Arrival]) -> None:
    """Raise `Invalid` when something that a product asks for is missing."""
    demands = await find_demands(work.session, work.tenant_id, {arrival.product_id for arrival in arrivals})
    keys = {arrival.batch for arrival in arrivals if arrival.batch}
    known = await find_batches(work.session, work.tenant_id, keys) if keys else {}
    for arrival in arrivals:
        _check_traceability(arrival, demands[arrival.product_id], known)


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """Goods that one line of a document takes out of what is free."""

    need: Need
    document_kind: str
    document_id: int


async def issue(work: UnitOfWork, issues: Sequence[Issue], *, with_locked_batches: bool = False) -> list[Movement]:
    """Book free goods out in the order in which they would be reserved; `Conflict` when anything is short."""
    work.scope.require(Level.USER)
    needs = [issue.need for issue in issues]
    allocations = await allocate(work, needs, with_locked_batches=with_locked_batches)
    await refuse_missing(work, needs, allocations)
    movements = [
        Movement(
            product_id=part.item.product_id,
            location_id=part.item.location_id,
            quantity=-part.quantity,
            document_kind=issues[part.position].document_kind,
            document_id=issues[part.position].document_id,
            line_id=part.need.line_id,
            batch_id=part.item.batch_id,
            serial_number=part.item.serial_number,
            sscc=part.item.sscc,
        )
        for part in allocations
    ]
    await apply(work, movements)
    return movements


def _check_traceability(arrival: Arrival, demands: Demands, known: Mapping[BatchKey, KnownBatch]) -> None:
    """A known batch brings its own dates; everything else must be in the arrival."""
    batch = known.get(arrival.batch) if arrival.batch else None
    production = arrival.production_date or (batch.production_date if batch else None)
    expiration = arrival.expiration_date or (batch.expiration_date if batch else None)
    for missing, name in (
        (demands.batch_code and arrival.batch_code is None, arrival.batch_field),
        (demands.production_date and production is None, "productionDate"),
        (demands.expiration_date and expiration is None, "expirationDate"),
        (demands.batch_details and production is None and expiration is None, "expirationDate"),
    ):
        if missing:
            raise Invalid(f"required for product {demands.code}", field=arrival.path(name))
    if demands.serial_number or arrival.serial_numbers:
        _check_serial_numbers(arrival, demands)


def _check_serial_numbers(arrival: Arrival, demands: Demands) -> None:
    if arrival.quantity != arrival.quantity.to_integral_value():
        raise Invalid(
            f"product {demands.code} has serial numbers: must be a whole number", field=arrival.path("quantity")
        )
    if len(set(arrival.serial_numbers)) != len(arrival.serial_numbers):
        raise Invalid("a serial number is given twice", field=arrival.path("snList"))
    if len(arrival.serial_numbers) != arrival.quantity:
        raise Invalid(
            f"product {demands.code} needs {arrival.quantity.normalize():f} serial numbers, "
            f"{len(arrival.serial_numbers)} given",
            field=arrival.path("snList"),
        )


def _movements(arrival: Arrival, batches: Mapping[BatchKey, int]) -> Iterator[Movement]:
    pieces: Sequence[str | None] = arrival.serial_numbers or (None,)
    for serial_number in pieces:
        yield Movement(
            product_id=arrival.product_id,
            location_id=arrival.location_id,
            quantity=Decimal(1) if serial_number is not None else arrival.quantity,
            document_kind=arrival.document_kind,
            document_id=arrival.document_id,
            line_id=arrival.line_id,
            batch_id=batches[arrival.batch] if arrival.batch else None,
            serial_number=serial_number,
            sscc=arrival.sscc,
        )
