"""Takes opening stock over: rows of the same goods are one count, booked once however often the file is imported."""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from sqlalchemy import select
from sqlmodel import col

from hub.db import UnitOfWork
from hub.errors import HubError, Invalid
from hub.importing.entries import Entry, missing_column, read_entry
from hub.importing.files import Record
from hub.importing.nouns import STOCK
from hub.importing.references import resolve
from hub.models.stock import Location
from hub.queries.conditions import among
from hub.services import opening_stock
from hub.services.opening_stock import OpeningGoods, Piece
from hub.services.outcomes import Effect, Outcome


def together(records: Iterable[Record], size: int) -> Iterator[list[Record]]:
    """Batches of about `size` rows in which the rows of the same goods stand together."""
    groups: dict[tuple[object, ...], list[Record]] = {}
    for record in records:
        groups.setdefault(_group(read_entry(STOCK.shape, {}, record)), []).append(record)
    batch: list[Record] = []
    for group in groups.values():
        batch += group
        if len(batch) >= size:
            yield batch
            batch = []
    if batch:
        yield batch


async def take_over(work: UnitOfWork, entries: Sequence[Entry]) -> list[Outcome]:
    """Book the rows that can be booked; one outcome per row. A refused row takes the rows of the same goods along."""
    groups: dict[tuple[object, ...], list[Entry]] = {}
    for entry in entries:
        groups.setdefault(_group(entry), []).append(entry)
    await resolve(work, entries)
    for entry in entries:
        try:
            _check(entry)
        except Invalid as error:
            entry.refuse(error)
    for group in groups.values():
        _refuse_together(group)
    ready = [group for group in groups.values() if not group[0].error and group[0].main.columns["quantity"]]
    warehouses = await _warehouses(work, {group[0].main.columns["location_id"] for group in ready})
    booked = await opening_stock.book(work, goods=[_goods(group, warehouses) for group in ready])
    outcomes = {id(entry): outcome for group, outcome in zip(ready, booked, strict=True) for entry in group}
    return [outcomes.get(id(entry)) or _unbooked(entry.error) for entry in entries]


def _unbooked(error: HubError | None) -> Outcome:
    """Rows that are wrong, and rows of nothing."""
    return Outcome(None, Effect.REFUSED, error) if error else Outcome(None, Effect.UNCHANGED)


def _group(entry: Entry) -> tuple[object, ...]:
    """What makes rows one count: the product as the file names it, the place, and the batch."""
    columns, named = entry.main.columns, entry.main.named
    if entry.error is not None:
        return (entry.record.line,)
    names = [next(iter(given.values())) for given in named.values()]
    dates = (columns.get("production_date"), columns.get("expiration_date"))
    code = columns.get("batch_code")
    return (*names, code, *((None, None) if code is not None else dates), columns.get("quantity") == 0)


def _check(entry: Entry) -> None:
    columns, main = entry.main.columns, entry.main
    if (missing := missing_column(main, dict.fromkeys(_OPTIONAL) | columns)) is not None:
        raise missing
    numbers = columns.get("serial_numbers") or ([columns["serial_number"]] if columns.get("serial_number") else [])
    if len(set(numbers)) < len(numbers):
        raise Invalid("a serial number is given twice", field=main.at_column("serial_numbers"))
    if numbers and len(numbers) != columns["quantity"]:
        raise Invalid(f"must be {len(numbers)}, one for each serial number", field=main.at_column("quantity"))
    columns["serial_numbers"] = numbers


_OPTIONAL = ("batch_code", "production_date", "expiration_date", "serial_number", "serial_numbers", "sscc")


def _refuse_together(group: Sequence[Entry]) -> None:
    """Half of the goods would be booked as if it were all of them, and the other half never."""
    wrong = next((entry for entry in group if entry.error), None)
    for entry in group:
        if wrong is not None and wrong.error is not None:
            entry.refuse(Invalid(f"belongs to the goods of line {wrong.record.line}, which is refused"))


def _goods(group: Sequence[Entry], warehouses: dict[int, int]) -> OpeningGoods:
    columns = group[0].main.columns
    dates = {
        name: next((entry.main.columns[name] for entry in group if entry.main.columns.get(name)), None)
        for name in ("production_date", "expiration_date")
    }
    return OpeningGoods(
        product_id=columns["product_id"],
        location_id=columns["location_id"],
        warehouse_id=warehouses[columns["location_id"]],
        pieces=[piece for entry in group for piece in _pieces(entry)],
        batch_id=next((entry.main.id for entry in group if entry.main.id is not None), None),
        batch_code=columns.get("batch_code"),
        **dates,
    )


def _pieces(entry: Entry) -> Iterator[Piece]:
    columns = entry.main.columns
    if not columns["serial_numbers"]:
        yield Piece(quantity=columns["quantity"], sscc=columns.get("sscc"))
    for number in columns["serial_numbers"]:
        yield Piece(quantity=Decimal(1), serial_number=number, sscc=columns.get("sscc"))


async def _warehouses(work: UnitOfWork, location_ids: Iterable[int]) -> dict[int, int]:
    found = await work.session.execute(
        select(col(Location.id), col(Location.warehouse_id)).where(
            col(Location.tenant_id) == work.tenant_id, among(col(Location.id), list(location_ids))
        )
    )
    return {row.id: row.warehouse_id for row in found}
